"""How a log on Kafka stands is told whole, and whatever is wrong in a line of its own."""

from __future__ import annotations

import pytest
from tests.support.fake_folder import FakeFolder
from tests.support.fake_topic import SHARD, Topic, log_of

from crowdroute.router.adapters.kafka_status import status_of
from crowdroute.router.adapters.log_archive import Archiver, LogArchive
from crowdroute.router.adapters.snapshot_format import encode_snapshot, snapshot_name
from crowdroute.router.errors import StorageError

TOPIC, END = bytes(16), 21


@pytest.fixture
def folder() -> FakeFolder:
    return FakeFolder()


@pytest.fixture
def archive(folder: FakeFolder) -> LogArchive:
    archive = LogArchive(folder, SHARD, TOPIC)
    archiver, topic = Archiver(archive, SHARD, 200), Topic(log_of(END - 1))
    while archiver.advance(topic, TOPIC) is not None:
        pass
    return archive


def test_a_log_without_archive_and_shared_snapshots_is_what_the_topic_has() -> None:
    status = status_of(0, END, None, None)
    assert (status.first, status.end, status.archive, status.lag, status.snapshot) == (
        0,
        END,
        None,
        None,
        None,
    )
    assert status.wrong == ()


def test_archive_and_topic_may_overlap(archive: LogArchive) -> None:
    spans = archive.spans()
    status = status_of(3, END, archive, FakeFolder())
    assert status.archive is not None
    assert (status.archive.segments, status.archive.archived) == (len(spans), spans[-1].last + 1)
    assert status.archive.batches == spans[-1].last  # offset n holds batch n
    assert (status.lag, status.snapshot, status.wrong) == (END - 1 - spans[-1].last, 0, ())


def test_what_is_in_neither_is_told_by_its_offsets(archive: LogArchive, folder: FakeFolder) -> None:
    first = archive.spans()[-1].last
    folder.remove(folder.names()[1])
    (line,) = status_of(first, END, archive, None).wrong
    missing = (
        f"offsets {archive.spans()[0].last + 1} to {first - 1} are neither in the topic nor in the archive"
    )
    assert line.startswith(missing)


def test_a_topic_that_begins_later_needs_an_archive() -> None:
    assert status_of(4, END, None, None).wrong == (
        "the topic begins at offset 4: name the archive that has what is before it",
    )


def test_a_damaged_snapshot_is_told_and_the_one_before_it_counts(archive: LogArchive) -> None:
    shared = FakeFolder()
    shared.write(snapshot_name(5), b"".join(encode_snapshot(5, bytes(32), {})))
    shared.write(snapshot_name(9), b"half")
    status = status_of(0, END, archive, shared)
    assert status.snapshot == 5
    assert len(status.wrong) == 1
    assert "is cut off" in status.wrong[0]


def test_a_store_that_does_not_answer_hides_nothing_else(archive: LogArchive) -> None:
    class Gone(FakeFolder):
        def names(self) -> list[str]:
            raise StorageError("s3://gone cannot be listed (AccessDenied)")

    status = status_of(0, END, archive, Gone())
    assert status.archive is not None
    assert (status.snapshot, status.wrong) == (None, ("s3://gone cannot be listed (AccessDenied)",))
