"""What a check of a log on Kafka counts, and how it says where the log breaks."""

from __future__ import annotations

import pytest

from crowdroute.router.adapters.codec import CHAIN_START, assemble, chain
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.adapters.kafka_records import BatchRecord, Claim, Epoch, encode_batch, encode_claim
from crowdroute.router.adapters.kafka_verify import KafkaReport, LogCheck
from crowdroute.router.errors import LogCorrupt

FIRST, SECOND = bytes([1]) * 16, bytes([2]) * 16


def claim(nonce: bytes, generation: int = 1) -> bytes:
    return encode_claim(Claim("tests/0", generation, nonce))


def batches(epoch: Epoch, count: int) -> list[BatchRecord]:
    """Give empty batches from the first one on."""
    made: list[BatchRecord] = []
    previous = CHAIN_START
    for sequence in range(1, count + 1):
        body = assemble(sequence, [])
        previous = chain(previous, body)
        made.append(BatchRecord(epoch, sequence, False, previous, body))
    return made


def checked(
    records: list[bytes], snapshot: tuple[int, bytes] | None = None, end: int | None = None
) -> KafkaReport:
    check = LogCheck(KafkaReader("tests/0", Position(bytes(16))), snapshot)
    try:
        for offset, record in enumerate(records):
            check.take(Found(offset, None, record))
    except LogCorrupt as error:
        check.broken(error)
    return check.report(len(records) if end is None else end)


def history(count: int = 3) -> tuple[list[bytes], list[BatchRecord]]:
    made = batches(Epoch(0, FIRST), count)
    return [claim(FIRST), *map(encode_batch, made)], made


def test_batches_claims_and_void_records_are_counted() -> None:
    records, made = history(2)
    late = made[1]._replace(sequence=3)
    records += [records[2], claim(SECOND, 2), encode_batch(late), claim(bytes(16), 1)]
    report = checked(records)
    assert report.ok
    assert (report.records, report.batches, report.claims, report.void) == (7, 2, 2, 3)
    assert (report.intact_through, report.chain) == (2, made[1].chain)


def test_a_damaged_record_is_told_with_its_offset_and_nothing_after_it_is_believed() -> None:
    records, made = history()
    records[2] = records[2][:-1] + bytes([records[2][-1] ^ 1])
    report = checked(records)
    assert not report.ok
    assert report.damage[0].startswith("offset 2: ")
    assert (report.intact_through, report.chain) == (1, made[0].chain)


def test_a_batch_whose_events_nobody_can_read_is_damage_though_its_hashes_fit() -> None:
    records, made = history(1)
    body = b"no batch"
    forged = BatchRecord(Epoch(0, FIRST), 2, False, chain(made[0].chain, body), body)
    report = checked([*records, encode_batch(forged)])
    assert report.damage[0].startswith("offset 2: ")
    assert report.intact_through == 1


def test_records_that_do_not_come_are_missing() -> None:
    records, _ = history()
    assert checked(records, end=6).damage == ("offsets 4..5 are missing",)


@pytest.mark.parametrize(
    ("sequence", "own", "damage"),
    [
        (2, True, ()),
        (2, False, ("offset 2: batch 2 is not the one that a snapshot was folded from",)),
        (5, False, ("batches 4..5 are lost: a snapshot holds them",)),
    ],
)
def test_a_snapshot_proves_how_far_the_log_went(sequence: int, own: bool, damage: tuple[str, ...]) -> None:
    records, made = history()
    snapshot = (sequence, made[sequence - 1].chain if own else bytes(32))
    assert checked(records, snapshot).damage == damage
