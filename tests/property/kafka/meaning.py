"""What a log means, said as plainly as possible: the reader under test must come to the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.kafka_records import BatchRecord, Claim, decode


class Meaning(NamedTuple):
    """The valid batches of a log, as (offset, chain hash), the n-th being batch n."""

    batches: list[tuple[int, bytes]]
    corrupt_at: int | None
    """The offset of the first record that cannot stand where it stands; nothing after it means anything."""

    def holds(self, sequence: int, chain_hash: bytes) -> bool:
        """Say whether the history through a batch is part of this one."""
        if not sequence:
            return chain_hash == CHAIN_START
        return sequence <= len(self.batches) and self.batches[sequence - 1][1] == chain_hash


def meaning(records: Sequence[bytes]) -> Meaning:
    """Read a log from its beginning."""
    decoded = [decode(record, offset) for offset, record in enumerate(records)]
    counting = _counting_claims(decoded)
    batches: list[tuple[int, bytes]] = []
    for offset, record in enumerate(decoded):
        if isinstance(record, Claim):
            continue
        epochs = [epoch for epoch in counting if epoch[0] < offset]
        before = batches[-1][1] if batches else CHAIN_START
        if (
            epochs[-1:] == [record.epoch]
            and record.sequence == len(batches) + 1
            and record.chain == chain(before, record.body)
        ):
            batches.append((offset, record.chain))
        elif record.epoch not in epochs[:-1] and record not in [decoded[valid] for valid, _ in batches]:
            return Meaning(batches, offset)
    return Meaning(batches, None)


def _counting_claims(decoded: Sequence[Claim | BatchRecord]) -> list[tuple[int, bytes]]:
    """Give the claims that count: of no lower generation than any before, and no copies."""
    counting: list[tuple[int, bytes]] = []
    for offset, record in enumerate(decoded):
        if isinstance(record, Claim):
            before = [earlier for earlier in decoded[:offset] if isinstance(earlier, Claim)]
            if all(claim.generation <= record.generation and claim.nonce != record.nonce for claim in before):
                counting.append((offset, record.nonce))
    return counting
