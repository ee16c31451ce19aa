"""What a shard's owner does beside serving it: archive closed ranges of its log, delete what is archived."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import closing
from typing import Protocol

from crowdroute.router.adapters.archive_standing import ArchiveStanding
from crowdroute.router.adapters.kafka_client import REQUEST_MS, KafkaConnection
from crowdroute.router.adapters.log_archive import SEGMENT_BYTES, Archiver, LogArchive, Source
from crowdroute.router.adapters.shared_snapshots import read_shared, shared_sequences
from crowdroute.router.errors import RouterError, SnapshotUnusable, StorageError
from crowdroute.router.ports import ObjectFolder

_log = logging.getLogger(__name__)


class Connected(Source, Protocol):
    """A topic's partition, over a connection of its own."""

    def close(self) -> None:
        """Disconnect."""


class KafkaArchiving:
    """One step at a time, each with connections of its own; after an error the next begins at the archive."""

    def __init__(
        self,
        archive: LogArchive,
        shard: str,
        partition: Callable[[], Connected],
        topic_id: bytes,
        delete: Deletion | None = None,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Prepare; nothing is read before the first step.

        Args:
            archive: of the shard.
            shard: name in its claims.
            partition: connects to the log's partition.
            topic_id: of the log's topic.
            delete: how to delete from the topic; None: everything stays there.
            segment_bytes: of records at which a range is closed.
        """
        self._archive = archive
        self._shard = shard
        self._partition = partition
        self._topic_id = topic_id
        self._delete = delete
        self._segment_bytes = segment_bytes
        self._archiver: Archiver | None = None
        self.standing = ArchiveStanding()

    def step(self) -> bool:
        """Archive the next closed range, or delete when there is none; says whether there may be another.

        Blocks. Raises:
            LogCorrupt: the log or the archive is damaged, or they do not belong together.
            StorageError: the brokers or the store do not answer.
        """
        try:
            more = self._step()
        except RouterError:
            self.standing.failures += 1
            raise
        self.standing.succeeded_at = time.time()
        return more

    def _step(self) -> bool:
        archiver, self._archiver = self._archiver, None
        with closing(self._partition()) as partition:
            archiver = archiver or Archiver(self._archive, self._shard, self._segment_bytes)
            written = archiver.written_bytes
            last = archiver.advance(partition, self._topic_id)
            self._archiver = archiver
            first, end = partition.bounds()
            self._note(archiver, written, first, end)
            if last is not None:
                _log.info("the log of %s is archived through offset %d", self._shard, last)
                return True
            if self._delete is not None:
                self.standing.first = self._delete.advance(self._archive, first)
        return False

    def _note(self, archiver: Archiver, written: int, first: int, end: int) -> None:
        self.standing.archived, self.standing.first, self.standing.end = archiver.archived, first, end
        self.standing.written_bytes += archiver.written_bytes - written


class Deletion:
    """Deletes from a topic what stands in the archive and is behind a snapshot that all nodes share."""

    def __init__(self, snapshots: ObjectFolder, delete: Callable[[int], None]) -> None:
        """Rely on a folder of snapshots.

        Args:
            snapshots: that all nodes share.
            delete: deletes the topic's records before an offset; see `delete_before`.
        """
        self._snapshots = snapshots
        self._delete = delete
        self._verified = 0
        """The newest snapshot that was read back whole."""

    def advance(self, archive: LogArchive, log_start: int) -> int:
        """Delete as far as may be, nothing when there is nothing new; gives where the topic begins then.

        Raises:
            LogCorrupt: a segment that is to be relied on is damaged.
            StorageError: the brokers or the store do not answer.
        """
        before = archive.deletable(log_start, self._newest())
        if before > log_start:
            self._delete(before)
            _log.info("records of %s before offset %d are deleted from the topic", archive.place, before)
        return before

    def _newest(self) -> int:
        """Give the sequence of the newest snapshot that is there and whole, 0 for none."""
        for sequence in reversed(shared_sequences(self._snapshots)):
            if sequence == self._verified:
                return sequence
            try:
                read_shared(self._snapshots, sequence)
            except SnapshotUnusable as error:
                _log.warning("deletion does not rely on a snapshot: %s", error.message)
                continue
            self._verified = sequence
            return sequence
        return 0


def delete_before(connection: KafkaConnection, topic: str, partition: int, offset: int) -> None:
    """Delete the records of a partition before an offset.

    Raises:
        StorageError: the cluster does not answer, or refused.
    """
    from kafka import TopicPartition
    from kafka.errors import KafkaError

    with closing(connection.admin()) as admin:
        try:
            admin.delete_records({TopicPartition(topic, partition): offset}, timeout_ms=REQUEST_MS)
        except KafkaError as error:
            raise StorageError(
                f"records of partition {partition} of {topic} are not deleted ({error})", {"topic": topic}
            ) from error
