"""Defects planted in the protocol one at a time: each breaks a rule that the model must see broken.

Every function takes pytest's monkeypatch. A name that the protocol no longer has fails its test.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from crowdroute.router.adapters import kafka_owner, kafka_reader
from crowdroute.router.adapters.kafka_owner import KafkaOwner
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_reader import KafkaReader, Reading, Verdict
from crowdroute.router.adapters.kafka_records import BatchRecord, Claim
from crowdroute.router.ports import StoredBatch


def ignores_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of any epoch is valid when it fits: the log is fenced by nothing."""
    original = KafkaReader._batch

    def batch(self: KafkaReader, offset: int, record: BatchRecord, known: bytes) -> Reading:
        return original(self, offset, record._replace(epoch=self.epoch or record.epoch), known)

    monkeypatch.setattr(KafkaReader, "_batch", batch)


def accepts_stale_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of an earlier owner is valid when it fits, and skipped only when it does not."""
    original = KafkaReader._batch

    def batch(self: KafkaReader, offset: int, record: BatchRecord, known: bytes) -> Reading:
        if record.epoch != self.epoch and record.sequence == self.sequence + 1:
            self._count(record, known)
            stored = StoredBatch(record.sequence, record.epoch.offset, record.chain, record.body)
            return Reading(offset, Verdict.BATCH, known, stored)
        return original(self, offset, record, known)

    monkeypatch.setattr(KafkaReader, "_batch", batch)


def overlooks_claims_in_the_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner reads what stands before its batch, but not for claims."""
    original = KafkaOwner._look_at

    def look_at(self: KafkaOwner, reading: Reading) -> None:
        if reading.verdict is not Verdict.CLAIM:
            original(self, reading)

    monkeypatch.setattr(KafkaOwner, "_look_at", look_at)


def acknowledges_before_it_has_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the broker acknowledged counts, whatever stands between it and the batch before."""
    original = KafkaOwner.acknowledged

    def acknowledged(self: KafkaOwner, offset: int, now_us: int) -> None:
        if self.epoch is not None and offset > self.reader.next_offset:
            self.reader.next_offset = offset
        original(self, offset, now_us)

    monkeypatch.setattr(KafkaOwner, "acknowledged", acknowledged)


def steps_over_missing_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offsets that are no longer there are skipped, as a consumer does that resets to the beginning."""
    original = KafkaReader.take

    def take(self: KafkaReader, offset: int, record: bytes) -> Reading:
        if offset > self.wanted:
            self.next_offset, self._anchored = offset, True
        return original(self, offset, record)

    monkeypatch.setattr(KafkaReader, "take", take)
    monkeypatch.setattr(KafkaReader, "check_bounds", lambda *_: None)


def answers_without_a_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever served once goes on answering queries."""
    monkeypatch.setattr(KafkaOwner, "may_answer", lambda self, _asked_us: self._lease_end_us is not None)


def counts_the_lease_from_the_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease begins when the owner hears of its append, which may be long after a successor claimed."""
    original = KafkaOwner.acknowledged

    def acknowledged(self: KafkaOwner, offset: int, now_us: int) -> None:
        if self._in_flight is not None:
            self._in_flight = self._in_flight._replace(sent_us=now_us)
        original(self, offset, now_us)

    monkeypatch.setattr(KafkaOwner, "acknowledged", acknowledged)


def serves_as_soon_as_it_has_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new owner does not wait for the query leases of those before it."""
    monkeypatch.setattr(kafka_owner, "WAIT_TENTHS", 0)


def answers_after_it_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner that handed over, so that its successor need not wait, keeps its lease."""
    original = KafkaOwner._settle

    def settle(self: KafkaOwner) -> None:
        self._released = False
        original(self)

    monkeypatch.setattr(KafkaOwner, "_settle", settle)


def answers_in_the_microsecond_of_a_hand_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query that came in at the very moment of the lease's end is answered."""

    def may_answer(self: KafkaOwner, asked_us: int) -> bool:
        return self._lease_end_us is not None and asked_us <= self._lease_end_us

    monkeypatch.setattr(KafkaOwner, "may_answer", may_answer)


def forgets_what_it_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No digests are kept, so that a producer's second copy looks like corruption."""
    monkeypatch.setattr(kafka_reader, "DIGESTS_KEPT", 0)


def obeys_void_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim of an old placement takes the shard over."""
    original = KafkaReader._claim

    def claim(self: KafkaReader, offset: int, record: Claim) -> Verdict:
        self.generation = 0
        return original(self, offset, record)

    monkeypatch.setattr(KafkaReader, "_claim", claim)


def obeys_copies_of_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that comes in a second time takes the shard back."""
    original = KafkaReader._claim

    def claim(self: KafkaReader, offset: int, record: Claim) -> Verdict:
        self._nonces.clear()
        return original(self, offset, record)

    monkeypatch.setattr(KafkaReader, "_claim", claim)


def goes_on_after_an_unknown_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """An append that may still come in is taken for one that did not happen."""

    def failed(self: KafkaOwner, _reason: str) -> None:
        self._in_flight = None

    monkeypatch.setattr(KafkaOwner, "failed", failed)


def forgets_earlier_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot's header holds the last claim alone."""
    _saves(monkeypatch, lambda position: {"claims": position.claims[-1:]})


def forgets_the_generation(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot's header does not hold the highest generation."""
    _saves(monkeypatch, lambda _: {"generation": 0})


def forgets_the_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot's header does not hold the digests of the last batches."""
    _saves(monkeypatch, lambda _: {"digests": ()})


def _saves(monkeypatch: pytest.MonkeyPatch, changes: Callable[[Position], dict[str, Any]]) -> None:
    original = KafkaReader.position

    def position(self: KafkaReader) -> Position:
        whole = original(self)
        return msgspec.structs.replace(whole, **changes(whole))

    monkeypatch.setattr(KafkaReader, "position", position)


def gives_a_lease_with_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new owner answers before it has appended anything, so that the next one cannot know of it."""
    original = KafkaOwner._begin_epoch

    def begin_epoch(self: KafkaOwner) -> None:
        original(self)
        self._lease_end_us = self._serves_at_us + self._query_lease_us

    monkeypatch.setattr(KafkaOwner, "_begin_epoch", begin_epoch)


def never_looks_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner does not care that the partition's leader changed."""
    monkeypatch.setattr(KafkaOwner, "reconnected", lambda self: None)


def trusts_every_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader does not compare the record before a snapshot's position with the one it knows."""
    original = KafkaReader.__init__

    def initialise(self: KafkaReader, shard: str, position: Position) -> None:
        original(self, shard, position)
        self._anchored = True

    monkeypatch.setattr(KafkaReader, "__init__", initialise)


def ignores_where_the_log_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader whose position is beyond the end of the log takes it for read."""
    original = KafkaReader.check_bounds

    def check_bounds(self: KafkaReader, log_start: int, log_end: int) -> None:
        original(self, log_start, max(log_end, self.next_offset))

    monkeypatch.setattr(KafkaReader, "check_bounds", check_bounds)


def keeps_too_few_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last batch is known again."""
    original = KafkaReader.__init__

    def initialise(self: KafkaReader, shard: str, position: Position) -> None:
        original(self, shard, position)
        self._digests = deque(position.digests, 1)

    monkeypatch.setattr(KafkaReader, "__init__", initialise)
