"""A shard's records from the beginning: the archive, then the topic, as if nothing were deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.log_archive import LogArchive
from crowdroute.router.errors import LogCorrupt


class Partition(Protocol):
    """The records of a topic's partition, by offset; a `KafkaPartition`."""

    def bounds(self) -> tuple[int, int]:
        """Give the offset of the first record that is not deleted, and that after the last one."""

    def records(self, first: int, last: int) -> Iterator[Found]:
        """Yield the records from one offset through another."""

    def close(self) -> None:
        """Disconnect."""


class KafkaHistory:
    """Reads as a `KafkaPartition` does; closed with the partition."""

    def __init__(self, partition: Partition, archive: LogArchive | None) -> None:
        """Join a topic's partition with the archive of what was deleted from it, if there is one."""
        self._partition = partition
        self._archive = archive

    def bounds(self) -> tuple[int, int]:
        """Give the offset of the first record that can be read, and that after the last one.

        Raises:
            LogCorrupt: offsets are missing between the archive and the topic.
            StorageError: the leader or the archive's store does not answer.
        """
        log_start, log_end = self._partition.bounds()
        if not log_start or self._archive is None:
            return log_start, log_end
        spans = self._archive.spans()
        end = spans[-1].last + 1 if spans else 0
        if end < log_start:
            raise LogCorrupt(
                f"offsets {end} to {log_start - 1} are neither in the topic nor in the archive at"
                f" {self._archive.place}: bring the segments that are missing there back",
                {"offset": str(end), "log_start": str(log_start), "differs": "gap"},
            )
        return 0, log_end

    def records(self, first: int, last: int) -> Iterator[Found]:
        """Yield the records from one offset through another, which must exist.

        Raises:
            LogCorrupt: a segment of the archive is damaged.
            StorageError: the leader or the archive's store does not answer.
        """
        log_start, _ = self._partition.bounds()
        if self._archive is not None and first < log_start:
            for offset, value in self._archive.values(first, min(last, log_start - 1)):
                yield Found(offset, None, value)
                first = offset + 1
        yield from self._partition.records(first, last)

    def close(self) -> None:
        """Disconnect."""
        self._partition.close()
