"""Reads a shard's whole log on Kafka, as every owner and reader of it does, and says what it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.kafka_history import KafkaHistory
from crowdroute.router.adapters.kafka_opening import KafkaPlace, archive_of
from crowdroute.router.adapters.kafka_partition import Found, KafkaPartition
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_reader import KafkaReader, Verdict
from crowdroute.router.adapters.kafka_topics import log_topic, look_at_log
from crowdroute.router.errors import LogCorrupt, SnapshotUnusable
from crowdroute.router.ports import StoredBatch

TOLD_EVERY = 512
"""Records between two calls of `progress`."""


@dataclass(frozen=True)
class KafkaReport:
    """What a shard's partition holds, and what is wrong with it."""

    records: int
    """Records that were read, one an offset."""
    batches: int
    """Those of them that are the history."""
    claims: int
    """Owners that there were."""
    void: int
    """Records that are no part of the history, as the protocol allows: batches of owners that had lost the
    shard, claims of older placements, and second copies."""
    intact_through: int
    """Sequence up to which every batch is there and as it was written."""
    chain: bytes
    """Chain hash of that batch."""
    damage: tuple[str, ...]
    """What is wrong, with the offset; empty when all is well. Nothing is read after a damaged record, because
    the meaning of every later one depends on it."""

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.damage


class LogCheck:
    """Looks at the records of one partition in order; the I/O is somebody else's."""

    def __init__(self, reader: KafkaReader, newest_snapshot: tuple[int, bytes] | None) -> None:
        """Begin at the beginning.

        Args:
            reader: at the beginning of the log.
            newest_snapshot: sequence and chain hash of a snapshot, which proves how far the log once went.
        """
        self._reader = reader
        self._snapshot = newest_snapshot
        self._seen: Counter[Verdict] = Counter()
        self._damage: list[str] = []
        self._intact = (reader.sequence, reader.chain)
        self._looking_at = reader.wanted

    def take(self, found: Found) -> None:
        """Look at the next record.

        Raises:
            LogCorrupt, UnknownEvent: it is not what can stand there.
        """
        self._looking_at = found.offset
        reading = self._reader.take(found.offset, found.value or b"")
        self._seen[reading.verdict] += 1
        if reading.batch is not None:
            self._batch(reading.batch, reading.offset)

    def _batch(self, stored: StoredBatch, offset: int) -> None:
        decode_batch(stored.body, stored.sequence)
        if self._snapshot == (stored.sequence, stored.chain):
            self._snapshot = None
        elif self._snapshot is not None and self._snapshot[0] == stored.sequence:
            raise LogCorrupt(
                f"batch {stored.sequence} is not the one that a snapshot was folded from",
                {"offset": str(offset), "differs": "snapshot"},
            )
        self._intact = (stored.sequence, stored.chain)

    def broken(self, error: LogCorrupt | SnapshotUnusable) -> None:
        """Note why no more can be read."""
        self._damage.append(f"offset {self._looking_at}: {error.message}")

    def report(self, end: int) -> KafkaReport:
        """Give what was found of a log whose last record is before the offset `end`."""
        sequence, chain = self._intact
        if not self._damage:
            if self._reader.next_offset < end:
                self._damage.append(f"offsets {self._reader.next_offset}..{end - 1} are missing")
            elif self._snapshot is not None and self._snapshot[0] > sequence:
                last = self._snapshot[0]
                self._damage.append(f"batches {sequence + 1}..{last} are lost: a snapshot holds them")
        return KafkaReport(
            records=self._seen.total(),
            batches=self._seen[Verdict.BATCH],
            claims=self._seen[Verdict.CLAIM],
            void=self._seen[Verdict.STALE] + self._seen[Verdict.VOID_CLAIM] + self._seen[Verdict.DUPLICATE],
            intact_through=sequence,
            chain=chain,
            damage=tuple(self._damage),
        )


def verify_partition(
    place: KafkaPlace,
    newest_snapshot: tuple[int, bytes] | None = None,
    progress: Callable[[int, int], None] = lambda _offset, _end: None,
) -> KafkaReport:
    """Check every record of a shard's log, archived or not, as far as it went at the call; blocks.

    Nothing is claimed, so an engine may serve the shard meanwhile.

    Args:
        place: where the shard's log is; its directory is not looked at.
        newest_snapshot: sequence and chain hash of a snapshot of it that was read before the call.
        progress: is told the offset reached and that of the end.

    Raises:
        ConfigurationError: there is no such topic, it could lose what it acknowledged, or the driver of the
            archive's URL is not installed.
        StorageError: the cluster, or the archive's store, does not answer.
    """
    topic_id = look_at_log(place.connection, place.name, place.shards, place.durability)
    reader = KafkaReader(place.claimed, Position(topic_id))
    check = LogCheck(reader, newest_snapshot)
    partition = KafkaPartition(place.connection, log_topic(place.name), place.shard)
    history = KafkaHistory(partition, archive_of(place, topic_id))
    end = 0
    with closing(history):
        try:
            first, end = history.bounds()
            reader.check_bounds(first, end)
            for found in history.records(0, end - 1):
                check.take(found)
                if not found.offset % TOLD_EVERY:
                    progress(found.offset, end)
        except (LogCorrupt, SnapshotUnusable) as error:
            check.broken(error)
    progress(end, end)
    return check.report(end)
