"""What a reader makes of each record, and what it refuses."""

import itertools
from typing import Any

import pytest

from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.kafka_position import Position, decode_position, encode_position
from crowdroute.router.adapters.kafka_reader import DIGESTS_KEPT, KafkaReader, Verdict
from crowdroute.router.adapters.kafka_records import (
    BatchRecord,
    Claim,
    Epoch,
    decode,
    digest,
    encode_batch,
    encode_claim,
)
from crowdroute.router.errors import LogCorrupt, SnapshotUnusable
from crowdroute.router.ports import StoredBatch

TOPIC = b"t" * 16


class Scribe:
    """Writes a log record by record and has a reader read it."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.reader = KafkaReader("shard-0", Position(TOPIC))
        self._nonces = itertools.count(1)

    def takes(self, record: bytes) -> Verdict:
        self.records.append(record)
        return self.reader.take(len(self.records) - 1, record).verdict

    def claim(self, generation: int = 1, shard: str = "shard-0") -> bytes:
        return encode_claim(Claim(shard, generation, next(self._nonces).to_bytes(16, "big")))

    def epoch(self, offset: int) -> Epoch:
        claim = decode(self.records[offset], offset)
        assert isinstance(claim, Claim)
        return Epoch(offset, claim.nonce)

    def batch(self, epoch: Epoch, body: bytes, /, *, released: bool = False, **changes: Any) -> bytes:
        sequence, following = self.reader.sequence + 1, chain(self.reader.chain, body)
        return encode_batch(BatchRecord(epoch, sequence, released, following, body)._replace(**changes))

    def another_reader(self, end: int) -> KafkaReader:
        """Read the records before an offset from the beginning."""
        reader = KafkaReader("shard-0", Position(TOPIC))
        for offset, record in enumerate(self.records[:end]):
            reader.take(offset, record)
        return reader


@pytest.fixture
def scribe() -> Scribe:
    """A log with a claim and two batches."""
    scribe = Scribe()
    assert scribe.takes(scribe.claim()) is Verdict.CLAIM
    for body in (b"one", b"two"):
        assert scribe.takes(scribe.batch(scribe.epoch(0), body)) is Verdict.BATCH
    return scribe


def test_a_valid_batch_is_given_as_the_log_port_knows_it() -> None:
    scribe = Scribe()
    scribe.takes(scribe.claim())
    reading = scribe.reader.take(1, scribe.batch(scribe.epoch(0), b"one"))
    assert reading.batch == StoredBatch(1, 0, chain(CHAIN_START, b"one"), b"one")
    assert (scribe.reader.sequence, scribe.reader.chain) == (1, chain(CHAIN_START, b"one"))


def test_a_batch_of_an_earlier_epoch_is_skipped_and_counted(scribe: Scribe) -> None:
    late = scribe.batch(scribe.epoch(0), b"late")
    assert scribe.takes(scribe.claim()) is Verdict.CLAIM
    assert scribe.takes(late) is Verdict.STALE
    assert (scribe.reader.stale, scribe.reader.sequence) == (1, 2)
    assert scribe.takes(scribe.batch(scribe.epoch(3), b"three")) is Verdict.BATCH


def test_a_second_copy_of_a_batch_is_skipped_and_counted(scribe: Scribe) -> None:
    assert [scribe.takes(scribe.records[offset]) for offset in (2, 1)] == [Verdict.DUPLICATE] * 2
    assert (scribe.reader.duplicates, scribe.reader.sequence) == (2, 2)


def test_a_copy_is_known_among_the_last_64_batches_and_no_longer(scribe: Scribe) -> None:
    for number in range(DIGESTS_KEPT - 1):
        scribe.takes(scribe.batch(scribe.epoch(0), b"%d" % number))
    assert scribe.takes(scribe.records[2]) is Verdict.DUPLICATE
    with pytest.raises(LogCorrupt) as refused:
        scribe.takes(scribe.records[1])
    assert refused.value.details == {"offset": str(len(scribe.records) - 1), "differs": "sequence"}


def test_a_claim_of_a_lower_generation_is_void(scribe: Scribe) -> None:
    assert scribe.takes(scribe.claim(generation=5)) is Verdict.CLAIM
    assert scribe.takes(scribe.claim(generation=4)) is Verdict.VOID_CLAIM
    assert scribe.reader.epoch == scribe.epoch(3)
    assert scribe.takes(scribe.claim(generation=5)) is Verdict.CLAIM
    assert scribe.reader.epoch == scribe.epoch(5)


def test_a_batch_under_a_void_claim_is_corruption(scribe: Scribe) -> None:
    scribe.takes(scribe.claim(generation=0))
    with pytest.raises(LogCorrupt, match="names epoch 3, which no claim began"):
        scribe.takes(scribe.batch(scribe.epoch(3), b"three"))


def test_a_second_copy_of_a_claim_takes_nothing_over(scribe: Scribe) -> None:
    scribe.takes(scribe.claim())
    assert scribe.takes(scribe.records[0]) is Verdict.DUPLICATE
    assert scribe.reader.epoch == scribe.epoch(3)


def test_a_claim_of_another_shard_is_refused(scribe: Scribe) -> None:
    with pytest.raises(LogCorrupt, match="is of shard 'shard-1', this is the log of 'shard-0'"):
        scribe.takes(scribe.claim(shard="shard-1"))


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"sequence": 4}, "sequence"),
        ({"sequence": 1}, "sequence"),
        ({"chain": bytes(32)}, "chain"),
        ({"body": b"another"}, "chain"),
        ({"epoch": Epoch(1, (1).to_bytes(16, "big"))}, "epoch"),
        ({"epoch": Epoch(0, bytes(16))}, "epoch"),
    ],
)
def test_anything_else_is_corruption(scribe: Scribe, changes: dict[str, Any], differs: str) -> None:
    with pytest.raises(LogCorrupt) as refused:
        scribe.takes(scribe.batch(scribe.epoch(0), b"three", **changes))
    assert refused.value.details == {"offset": "3", "differs": differs}


def test_a_batch_before_any_claim_is_corruption() -> None:
    scribe = Scribe()
    with pytest.raises(LogCorrupt, match="no claim began"):
        scribe.takes(scribe.batch(Epoch(0, bytes(16)), b"one"))


def test_a_missing_offset_is_corruption(scribe: Scribe) -> None:
    with pytest.raises(LogCorrupt, match="offset 3 is missing") as refused:
        scribe.reader.take(4, scribe.batch(scribe.epoch(0), b"three"))
    assert refused.value.details == {"offset": "3", "differs": "offset"}


def test_the_last_batch_of_a_hand_over_is_known(scribe: Scribe) -> None:
    assert not scribe.reader.released
    scribe.takes(scribe.batch(scribe.epoch(0), b"three", released=True))
    assert scribe.reader.released
    scribe.takes(scribe.claim())
    assert scribe.reader.released
    scribe.takes(scribe.batch(scribe.epoch(4), b"four"))
    assert not scribe.reader.released


def test_reading_on_from_every_position_comes_to_the_same_end(scribe: Scribe) -> None:
    late = scribe.batch(scribe.epoch(0), b"late")
    for record in (scribe.claim(3), late, scribe.records[2], scribe.claim(2), scribe.records[0]):
        scribe.takes(record)
    scribe.takes(scribe.batch(scribe.epoch(3), b"three", released=True))
    end = scribe.reader.position()
    for cut in range(len(scribe.records) + 1):
        half = scribe.another_reader(cut)
        reader = KafkaReader("shard-0", decode_position(encode_position(half.position())))
        first = max(cut - 1, 0)
        verdicts = [reader.take(first + n, record).verdict for n, record in enumerate(scribe.records[first:])]
        assert verdicts[:1] == ([Verdict.ANCHOR] if cut else [Verdict.CLAIM])
        assert reader.position() == end


def test_a_position_is_refused_by_a_log_that_holds_another_record_before_it(scribe: Scribe) -> None:
    reader = KafkaReader("shard-0", scribe.reader.position())
    assert reader.wanted == 2
    with pytest.raises(LogCorrupt, match="the log was cut") as refused:
        reader.take(2, scribe.records[1])
    assert refused.value.details == {"offset": "2", "differs": "anchor"}


def test_the_record_before_a_position_is_not_left_out(scribe: Scribe) -> None:
    reader = KafkaReader("shard-0", scribe.reader.position())
    with pytest.raises(LogCorrupt, match="offset 2 is missing"):
        reader.take(3, scribe.batch(scribe.epoch(0), b"three"))


def test_what_was_read_can_be_verified_again(scribe: Scribe) -> None:
    scribe.reader.verify_again()
    assert scribe.reader.wanted == 2
    assert scribe.reader.take(2, scribe.records[2]).verdict is Verdict.ANCHOR
    assert scribe.reader.wanted == 3


def test_nothing_is_verified_before_the_first_record() -> None:
    reader = KafkaReader("shard-0", Position(TOPIC))
    reader.verify_again()
    assert reader.wanted == 0


@pytest.mark.parametrize(("log_start", "log_end"), [(0, 3), (2, 3), (2, 9)])
def test_bounds_that_hold_what_is_needed_are_accepted(scribe: Scribe, log_start: int, log_end: int) -> None:
    KafkaReader("shard-0", scribe.reader.position()).check_bounds(log_start, log_end)


def test_deleted_records_ask_for_a_newer_snapshot(scribe: Scribe) -> None:
    reader = KafkaReader("shard-0", scribe.reader.position())
    with pytest.raises(SnapshotUnusable, match="take a newer snapshot") as refused:
        reader.check_bounds(3, 3)
    assert refused.value.details == {"offset": "2", "log_start": "3", "differs": "deleted"}
    with pytest.raises(SnapshotUnusable):
        KafkaReader("shard-0", Position(TOPIC)).check_bounds(1, 3)


def test_a_log_that_ends_before_what_was_read_of_it_is_corrupt(scribe: Scribe) -> None:
    with pytest.raises(LogCorrupt, match="the broker lost what it had acknowledged") as refused:
        scribe.reader.check_bounds(0, 2)
    assert refused.value.details == {"offset": "2", "differs": "end"}


def test_a_topic_that_was_created_again_is_refused(scribe: Scribe) -> None:
    scribe.reader.check_topic(TOPIC)
    with pytest.raises(LogCorrupt, match="deleted and created again"):
        scribe.reader.check_topic(b"u" * 16)


def test_a_batch_of_ones_own_counts_as_if_it_were_read(scribe: Scribe) -> None:
    record = scribe.batch(scribe.epoch(0), b"three", released=True)
    own = scribe.another_reader(3)
    batch = decode(record, 3)
    assert isinstance(batch, BatchRecord)
    own.take_own(3, batch, digest(record))
    scribe.takes(record)
    assert own.position() == scribe.reader.position()
