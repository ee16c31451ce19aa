"""Where a shard's log on Kafka stands: the topic, its archive, the snapshots that nodes share."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from crowdroute.router.adapters.kafka_opening import KafkaPlace, archive_of
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_topics import log_topic, look_at_log
from crowdroute.router.adapters.log_archive import LogArchive
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.shared_snapshots import read_shared, shared_sequences
from crowdroute.router.errors import LogCorrupt, SnapshotUnusable, StorageError
from crowdroute.router.ports import ObjectFolder


@dataclass(frozen=True)
class ArchiveStatus:
    """What stands in a shard's archive, whoever wrote it."""

    place: str
    """URL of its folder."""
    segments: int
    """Those that follow from each other, from offset zero on."""
    archived: int
    """Offset of the first record that none of them has."""
    batches: int
    """Sequence of the last batch in them."""


@dataclass(frozen=True)
class LogStatus:
    """How far a shard's log, its archive and its shared snapshots are; None for what there is none of."""

    first: int
    """Offset of the first record that the topic still has."""
    end: int
    """Offset after the last one."""
    archive: ArchiveStatus | None
    snapshot: int | None
    """Sequence of the newest shared snapshot that can be read; 0 for none."""
    wrong: tuple[str, ...]
    """What is wrong, one line each."""

    @property
    def lag(self) -> int | None:
        """Records that are not archived yet."""
        return None if self.archive is None else self.end - self.archive.archived


def log_status(place: KafkaPlace, snapshots: str | None) -> LogStatus:
    """Look at a shard's log beside its owner; nothing is claimed or made. Blocks.

    Args:
        place: where the log is; its directory is not looked at.
        snapshots: URL below which the nodes share theirs, or None.

    Raises:
        ConfigurationError: there is no such topic, it could lose what it acknowledged, or the driver of a URL
            is not installed.
        StorageError: the cluster does not answer.
    """
    topic_id = look_at_log(place.connection, place.name, place.shards, place.durability)
    shared = None if snapshots is None else Objects(place.folder(snapshots, topic_id))
    with closing(KafkaPartition(place.connection, log_topic(place.name), place.shard)) as partition:
        first, end = partition.bounds()
    return status_of(first, end, archive_of(place, topic_id), shared)


def status_of(first: int, end: int, archive: LogArchive | None, shared: ObjectFolder | None) -> LogStatus:
    """Look at the stores beside a topic; one that does not answer is among what is wrong."""
    wrong: list[str] = []
    stands, snapshot = None, None
    if archive is not None:
        try:
            stands = _archive_status(archive)
        except (LogCorrupt, StorageError) as error:
            wrong.append(error.message)
    if stands is not None and stands.archived < first:
        wrong.append(
            f"offsets {stands.archived} to {first - 1} are neither in the topic nor in the archive at"
            f" {stands.place}: bring the segments that are missing there back"
        )
    elif archive is None and first:
        wrong.append(f"the topic begins at offset {first}: name the archive that has what is before it")
    if shared is not None:
        try:
            snapshot = _newest(shared, wrong)
        except StorageError as error:
            wrong.append(error.message)
    return LogStatus(first, end, stands, snapshot, tuple(wrong))


def _archive_status(archive: LogArchive) -> ArchiveStatus:
    spans, position = archive.spans(), archive.end()
    return ArchiveStatus(archive.place, len(spans), position.next_offset, position.sequence)


def _newest(shared: ObjectFolder, wrong: list[str]) -> int:
    for sequence in reversed(shared_sequences(shared)):
        try:
            read_shared(shared, sequence)
        except SnapshotUnusable as error:
            wrong.append(error.message)
            continue
        return sequence
    return 0
