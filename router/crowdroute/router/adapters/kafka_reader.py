"""What each record of a shard's Kafka partition means: the protocol's reader, without any I/O.

Whoever reads the partition hands over what it finds in the order of the offsets, and is told what to make of
it. The verdict on a record depends on the records before it alone, so every reader comes to the same one,
from the log's beginning or from a snapshot's position. Every offset is accounted for: one that is missing is
an error, never a gap to be stepped over.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import NamedTuple

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_records import BatchRecord, Claim, Epoch, decode, digest
from crowdroute.router.errors import LogCorrupt, SnapshotUnusable
from crowdroute.router.ports import StoredBatch

DIGESTS_KEPT = 64
"""Valid batches of which a second copy is known again. A producer has one batch in flight, so a copy that was
held up in the network comes a few batches late, not dozens."""


class Verdict(StrEnum):
    """What a record is."""

    BATCH = "batch"
    """The next batch of the history."""
    STALE = "stale"
    """A batch of an owner that had lost the shard before the record came in: no part of the history."""
    DUPLICATE = "duplicate"
    """A second copy of a record that counted."""
    CLAIM = "claim"
    """The beginning of an epoch."""
    VOID_CLAIM = "void_claim"
    """A claim of a placement older than one that claimed before."""
    ANCHOR = "anchor"
    """The record before the position that reading went on from, as it was."""


class Reading(NamedTuple):
    """One record and what to make of it."""

    offset: int
    verdict: Verdict
    digest: bytes
    batch: StoredBatch | None = None
    """For the verdict `BATCH` alone."""


class KafkaReader:
    """Reads one shard's log on from a position."""

    def __init__(self, shard: str, position: Position) -> None:
        """Begin at a position; `Position(topic_id)` is the beginning of a topic."""
        self._shard = shard
        self._topic_id = position.topic_id
        self.next_offset = position.next_offset
        """Everything before it was read and accounted for."""
        self._claims = {epoch.offset: epoch.nonce for epoch in position.claims}
        self._nonces = set(self._claims.values())
        self.epoch: Epoch | None = position.claims[-1] if position.claims else None
        """The last claim that was not void."""
        self.generation = position.generation
        """Highest generation that claimed."""
        self.sequence = position.sequence
        """Of the last valid batch."""
        self.chain = position.chain
        """Chain hash of the last valid batch."""
        self.released = position.released
        """Whether the last valid batch was the last of an orderly hand-over."""
        self._digests = deque(position.digests, DIGESTS_KEPT)
        self._anchor = position.anchor
        self._anchored = not position.next_offset
        self.stale = 0
        """Stale batches skipped since the reader was made."""
        self.duplicates = 0
        """Second copies skipped since the reader was made."""

    @property
    def wanted(self) -> int:
        """The offset to read next: of the anchor first, if it is not verified yet."""
        return self.next_offset if self._anchored else self.next_offset - 1

    def position(self) -> Position:
        """Give what a snapshot of the state folded so far must hold."""
        return Position(
            topic_id=self._topic_id,
            next_offset=self.next_offset,
            claims=tuple(Epoch(offset, nonce) for offset, nonce in self._claims.items()),
            generation=self.generation,
            sequence=self.sequence,
            chain=self.chain,
            released=self.released,
            digests=tuple(self._digests),
            anchor=self._anchor,
        )

    def verify_again(self) -> None:
        """Have the record before the position read once more, because the log may have been cut since."""
        self._anchored = not self.next_offset

    def check_topic(self, topic_id: bytes) -> None:
        """Verify that the partition to be read is of the topic that the position is of.

        Raises:
            LogCorrupt: the topic was created again.
        """
        if topic_id != self._topic_id:
            raise LogCorrupt(
                f"the topic has id {topic_id.hex()}, but the log of shard {self._shard} was read from"
                f" {self._topic_id.hex()}: restore the topic from its archive if it was deleted and created"
                " again, or give this cluster a directory of its own",
                {"offset": str(self.next_offset), "differs": "topic"},
            )

    def check_bounds(self, log_start: int, log_end: int) -> None:
        """Verify that the partition still holds what is to be read, and what was.

        Args:
            log_start: offset of the first record that is not deleted.
            log_end: offset after the last record.

        Raises:
            SnapshotUnusable: records after the position (or the one before it) are deleted.
            LogCorrupt: the partition ends before the position.
        """
        if log_start > self.wanted:
            raise SnapshotUnusable(
                f"the log begins at offset {log_start}, what was read of it ends before"
                f" {self.next_offset}, and the reader needs {self.wanted}: take a newer snapshot, or name"
                " the log's archive (kafka.archive)",
                {"offset": str(self.wanted), "log_start": str(log_start), "differs": "deleted"},
            )
        if log_end < self.next_offset:
            raise LogCorrupt(
                f"the log ends before offset {log_end}, but it was read up to {self.next_offset}: the broker"
                " lost what it had acknowledged; restore the log from its archive",
                {"offset": str(log_end), "differs": "end"},
            )

    def take(self, offset: int, record: bytes) -> Reading:
        """Read the record at `offset`, which must be `wanted`, and say what it is.

        Raises:
            LogCorrupt: it is not what can stand there; with the offset and what differs.
            UnknownEvent: a newer release wrote it.
        """
        if offset != self.wanted:
            raise _corrupt(self.wanted, f"is missing (offset {offset} stands in its place)", "offset")
        decoded = decode(record, offset)
        known = digest(record)
        if not self._anchored:
            if known != self._anchor:
                raise _corrupt(offset, "is another one than was read there before: the log was cut", "anchor")
            self._anchored = True
            return Reading(offset, Verdict.ANCHOR, known)
        if isinstance(decoded, Claim):
            reading = Reading(offset, self._claim(offset, decoded), known)
        else:
            reading = self._batch(offset, decoded, known)
        self._advance(offset, known)
        return reading

    def take_own(self, offset: int, batch: BatchRecord, record_digest: bytes) -> None:
        """Count a batch that this process made itself as the next one, without looking at it again."""
        self._count(batch, record_digest)
        self._advance(offset, record_digest)

    def _claim(self, offset: int, claim: Claim) -> Verdict:
        if claim.shard != self._shard:
            raise LogCorrupt(
                f"the claim at offset {offset} is of shard {claim.shard!r}, this is the log of"
                f" {self._shard!r}: give each shard of each cluster a partition of its own",
                {"offset": str(offset), "differs": "shard"},
            )
        if claim.nonce in self._nonces:
            self.duplicates += 1
            return Verdict.DUPLICATE
        if claim.generation < self.generation:
            return Verdict.VOID_CLAIM
        self.generation = claim.generation
        self.epoch = Epoch(offset, claim.nonce)
        self._claims[offset] = claim.nonce
        self._nonces.add(claim.nonce)
        return Verdict.CLAIM

    def _batch(self, offset: int, batch: BatchRecord, record_digest: bytes) -> Reading:
        if batch.epoch != self.epoch:
            if self._claims.get(batch.epoch.offset) != batch.epoch.nonce:
                raise _corrupt(offset, f"names epoch {batch.epoch.offset}, which no claim began", "epoch")
            self.stale += 1
            return Reading(offset, Verdict.STALE, record_digest)
        if batch.sequence == self.sequence + 1 and chain(self.chain, batch.body) == batch.chain:
            self._count(batch, record_digest)
            stored = StoredBatch(batch.sequence, batch.epoch.offset, batch.chain, batch.body)
            return Reading(offset, Verdict.BATCH, record_digest, stored)
        if record_digest in self._digests:
            self.duplicates += 1
            return Reading(offset, Verdict.DUPLICATE, record_digest)
        if batch.sequence != self.sequence + 1:
            what = f"holds batch {batch.sequence} where batch {self.sequence + 1} belongs"
            raise _corrupt(offset, what, "sequence")
        what = f"holds a batch {batch.sequence} that does not follow from those before it"
        raise _corrupt(offset, what, "chain")

    def _count(self, batch: BatchRecord, record_digest: bytes) -> None:
        self.sequence = batch.sequence
        self.chain = batch.chain
        self.released = batch.released
        self._digests.append(record_digest)

    def _advance(self, offset: int, record_digest: bytes) -> None:
        self.next_offset = offset + 1
        self._anchor = record_digest


def _corrupt(offset: int, what: str, differs: str) -> LogCorrupt:
    return LogCorrupt(
        f"the record at offset {offset} {what}: restore the log from its archive",
        {"offset": str(offset), "differs": differs},
    )
