"""How long the engine was away is told, and kept small while it would matter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.support.counting_core import CountingCore, pause
from tests.support.looped_shard import Shard, running, turns

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import ManualClock
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.commands import Request
from crowdroute.router.commands.project import NoteOutage
from crowdroute.router.runtime.commits import ALIVE_US
from crowdroute.router.runtime.recovery import recover
from crowdroute.router.runtime.shard_loop import OUTAGE_US, ShardLoop


def note_outage(length_us: int) -> Iterable[Request]:
    yield Request("project", NoteOutage(length_us))
    yield pause("refuse to hear of it")


async def test_an_outage_is_told_to_the_streams_before_anything_falls_due_by_it() -> None:
    async with running(outages=note_outage) as shard:
        await shard.loop.submit(pause(f"later {shard.clock.now_us() + 1}"))
        shard.clock.advance(OUTAGE_US + 1)
        await shard.loop.submit(pause("after"))
        commands = [
            entry.cause.command
            for stored in shard.disk.batches
            for entry in decode_batch(stored.body, stored.sequence).entries
        ]
        assert commands[1] == "NoteOutage"
        assert shard.core.outages == [OUTAGE_US + 1]


async def test_the_time_since_the_last_logged_entry_is_an_outage_too() -> None:
    async with running(outages=note_outage, last_us=ManualClock().now_us() - 3_600_000_000) as shard:
        await shard.loop.submit(pause("first"))
        assert shard.core.outages == [3_600_000_000]


async def test_a_tick_is_no_outage() -> None:
    async with running(outages=note_outage) as shard:
        for _ in range(3):
            shard.clock.advance(OUTAGE_US)
            await shard.loop.submit(pause("on"))
        assert shard.core.outages == []


def alive(shard: Shard) -> list[int]:
    """Give the moments of the signs of life in the log."""
    batches = [decode_batch(stored.body, stored.sequence) for stored in shard.disk.batches]
    return [batch.alive_us for batch in batches if not batch.entries]


async def quiet(shard: Shard, seconds: int) -> None:
    """Let time pass second by second, with nothing to do."""
    for _ in range(seconds):
        shard.clock.advance(1_000_000)
        shard.loop.wake()
        await turns()


async def test_while_an_outage_would_matter_a_quiet_loop_gives_signs_of_life() -> None:
    async with running(matters=lambda: True) as shard:
        await shard.loop.submit(pause("first"))
        start_us = shard.clock.now_us()
        await quiet(shard, 4)
        assert alive(shard) == []
        await quiet(shard, 9)
        assert alive(shard) == [start_us + ALIVE_US, start_us + 2 * ALIVE_US]
        await shard.loop.submit(pause("something else"))
        await quiet(shard, 4)
        assert len(alive(shard)) == 2


async def test_where_an_outage_would_change_nothing_a_quiet_loop_writes_nothing() -> None:
    async with running() as shard:
        await shard.loop.submit(pause("first"))
        await quiet(shard, 60)
        assert shard.loop.commits.sequence == 1


async def test_an_outage_is_measured_from_the_last_sign_of_life(tmp_path: Path) -> None:
    async with running(matters=lambda: True) as shard:
        await shard.loop.submit(pause("first"))
        await quiet(shard, 3600)
        died_us = shard.clock.now_us()

    found = recover(shard.log, SnapshotFiles(tmp_path), CountingCore)

    assert found.last_us is not None
    assert 0 <= died_us - found.last_us <= ALIVE_US
    later = ManualClock(died_us + 60_000_000)
    loop = ShardLoop(found.core, shard.log, later, last_us=found.last_us, outages=note_outage)
    loop.start()
    await loop.submit(pause("after"))
    (away_us,) = found.core.outages
    assert 60_000_000 <= away_us <= 60_000_000 + ALIVE_US
    await loop.drain()


async def test_a_restart_after_a_snapshot_of_signs_of_life_knows_them_too(tmp_path: Path) -> None:
    async with running(matters=lambda: True) as shard:
        await shard.loop.submit(pause("first"))
        await quiet(shard, 100)
        snapshots = SnapshotFiles(tmp_path)
        sequence, chain = shard.log.head()
        snapshots.write(sequence, chain, shard.core.pack())

    found = recover(shard.log, snapshots, CountingCore)

    assert found.snapshot == sequence
    assert found.last_us == alive(shard)[-1]
