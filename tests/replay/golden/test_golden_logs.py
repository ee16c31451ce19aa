"""Histories that releases wrote must read the same for ever."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tests.replay.golden.facts import facts_of

from crowdroute.router.adapters.codec import CHAIN_START, chain, decode_batch
from crowdroute.router.events import EVENTS, Batch
from crowdroute.router.machine.shard import Shard

LOGS = sorted(Path(__file__).parent.glob("v*.log"))


def read(path: Path) -> tuple[str, list[Batch]]:
    """Give the facts and the batches of a golden log, its chain verified."""
    facts, *lines = path.read_text().splitlines()
    batches: list[Batch] = []
    previous = CHAIN_START
    for sequence, line in enumerate(lines, 1):
        link, _, body = line.partition(" ")
        raw = base64.b64decode(body)
        previous = chain(previous, raw)
        assert previous.hex() == link, f"{path.name}: batch {sequence} is not what was written"
        batches.append(decode_batch(raw, sequence))
    return facts.removeprefix("facts "), batches


def test_there_is_a_golden_log() -> None:
    assert LOGS


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_golden_log_leads_to_the_facts_it_was_released_with(path: Path) -> None:
    facts, batches = read(path)
    shard = Shard()
    for batch in batches:
        shard.apply(batch)
    shard.settle()
    shard.check()
    assert facts_of(shard) == facts


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_a_snapshot_taken_anywhere_in_a_golden_log_leads_to_the_same_state(path: Path) -> None:
    _, batches = read(path)
    whole = Shard()
    for batch in batches:
        whole.apply(batch)
    for cut in range(0, len(batches), max(len(batches) // 8, 1)):
        first, second = Shard(), Shard()
        for batch in batches[:cut]:
            first.apply(batch)
        second.unpack(first.pack())
        for batch in batches[cut:]:
            second.apply(batch)
        assert second.digest() == whole.digest()


def test_the_newest_golden_log_holds_every_kind_of_event() -> None:
    _, batches = read(LOGS[-1])
    happened = {type(event) for batch in batches for entry in batch.entries for event in entry.events}
    assert happened == set(EVENTS)
