"""A shard's records in memory, as a topic's partition gives them."""

from __future__ import annotations

from collections.abc import Iterator

from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.kafka_records import BatchRecord, Claim, Epoch, encode_batch, encode_claim

SHARD = "cluster/0"
NONCE = bytes(range(16))


def log_of(batches: int) -> list[bytes]:
    """Give a claim, and after it batches that follow from each other."""
    records, before = [encode_claim(Claim(SHARD, 1, NONCE))], CHAIN_START
    for sequence in range(1, batches + 1):
        body = b"batch %d" % sequence
        before = chain(before, body)
        records.append(encode_batch(BatchRecord(Epoch(0, NONCE), sequence, False, before, body)))
    return records


class Topic:
    """A partition whose beginning can be deleted, and a connection to it."""

    def __init__(self, records: list[bytes]) -> None:
        self.all = records
        self.start = 0

    def bounds(self) -> tuple[int, int]:
        return self.start, len(self.all)

    def values(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        assert first >= self.start
        yield from enumerate(self.all[first : last + 1], first)

    def close(self) -> None:
        """Nothing is held."""

    def records(self, first: int, last: int) -> Iterator[Found]:
        return (Found(offset, None, value) for offset, value in self.values(first, last))
