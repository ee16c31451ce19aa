"""A log on Kafka is read beside its owner: only what counts, and never what is not decided yet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.support.fake_folder import FakeFolder
from tests.support.fake_kafka_log import SECRET, TOPIC, FakeShard

from crowdroute.router.adapters.kafka_beside import KafkaBeside
from crowdroute.router.adapters.kafka_content import UNFINISHED
from crowdroute.router.adapters.log_archive import Archiver, LogArchive
from crowdroute.router.errors import ConfigurationError, Fenced, LogCorrupt, SnapshotUnusable, StorageError


@pytest.fixture
def shard() -> FakeShard:
    return FakeShard()


@pytest.fixture
def reader(shard: FakeShard, tmp_path: Path) -> Iterator[KafkaBeside]:
    opened = shard.reader(tmp_path / "beside")
    yield opened
    opened.close()


def contents(reader: KafkaBeside) -> dict[str, bytes]:
    return dict(reader.contents_after("", 99))


def test_it_reads_what_an_owner_wrote_and_writes_nothing(shard: FakeShard, reader: KafkaBeside) -> None:
    shard.append(b"one", {"a": b"1"})
    shard.append(b"two", {"a": b"2", "b": b"3"})
    before = len(shard.log.kept), len(shard.contents.kept)
    reader.bring()
    assert [stored.body for stored in reader.read()] == [b"one", b"two"]
    assert reader.head() == (2, shard.chains[2])
    assert contents(reader) == shard.now == {"a": b"2", "b": b"3"}
    assert reader.select(["b", "c"]) == {"b": b"3"}
    assert reader.content_key == SECRET
    assert before == (len(shard.log.kept), len(shard.contents.kept))


def test_the_next_time_only_what_came_since_is_read(shard: FakeShard, reader: KafkaBeside) -> None:
    shard.append(b"one", {"a": b"1", "b": b"2"})
    reader.bring()
    mark = reader.mark()
    assert mark is not None
    read: list[int] = []
    shard.append(b"two", {"a": None})
    shard.log.looked = lambda: read.append(0)
    reader.bring()
    assert len(read) == 4  # two looks at the bounds, the record before the position, the new one
    assert contents(reader) == {"b": b"2"}
    assert reader.touched(mark) == {"a"}


def test_a_claim_and_what_a_replaced_owner_writes_change_nothing(
    shard: FakeShard, reader: KafkaBeside
) -> None:
    shard.append(b"one", {"a": b"1"})
    before = shard.epoch
    shard.claim()
    shard.write_too_late(before, {"a": b"forged"}, b"forged")
    shard.append(b"two")
    reader.bring()
    assert [stored.body for stored in reader.read()] == [b"one", b"two"]
    assert contents(reader) == {"a": b"1"}


def test_contents_of_a_batch_that_may_still_come_wait_for_it(shard: FakeShard, reader: KafkaBeside) -> None:
    shard.append(b"one", {"a": b"1"})
    shard._write({"a": b"2"}, shard.epoch)
    reader.bring()
    assert contents(reader) == {"a": b"1"}
    shard.contents.kept.pop()
    shard.append(b"two", {"a": b"2"})
    reader.bring()
    assert contents(reader) == {"a": b"2"}


def test_contents_of_a_batch_that_never_came_are_passed_over(shard: FakeShard, reader: KafkaBeside) -> None:
    shard.append(b"one", {"a": b"1"})
    shard.begin_in_vain({"a": b"never"})
    reader.bring()
    assert contents(reader) == {"a": b"1"}
    shard.append(b"two", {"b": b"2"})
    reader.bring()
    assert contents(reader) == {"a": b"1", "b": b"2"}


def test_nothing_is_erased_before_the_batch_that_erases_it(shard: FakeShard, reader: KafkaBeside) -> None:
    """The erasure comes, and is compacted away but for tombstones, when the log's end is already known."""
    shard.append(b"one", {"a": b"1"})
    reader.bring()

    looks = count()

    def erase_once_the_end_is_known() -> None:
        if next(looks) == 1:
            shard.append(b"two", {"a": None})
            shard.contents.compact()

    shard.log.looked = erase_once_the_end_is_known
    reader.bring()
    assert reader.head()[0] == 1
    assert contents(reader) == {"a": b"1"}
    reader.bring()
    assert reader.head()[0] == 2
    assert contents(reader) == {}


def test_whoever_comes_back_goes_on_where_it_was(shard: FakeShard, tmp_path: Path) -> None:
    shard.append(b"one", {"a": b"1"})
    first = shard.reader(tmp_path)
    first.bring()
    mark = first.mark()
    first.close()
    shard.append(b"two", {"b": b"2"})
    again = shard.reader(tmp_path)
    again.bring()
    assert again.head()[0] == 2
    assert contents(again) == {"a": b"1", "b": b"2"}
    assert mark is not None
    assert again.touched(mark) == {"b"}
    again.close()


def test_one_directory_has_one_reader(shard: FakeShard, reader: KafkaBeside, tmp_path: Path) -> None:
    with pytest.raises(Fenced, match="owns the log in"):
        shard.reader(tmp_path / "beside")


def test_what_is_deleted_under_the_reader_comes_from_the_archive(shard: FakeShard, tmp_path: Path) -> None:
    archive = LogArchive(FakeFolder(), "cluster/0", TOPIC)
    for n in range(5):
        shard.append(b"%d" % n)
    archiver = Archiver(archive, "cluster/0", 1)
    while archiver.advance(shard.log, TOPIC) is not None:
        pass
    looks = count()

    def delete_at_the_third_record() -> None:
        if next(looks) == 4:
            shard.log.start = 4

    shard.log.looked = delete_at_the_third_record
    reader = shard.reader(tmp_path, archive)
    reader.bring()
    assert reader.head() == (5, shard.chains[5])
    reader.close()


def test_what_is_deleted_and_in_no_archive_is_refused(shard: FakeShard, reader: KafkaBeside) -> None:
    shard.append(b"one")
    shard.append(b"two")
    shard.log.start = 2
    with pytest.raises((SnapshotUnusable, LogCorrupt)):
        reader.bring()


def test_brokers_that_do_not_answer_are_no_deletion(shard: FakeShard, reader: KafkaBeside) -> None:
    shard.append(b"one")

    def fail() -> None:
        raise StorageError("the leader does not answer")

    shard.log.looked = fail
    with pytest.raises(StorageError, match="does not answer"):
        reader.bring()


def test_a_damaged_log_is_refused_and_what_stands_before_the_damage_is_kept(
    shard: FakeShard, reader: KafkaBeside
) -> None:
    shard.append(b"one")
    reader.bring()
    shard.log.add(b"forged")
    with pytest.raises(LogCorrupt):
        reader.bring()
    assert reader.head()[0] == 1


def test_a_log_that_is_itself_an_unfinished_copy_says_so(shard: FakeShard, reader: KafkaBeside) -> None:
    shard.contents.add(b"", UNFINISHED)
    reader.bring()
    with pytest.raises(ConfigurationError, match="not finished"):
        reader.require_finished()
    shard.contents.add(None, UNFINISHED)
    reader.bring()
    reader.require_finished()
