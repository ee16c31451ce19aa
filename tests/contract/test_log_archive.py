"""The archive gives back what the topic had, refuses what is damaged, and lets go of nothing too early."""

from __future__ import annotations

from typing import cast

import pytest
from tests.support.fake_folder import FakeFolder
from tests.support.fake_topic import SHARD, Topic, log_of

from crowdroute.router.adapters.kafka_history import KafkaHistory
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.log_archive import Archiver, LogArchive, Span
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.errors import LogCorrupt, SnapshotUnusable
from crowdroute.router.ports import ObjectFolder

TOPIC = bytes(16)
SEGMENT_BYTES = 200


@pytest.fixture
def topic() -> Topic:
    return Topic(log_of(20))


@pytest.fixture
def folder(folder_url: str) -> ObjectFolder:
    return Objects(folder_url)


@pytest.fixture
def archive(topic: Topic, folder: ObjectFolder) -> LogArchive:
    archive = LogArchive(folder, SHARD, TOPIC)
    run(Archiver(archive, SHARD, SEGMENT_BYTES), topic)
    return archive


def contents(folder: ObjectFolder) -> dict[str, bytes]:
    return {name: folder.read(name) for name in folder.names()}


def run(archiver: Archiver, topic: Topic) -> None:
    while archiver.advance(topic, TOPIC) is not None:
        pass


def history(topic: Topic, archive: LogArchive | None) -> KafkaHistory:
    return KafkaHistory(cast("KafkaPartition", topic), archive)


def test_archive_and_topic_give_every_record_after_deletion(topic: Topic, archive: LogArchive) -> None:
    topic.start = archive.deletable(0, 20)
    assert topic.start > 10
    both = history(topic, archive)
    assert both.bounds() == (0, 21)
    assert [found.value for found in both.records(0, 20)] == topic.all
    assert [found.offset for found in both.records(5, topic.start + 1)] == list(range(5, topic.start + 2))


def test_what_is_written_a_second_time_is_the_same(topic: Topic, folder: ObjectFolder) -> None:
    archivers = [Archiver(LogArchive(folder, SHARD, TOPIC), SHARD, SEGMENT_BYTES) for _ in range(2)]
    run(archivers[0], topic)
    first = contents(folder)
    run(archivers[1], topic)
    assert contents(folder) == first
    assert len(first) > 3


def test_a_new_archiver_goes_on_where_the_last_one_ended(topic: Topic, archive: LogArchive) -> None:
    before = archive.spans()
    topic.all = log_of(40)
    run(Archiver(archive, SHARD, SEGMENT_BYTES), topic)
    assert archive.spans()[: len(before)] == before
    assert [value for _, value in archive.values(0, 99)] == topic.all[: archive.spans()[-1].last + 1]


def test_segments_that_overlap_are_read_as_one_log(
    topic: Topic, archive: LogArchive, folder: ObjectFolder
) -> None:
    other = FakeFolder()
    run(Archiver(LogArchive(other, SHARD, TOPIC), SHARD, 3 * SEGMENT_BYTES // 2), topic)
    for name, body in other.objects.items():
        folder.write(name, body)
    end = archive.spans()[-1].last
    assert [value for _, value in archive.values(0, end)] == topic.all[: end + 1]


def test_what_no_snapshot_is_behind_stays_in_the_topic(archive: LogArchive) -> None:
    assert archive.deletable(0, 0) == 0
    # Offset n holds batch n: the anchor of who goes on from a segment's end is its last record.
    spans = archive.spans()
    assert archive.deletable(0, spans[2].last) == spans[2].last
    assert archive.deletable(0, spans[2].last - 1) == spans[1].last


def test_nothing_behind_a_gap_counts_as_archived(
    topic: Topic, archive: LogArchive, folder: ObjectFolder
) -> None:
    spans = archive.spans()
    topic.start = archive.deletable(0, 20)
    folder.remove(folder.names()[1])
    assert archive.spans() == spans[:1]
    assert archive.deletable(0, 20) == spans[0].last
    missing = f"offsets {spans[1].first} to {topic.start - 1} are neither in the topic nor in the archive"
    with pytest.raises(LogCorrupt, match=missing):
        history(topic, archive).bounds()


def test_every_flipped_byte_is_found(topic: Topic) -> None:
    folder = FakeFolder()
    archive = LogArchive(folder, SHARD, TOPIC)
    run(Archiver(archive, SHARD, SEGMENT_BYTES), topic)
    name = folder.names()[1]
    whole = folder.objects[name]
    last = archive.spans()[1].last
    for at in range(len(whole)):
        folder.objects[name] = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(LogCorrupt):
            list(archive.values(0, last))
        with pytest.raises(LogCorrupt):
            archive.deletable(0, 20)


def test_half_a_segment_is_no_ground_for_deletion(archive: LogArchive, folder: ObjectFolder) -> None:
    name = folder.names()[0]
    whole = folder.read(name)
    for length in (len(whole) - 1, 100, 10, 0):
        folder.write(name, whole[:length])
        with pytest.raises(LogCorrupt):
            archive.deletable(0, 20)


def test_another_clusters_archive_is_refused(archive: LogArchive, folder: ObjectFolder) -> None:
    with pytest.raises(LogCorrupt, match="give each cluster an archive of its own"):
        LogArchive(folder, "other/0", TOPIC).end()


def test_an_archive_cannot_begin_behind_a_deletion(topic: Topic, folder: ObjectFolder) -> None:
    topic.start = 4
    with pytest.raises(SnapshotUnusable, match="begins at offset 4"):
        run(Archiver(LogArchive(folder, SHARD, TOPIC), SHARD, SEGMENT_BYTES), topic)


def test_other_objects_in_the_folder_are_left_alone(archive: LogArchive, folder: ObjectFolder) -> None:
    spans = archive.spans()
    folder.write("notes.txt", b"")
    assert archive.spans() == spans
    assert spans[0] == Span(0, spans[0].last)
