"""What an owner sends, asks for, acknowledges and answers, and when it stops for ever."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.support.fake_broker import FakeBroker

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.kafka_owner import QUERY_LEASE_US, KafkaOwner
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_reader import KafkaReader, Verdict
from crowdroute.router.adapters.kafka_records import BatchRecord, Claim, Epoch, encode_batch, encode_claim
from crowdroute.router.errors import AppendFailed, Fenced, LogCorrupt, SnapshotUnusable, StorageError
from crowdroute.router.ports import StoredBatch

NOW = 50_000_000
WAIT_US = 1_100_000
_nonces = itertools.count(1)


def claim_of(generation: int = 1) -> Claim:
    return Claim("shard-0", generation, next(_nonces).to_bytes(16, "big"))


class Shard:
    """A partition, and one owner that is told what the broker says."""

    def __init__(
        self, broker: FakeBroker, generation: int = 1, position: Position | None = None, now_us: int = NOW
    ) -> None:
        self.broker = broker
        self.reader = KafkaReader("shard-0", position or Position(broker.topic_id))
        self.owner = KafkaOwner(self.reader, claim_of(generation))
        self.claim = self.owner.claim()
        self.verdicts: list[Verdict] = []
        broker.history.append(self.claim)
        self.owner.acknowledged(broker.log_end - 1, now_us)
        self.read()

    def read(self) -> None:
        """Read all that the owner wants."""
        while self.owner.wanted is not None:
            self.owner.bounds(self.broker.topic_id, self.broker.log_start, self.broker.log_end)
            first, last = self.owner.wanted
            for offset in range(first, last + 1):
                self.verdicts.append(self.owner.arrived(offset, self.broker.history[offset]).verdict)

    @property
    def epoch(self) -> Epoch:
        assert self.owner.epoch is not None
        return self.owner.epoch

    def batch(self, body: bytes) -> StoredBatch:
        sequence = self.reader.sequence + 1
        return StoredBatch(sequence, self.epoch.offset, chain(self.reader.chain, body), body)

    def send(self, body: bytes, sent_us: int = NOW, *, released: bool = False) -> int:
        """Send a batch and give its offset in the log."""
        self.broker.history.append(self.owner.append(self.batch(body), sent_us, released=released))
        return self.broker.log_end - 1

    def append(self, body: bytes, sent_us: int = NOW, *, released: bool = False) -> None:
        """Send a batch and have it made durable."""
        self.owner.acknowledged(self.send(body, sent_us, released=released), sent_us)
        self.read()


@pytest.fixture
def shard() -> Shard:
    """An owner of a new log, with one durable batch."""
    shard = Shard(FakeBroker())
    shard.append(b"one")
    return shard


def stays_over(owner: KafkaOwner, error: type[StorageError]) -> None:
    """Check that an owner does nothing more."""
    for act in (
        owner.claim,
        owner.reconnected,
        lambda: owner.may_answer(0),
        lambda: owner.acknowledged(99, NOW),
        lambda: owner.arrived(99, b""),
        lambda: owner.bounds(bytes(16), 0, 99),
        lambda: owner.append(StoredBatch(1, 0, b"", b""), NOW),
    ):
        with pytest.raises(error):
            act()


def test_a_new_log_is_served_at_once() -> None:
    shard = Shard(FakeBroker())
    assert shard.owner.epoch == Epoch(0, shard.reader.epoch.nonce if shard.reader.epoch else b"")
    assert shard.owner.serves_at_us == NOW
    assert shard.verdicts == [Verdict.CLAIM]
    assert shard.owner.idle


def test_nothing_is_served_before_the_claim_is_read() -> None:
    owner = KafkaOwner(KafkaReader("shard-0", Position(bytes(16))), claim_of())
    assert (owner.epoch, owner.serves_at_us, owner.wanted, owner.idle) == (None, None, None, False)
    owner.acknowledged(0, NOW)
    assert owner.wanted == (0, 0)
    assert (owner.epoch, owner.serves_at_us, owner.idle) == (None, None, False)


def test_a_batch_that_follows_directly_is_durable_when_it_is_acknowledged(shard: Shard) -> None:
    offset = shard.send(b"two")
    assert not shard.owner.idle
    shard.owner.acknowledged(offset, NOW)
    assert shard.owner.wanted is None
    assert shard.owner.idle
    assert (shard.reader.sequence, shard.reader.next_offset) == (2, 3)


def test_a_successor_folds_the_history_and_waits_for_the_leases_before_it(shard: Shard) -> None:
    shard.append(b"two")
    successor = Shard(shard.broker)
    assert successor.verdicts == [Verdict.CLAIM, Verdict.BATCH, Verdict.BATCH, Verdict.CLAIM]
    assert successor.owner.serves_at_us == NOW + WAIT_US
    with pytest.raises(AppendFailed, match="before the owner could append it"):
        successor.send(b"three", NOW + WAIT_US - 1)


def test_a_successor_of_an_orderly_hand_over_need_not_wait(shard: Shard) -> None:
    shard.append(b"two", released=True)
    successor = Shard(shard.broker)
    assert successor.owner.serves_at_us == NOW
    successor.append(b"three")
    assert Shard(shard.broker).owner.serves_at_us == NOW + WAIT_US


def test_an_owner_that_is_replaced_is_fenced_by_the_claim_before_its_batch(shard: Shard) -> None:
    Shard(shard.broker)
    shard.owner.acknowledged(shard.send(b"two"), NOW)
    assert shard.owner.wanted == (2, 3)
    assert not shard.owner.idle
    with pytest.raises(Fenced, match="the claim at offset 2 took the shard shard-0 over"):
        shard.read()
    stays_over(shard.owner, Fenced)


def test_stale_batches_copies_and_void_claims_before_a_batch_do_no_harm(shard: Shard) -> None:
    late = encode_batch(BatchRecord(shard.epoch, 2, False, chain(shard.reader.chain, b"late"), b"late"))
    successor = Shard(shard.broker, generation=5)
    successor.append(b"two", NOW + WAIT_US)
    copy = shard.broker.history[-1]
    shard.broker.history += [late, copy, encode_claim(claim_of(generation=4)), shard.claim, successor.claim]
    successor.verdicts.clear()
    successor.append(b"three", NOW + WAIT_US)
    stale, duplicate, void, batch = Verdict.STALE, Verdict.DUPLICATE, Verdict.VOID_CLAIM, Verdict.BATCH
    assert successor.verdicts == [stale, duplicate, void, duplicate, duplicate, batch]
    assert successor.owner.idle
    assert successor.reader.sequence == 3


def test_the_acknowledgement_of_a_second_copy_is_as_good_as_of_the_first(shard: Shard) -> None:
    first = shard.send(b"two")
    shard.broker.history.append(shard.broker.history[first])
    shard.owner.acknowledged(first + 1, NOW)
    shard.read()
    assert shard.verdicts[-2:] == [Verdict.BATCH, Verdict.DUPLICATE]
    assert shard.owner.idle
    shard.append(b"three")
    assert shard.reader.sequence == 3


def test_a_claim_between_two_copies_of_a_batch_fences(shard: Shard) -> None:
    first = shard.send(b"two")
    shard.broker.history += [encode_claim(claim_of()), shard.broker.history[first]]
    shard.owner.acknowledged(first + 2, NOW)
    with pytest.raises(Fenced):
        shard.read()


def test_a_claim_that_came_in_twice_begins_one_epoch() -> None:
    broker = FakeBroker()
    owner = KafkaOwner(KafkaReader("shard-0", Position(broker.topic_id)), claim_of())
    broker.history += [owner.claim()] * 2
    owner.acknowledged(1, NOW)
    assert [owner.arrived(n, broker.history[n]).verdict for n in (0, 1)] == [
        Verdict.CLAIM,
        Verdict.DUPLICATE,
    ]
    assert owner.epoch is not None
    assert owner.epoch.offset == 0
    assert owner.idle


def test_a_void_claim_says_which_generation_owns_the_shard() -> None:
    broker = FakeBroker()
    Shard(broker, generation=5)
    with pytest.raises(Fenced, match="generation 4 does not own the shard shard-0, generation 5") as refused:
        Shard(broker, generation=4)
    assert refused.value.details == {"generation": "5"}


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_an_offset_that_cannot_be_leaves_the_outcome_unknown(shard: Shard, offset: int) -> None:
    shard.send(b"two")
    with pytest.raises(AppendFailed, match="outcome is unknown"):
        shard.owner.acknowledged(offset, NOW)
    stays_over(shard.owner, AppendFailed)


def test_a_claim_without_an_offset_leaves_the_outcome_unknown() -> None:
    owner = KafkaOwner(KafkaReader("shard-0", Position(bytes(16))), claim_of())
    with pytest.raises(AppendFailed):
        owner.acknowledged(-1, NOW)


def test_a_claim_is_acknowledged_once() -> None:
    owner = KafkaOwner(KafkaReader("shard-0", Position(bytes(16))), claim_of())
    owner.acknowledged(0, NOW)
    with pytest.raises(AppendFailed):
        owner.acknowledged(1, NOW)


def test_an_acknowledgement_of_nothing_ends_the_owner(shard: Shard) -> None:
    with pytest.raises(AppendFailed, match="nothing was in flight"):
        shard.owner.acknowledged(2, NOW)


def test_a_claim_before_what_a_snapshot_knows_proves_a_loss(shard: Shard) -> None:
    shard.append(b"two")
    position = shard.reader.position()
    shard.broker.cut(1)
    with pytest.raises(LogCorrupt, match="the broker lost what it had acknowledged"):
        Shard(shard.broker, position=position)


def test_a_snapshot_spares_reading_what_is_before_it(shard: Shard) -> None:
    successor = Shard(shard.broker, position=shard.reader.position())
    assert successor.verdicts == [Verdict.ANCHOR, Verdict.CLAIM]
    assert successor.reader.sequence == 1


def test_an_error_of_the_producer_ends_the_owner(shard: Shard) -> None:
    shard.send(b"two")
    with pytest.raises(AppendFailed, match="unknown \\(timed out\\)"):
        shard.owner.failed("timed out")
    stays_over(shard.owner, AppendFailed)


def test_deleted_offsets_before_a_batch_fence(shard: Shard) -> None:
    successor = Shard(shard.broker)
    successor.append(b"two", NOW + WAIT_US)
    shard.owner.acknowledged(shard.send(b"late"), NOW)
    shard.broker.delete_before(3)
    with pytest.raises(Fenced, match="are deleted"):
        shard.read()


def test_deleted_offsets_at_the_start_ask_for_a_newer_snapshot(shard: Shard) -> None:
    shard.append(b"two")
    shard.broker.delete_before(2)
    with pytest.raises(SnapshotUnusable):
        Shard(shard.broker)


def test_a_topic_created_again_ends_the_owner(shard: Shard) -> None:
    shard.owner.acknowledged(shard.send(b"two") + 1, NOW)
    shard.broker.topic_id = b"x" * 16
    with pytest.raises(LogCorrupt, match="created again"):
        shard.read()


def test_after_a_reconnect_the_batch_before_is_read_back(shard: Shard) -> None:
    shard.owner.reconnected()
    shard.owner.acknowledged(shard.send(b"two"), NOW)
    assert shard.owner.wanted == (1, 2)
    shard.read()
    assert shard.verdicts[-2:] == [Verdict.ANCHOR, Verdict.BATCH]
    shard.owner.acknowledged(shard.send(b"three"), NOW)
    assert shard.owner.wanted is None


def test_a_log_that_was_cut_and_grew_again_is_found_out_after_the_reconnect(shard: Shard) -> None:
    shard.append(b"two")
    shard.broker.cut(2)
    Shard(shard.broker)
    shard.owner.reconnected()
    shard.owner.acknowledged(shard.send(b"three"), NOW)
    with pytest.raises(LogCorrupt, match="the log was cut"):
        shard.read()


def test_a_batch_that_is_cut_off_after_its_acknowledgement_was_never_durable(shard: Shard) -> None:
    shard.owner.reconnected()
    shard.owner.acknowledged(shard.send(b"two"), NOW)
    shard.broker.cut(2)
    with pytest.raises(LogCorrupt, match="offset 2 was acknowledged, but the log ends before 2"):
        shard.read()


def test_another_record_at_the_acknowledged_offset_is_an_unknown_outcome(shard: Shard) -> None:
    shard.owner.reconnected()
    offset = shard.send(b"two")
    shard.broker.history[offset] = shard.broker.history[1]
    shard.owner.acknowledged(offset, NOW)
    with pytest.raises(AppendFailed, match="another record stands there"):
        shard.read()


def test_a_reconnect_while_reading_begins_the_verification_again(shard: Shard) -> None:
    shard.broker.history.append(shard.broker.history[1])
    shard.owner.acknowledged(shard.send(b"two"), NOW)
    shard.owner.arrived(2, shard.broker.history[2])
    shard.owner.reconnected()
    assert shard.owner.wanted == (2, 3)
    shard.read()
    assert shard.owner.idle


def test_a_batch_of_this_epoch_by_somebody_else_is_corruption(shard: Shard) -> None:
    shard.broker.history.append(
        encode_batch(BatchRecord(shard.epoch, 2, False, chain(shard.reader.chain, b"x"), b"x"))
    )
    shard.owner.acknowledged(shard.send(b"two"), NOW)
    with pytest.raises(LogCorrupt, match="another process wrote it"):
        shard.read()


def test_a_record_that_was_not_asked_for_is_not_taken(shard: Shard) -> None:
    with pytest.raises(LogCorrupt, match="was not asked for"):
        shard.owner.arrived(2, shard.broker.history[1])


def test_one_batch_is_in_flight_at_a_time(shard: Shard) -> None:
    shard.send(b"two")
    with pytest.raises(AppendFailed):
        shard.send(b"three")


@pytest.mark.parametrize(
    "wrong", [{"sequence": 3}, {"sequence": 1}, {"epoch": 7}, {"chain": bytes(32)}, {"body": b"x"}]
)
def test_a_batch_that_does_not_follow_ends_the_owner(shard: Shard, wrong: dict[str, Any]) -> None:
    with pytest.raises(AppendFailed, match="does not follow batch 1"):
        shard.owner.append(shard.batch(b"two")._replace(**wrong), NOW)
    stays_over(shard.owner, AppendFailed)


def test_queries_are_answered_for_a_second_from_when_the_last_append_was_sent(shard: Shard) -> None:
    assert shard.owner.may_answer(NOW + QUERY_LEASE_US - 1)
    assert not shard.owner.may_answer(NOW + QUERY_LEASE_US)
    offset = shard.send(b"two", NOW + 5_000_000)
    assert not shard.owner.may_answer(NOW + QUERY_LEASE_US)
    shard.owner.acknowledged(offset, NOW + 9_000_000)
    assert shard.owner.may_answer(NOW + 5_999_999)
    assert not shard.owner.may_answer(NOW + 6_000_000)


def test_a_claim_alone_answers_nothing() -> None:
    assert not Shard(FakeBroker()).owner.may_answer(NOW)


def test_who_releases_answers_nothing_that_is_asked_from_then_on(shard: Shard) -> None:
    offset = shard.send(b"two", NOW + 10, released=True)
    assert shard.owner.may_answer(NOW + 9)
    assert not shard.owner.may_answer(NOW + 10)
    shard.owner.acknowledged(offset, NOW + 20)
    assert shard.owner.may_answer(NOW + 9)
    assert not shard.owner.may_answer(NOW + 10)
    assert not shard.owner.idle
    with pytest.raises(AppendFailed):
        shard.send(b"three", NOW + 30)
