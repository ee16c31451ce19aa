"""What the owner of a shard's Kafka partition does: the protocol's writer, without any I/O.

The shell around it sends what it is given, tells what the broker answered, and reads the offsets it is asked
to read:

    claim()  ->  acknowledged(offset)  ->  arrived(...) until `wanted` is None  ->  serving
    append(batch)  ->  acknowledged(offset)  ->  arrived(...) until `wanted` is None  ->  durable

An owner is crash-only: after any error it raises the same error for ever, and its process must end. The lease
under which it answers queries is measured on a clock that goes on while the machine is suspended
(`CLOCK_BOOTTIME`), in microseconds; `now_us` is read from it before a record is handed to the producer, and
after an acknowledgement has come in.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.kafka_reader import KafkaReader, Reading, Verdict
from crowdroute.router.adapters.kafka_records import (
    BatchRecord,
    Claim,
    Epoch,
    digest,
    encode_batch,
    encode_claim,
)
from crowdroute.router.errors import AppendFailed, Fenced, LogCorrupt, SnapshotUnusable, StorageError
from crowdroute.router.ports import StoredBatch

QUERY_LEASE_US = 1_000_000
"""How long after an append was sent queries may still be answered without another: a new owner waits a little
longer than this before it serves."""

WAIT_TENTHS = 11
"""A new owner waits this many tenths of the query lease: two clocks may run apart by a tenth."""


class _InFlight(NamedTuple):
    batch: BatchRecord
    digest: bytes
    sent_us: int


class KafkaOwner:
    """Holds one shard from its claim until it is fenced, fails or releases it."""

    def __init__(
        self,
        reader: KafkaReader,
        claim: Claim,
        *,
        query_lease_us: int = QUERY_LEASE_US,
    ) -> None:
        """Begin with a reader at a snapshot's position (of the newest one that can be used) or at zero."""
        self.reader = reader
        self._claim = claim
        self._query_lease_us = query_lease_us
        self._read_to: int | None = None
        """Acknowledged offset through which the log is to be read before anything else happens."""
        self._claimed_us: int | None = None
        self._epoch: Epoch | None = None
        self._serves_at_us = 0
        self._in_flight: _InFlight | None = None
        self._lease_end_us: int | None = None
        self._released = False
        self._read_back = False
        self._over: StorageError | None = None

    @property
    def wanted(self) -> tuple[int, int] | None:
        """First and last offset to read now, or None."""
        return None if self._read_to is None else (self.reader.wanted, self._read_to)

    @property
    def epoch(self) -> Epoch | None:
        """The epoch that this owner's claim began, once it has read it."""
        return self._epoch

    @property
    def serves_at_us(self) -> int | None:
        """When commands may be served: after every query lease of an owner before; None until it is known."""
        return None if self._epoch is None else self._serves_at_us

    @property
    def idle(self) -> bool:
        """Whether the next batch may be appended: the one before is durable."""
        return self._epoch is not None and self._in_flight is None and not self._released

    def claim(self) -> bytes:
        """Give the claim to send."""
        self._refuse_when_over()
        return encode_claim(self._claim)

    def append(self, batch: StoredBatch, now_us: int, *, released: bool = False) -> bytes:
        """Give the record of the next batch to send; `released` says that nothing will follow it.

        Raises:
            AppendFailed: it is not this owner's turn, or not the batch that follows. The owner is over.
        """
        self._refuse_when_over()
        if self._epoch is None or not self.idle or now_us < self._serves_at_us:
            self._end(AppendFailed(f"batch {batch.sequence} came before the owner could append it"))
        follows = batch.sequence == self.reader.sequence + 1 and batch.epoch == self._epoch.offset
        if not follows or chain(self.reader.chain, batch.body) != batch.chain:
            self._end(
                AppendFailed(f"batch {batch.sequence} does not follow batch {self.reader.sequence}"),
            )
        record_of = BatchRecord(self._epoch, batch.sequence, released, batch.chain, batch.body)
        record = encode_batch(record_of)
        self._in_flight = _InFlight(record_of, digest(record), now_us)
        if released:
            self._released = True
            if self._lease_end_us is not None:
                self._lease_end_us = min(self._lease_end_us, now_us)
        return record

    def acknowledged(self, offset: int, now_us: int) -> None:
        """Take the broker's answer to what was sent last: the offset at which it stands.

        Raises:
            AppendFailed: the offset cannot be that of the record, so what became of it is unknown.
            LogCorrupt: the claim stands before what was already read: the log was cut.
        """
        self._refuse_when_over()
        if self._epoch is None:
            self._claim_acknowledged(offset, now_us)
            return
        if self._in_flight is None or self._read_to is not None:
            self._end(AppendFailed(f"offset {offset} was acknowledged, but nothing was in flight"))
        if offset < self.reader.next_offset:
            self._end(
                AppendFailed(
                    f"batch {self._in_flight.batch.sequence} was acknowledged at offset {offset}, but the log"
                    f" was read up to {self.reader.next_offset}: its outcome is unknown; start again",
                    {"offset": str(offset)},
                )
            )
        if self._read_back or offset > self.reader.next_offset:
            if self._read_back:
                self.reader.verify_again()
            self._read_to = offset
            return
        self.reader.take_own(offset, self._in_flight.batch, self._in_flight.digest)
        self._settle()

    def arrived(self, offset: int, record: bytes) -> Reading:
        """Take a record that was asked for, in the order of the offsets.

        A `BATCH` that comes before this owner serves belongs to the history that it must fold first.

        Raises:
            Fenced: another process owns the shard.
            LogCorrupt: the record cannot stand there.
            AppendFailed: what was acknowledged at this offset is not there.
        """
        self._refuse_when_over()
        if self._read_to is None or offset > self._read_to:
            self._end(LogCorrupt(f"offset {offset} was not asked for", {"offset": str(offset)}))
        try:
            reading = self.reader.take(offset, record)
        except StorageError as error:
            self._end(error)
        if self._epoch is None:
            if offset == self._read_to:
                self._begin_epoch()
        else:
            self._look_at(reading)
        return reading

    def bounds(self, topic_id: bytes, log_start: int, log_end: int) -> None:
        """Take the partition's bounds, which the shell asks for before it reads.

        Raises:
            SnapshotUnusable: what a starting owner needs is deleted; another snapshot may do.
            Fenced: what a serving owner needs is deleted, so others went on without it.
            LogCorrupt: the partition ends before what was read or acknowledged, or its topic is another one.
        """
        self._refuse_when_over()
        try:
            self.reader.check_topic(topic_id)
            self.reader.check_bounds(log_start, log_end)
        except SnapshotUnusable as error:
            if self._epoch is None:
                self._end(error)
            self._end(Fenced(f"records after this owner's last are deleted: {error.message}", error.details))
        except LogCorrupt as error:
            self._end(error)
        if self._read_to is not None and log_end <= self._read_to:
            self._end(
                LogCorrupt(
                    f"offset {self._read_to} was acknowledged, but the log ends before {log_end}: the broker"
                    " lost what it had acknowledged; restore the log from its archive",
                    {"offset": str(log_end), "differs": "end"},
                )
            )

    def reconnected(self) -> None:
        """Take note that the partition may have another leader: look back before the next acknowledgement."""
        self._refuse_when_over()
        self._read_back = True
        if self._read_to is not None:
            self.reader.verify_again()

    def failed(self, reason: str) -> NoReturn:
        """Take note that the producer or the connection gave an error.

        Raises:
            AppendFailed: always; what was in flight may come into the log later, so this process must end.
        """
        self._end(AppendFailed(f"the outcome of what was sent last is unknown ({reason}): start again"))

    def may_answer(self, asked_us: int) -> bool:
        """Say whether a query that came in at `asked_us` may be answered from the durable state.

        It must have come in before the lease's end, not in the same microsecond: the clock does not tell
        whether a query came before or after a hand-over that was sent at the same moment. Otherwise an empty
        batch must be appended first, and become durable. The state that the answer is made from must not hold
        a batch that is still in flight.
        """
        self._refuse_when_over()
        return self._lease_end_us is not None and asked_us < self._lease_end_us

    def _claim_acknowledged(self, offset: int, now_us: int) -> None:
        if offset < 0 or self._claimed_us is not None:
            self._end(AppendFailed(f"the claim was acknowledged at offset {offset}: its outcome is unknown"))
        if offset < self.reader.next_offset:
            self._end(
                LogCorrupt(
                    f"the claim stands at offset {offset}, but a snapshot was made of the log up to"
                    f" {self.reader.next_offset}: the broker lost what it had acknowledged; restore the log"
                    " from its archive",
                    {"offset": str(offset), "differs": "end"},
                )
            )
        self._claimed_us = now_us
        self._read_to = offset

    def _begin_epoch(self) -> None:
        """Look at what the log says once the acknowledged claim is read."""
        epoch = self.reader.epoch
        self._read_to = None
        if epoch is None or epoch.nonce != self._claim.nonce or self._claimed_us is None:
            self._end(
                Fenced(
                    f"the claim of generation {self._claim.generation} does not own the shard"
                    f" {self._claim.shard}, generation {self.reader.generation} does: let the supervisor"
                    " place it again, with a higher generation",
                    {"generation": str(self.reader.generation)},
                )
            )
        self._epoch = epoch
        nobody_answers = self.reader.released or not self.reader.sequence
        wait_us = 0 if nobody_answers else self._query_lease_us * WAIT_TENTHS // 10
        self._serves_at_us = self._claimed_us + wait_us

    def _look_at(self, reading: Reading) -> None:
        """Look at a record between this owner's last one and the acknowledged one, or at that one."""
        if reading.verdict is Verdict.CLAIM:
            self._end(
                Fenced(
                    f"the claim at offset {reading.offset} took the shard {self._claim.shard} over",
                    {"offset": str(reading.offset), "generation": str(self.reader.generation)},
                )
            )
        own = self._in_flight is not None and reading.digest == self._in_flight.digest
        if reading.verdict is Verdict.BATCH and not own:
            self._end(
                LogCorrupt(
                    f"the batch at offset {reading.offset} names this owner's epoch, but another process"
                    " wrote it: restore the log from its archive",
                    {"offset": str(reading.offset), "differs": "writer"},
                )
            )
        if reading.offset == self._read_to:
            if not own:
                self._end(
                    AppendFailed(
                        f"offset {reading.offset} was acknowledged, but another record stands there: what"
                        " became of the batch is unknown; start again",
                        {"offset": str(reading.offset)},
                    )
                )
            self._settle()

    def _settle(self) -> None:
        """Count the batch in flight as durable."""
        assert self._in_flight is not None
        sent_us = self._in_flight.sent_us
        self._lease_end_us = sent_us if self._released else sent_us + self._query_lease_us
        self._in_flight = self._read_to = None
        self._read_back = False

    def _end(self, error: StorageError) -> NoReturn:
        self._over = error
        raise error

    def _refuse_when_over(self) -> None:
        if self._over is not None:
            raise type(self._over)(self._over.message, self._over.details) from self._over
