"""What was decided becomes durable whole and in order, and everyone hears of what was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.support.counting_core import pause
from tests.support.looped_shard import Shard, running, started, turns
from tests.support.seeded_bugs import RepliesEarly

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import MemoryLog
from crowdroute.router.commands import Request
from crowdroute.router.commands.project import EraseItem
from crowdroute.router.errors import AppendFailed, Fenced
from crowdroute.router.events import Entry
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime.forming import BATCH_BYTES, BATCH_CONTENT_BYTES
from crowdroute.router.runtime.shard_loop import ShardLoop


async def test_commands_that_arrive_during_an_append_form_the_next_batch() -> None:
    async with running() as shard:
        shard.log.hold()
        first = started(shard.loop.submit(pause("first")))
        await turns()
        others = [started(shard.loop.submit(pause(f"other {n}"))) for n in range(50)]
        await turns()
        shard.log.release()
        await asyncio.gather(first, *others)
        batches = [decode_batch(stored.body, stored.sequence) for stored in shard.disk.batches]
        assert [len(batch.entries) for batch in batches] == [1, 50]
        assert shard.loop.commits.sequence == 2


async def test_a_query_waits_for_the_batch_that_is_forming_and_for_the_one_in_flight() -> None:
    async with running() as shard:
        await shard.loop.commits.observe()
        shard.log.hold()
        started(shard.loop.submit(pause("in flight")))
        await turns()
        during_flight = started(shard.loop.commits.observe())
        started(shard.loop.submit(pause("forming")))
        during_forming = started(shard.loop.commits.observe())
        await turns()
        assert not during_flight.done()
        shard.log.release()
        shard.log.hold()
        await turns()
        assert during_flight.done()
        assert not during_forming.done()
        shard.log.release()
        await during_forming
        assert shard.on_disk() == ["in flight", "forming"]


async def test_batches_close_at_their_size_and_never_split_a_command() -> None:
    async with running() as shard:
        shard.log.hold()
        third = BATCH_BYTES // 3
        sizes = [10, third, third, third, 2 * BATCH_BYTES, 10, 10]
        waiting = [started(shard.loop.submit(pause(f"fat {size}"))) for size in sizes]
        await turns()
        shard.log.release()
        await asyncio.gather(*waiting)
        batches = [decode_batch(stored.body, stored.sequence) for stored in shard.disk.batches]
        counts = [[len(entry.events[0].reason) for entry in batch.entries] for batch in batches]
        assert counts == [[10, third, third], [third], [2 * BATCH_BYTES], [10, 10]]


async def test_batches_close_at_the_size_of_their_contents() -> None:
    async with running() as shard:
        shard.log.hold()
        half = bytes(BATCH_CONTENT_BYTES // 2)
        waiting = [
            started(shard.loop.submit(pause(str(n)), [ContentChange(f"item/{n}", half)])) for n in range(5)
        ]
        await turns()
        shard.log.release()
        await asyncio.gather(*waiting)
        assert len(shard.disk.batches) == 3
        assert len(shard.disk.contents) == 5


async def test_contents_and_erasures_are_durable_with_their_commands() -> None:
    async with running() as shard:
        item = b"i" * 16
        key = f"item/{item.hex()}"
        await shard.loop.submit(pause("write"), [ContentChange(key, b"text")])
        assert shard.disk.contents == {key: b"text"}
        shard.log.hold()
        erased = started(shard.loop.submit(Request("project", EraseItem(item, "asked"))))
        await turns()
        assert shard.disk.contents == {key: b"text"}
        shard.log.release()
        await erased
        assert shard.disk.contents == {}


@pytest.mark.parametrize("survives", [False, True])
async def test_when_an_append_fails_everyone_who_waited_is_told(survives: bool) -> None:
    shard = Shard()
    await shard.loop.submit(pause("before"))
    shard.log.hold()
    in_flight = started(shard.loop.submit(pause("in flight")))
    await turns()
    waiting = [in_flight, started(shard.loop.submit(pause("forming"))), started(shard.loop.commits.observe())]
    waiting.append(started(shard.loop.submit(pause("refuse"))))
    await turns()
    shard.log.crash(in_flight_survives=survives)
    assert isinstance(await shard.loop.commits.failed, AppendFailed)
    await turns()
    for waiter in waiting:
        assert waiter.done()
        with pytest.raises(AppendFailed, match="call again with the same idempotency key"):
            await waiter
    for late in (shard.loop.submit(pause("late")), shard.loop.commits.observe(), shard.loop.drain()):
        with pytest.raises(AppendFailed):
            await late
    assert shard.on_disk() == ["before", "in flight"][: 1 + survives]


async def test_a_fenced_loop_says_so_to_the_process() -> None:
    shard = Shard()
    shard.disk.forget_owner()
    MemoryLog(shard.disk)
    with pytest.raises(AppendFailed) as caught:
        await shard.loop.submit(pause("zombie"))
    assert caught.value.details["cause"] == "FENCED"
    assert isinstance(await shard.loop.commits.failed, Fenced)
    assert shard.on_disk() == []


async def test_followers_hear_of_every_entry_once_in_order_and_only_when_durable() -> None:
    async with running() as shard:
        heard: list[str] = []
        fed: list[int] = []

        def hear(entries: Sequence[Entry]) -> None:
            heard.extend(entry.events[0].reason for entry in entries)
            assert heard == shard.on_disk()

        stop = shard.loop.commits.subscribe(hear)
        shard.loop.commits.feed(lambda stored: fed.append(stored.sequence))
        shard.log.hold()
        waiting = [started(shard.loop.submit(pause(str(n)))) for n in range(3)]
        await turns()
        assert heard == []
        shard.log.release()
        await asyncio.gather(*waiting)
        await shard.loop.submit(pause("3"))
        stop()
        await shard.loop.submit(pause("unheard"))
        assert heard == ["0", "1", "2", "3"]
        assert fed == [1, 2, 3]


async def test_a_defect_of_a_follower_stops_the_loop_after_the_replies() -> None:
    shard = Shard()

    def broken(_entries: Sequence[Entry]) -> None:
        raise ZeroDivisionError("a follower's defect")

    shard.loop.commits.subscribe(broken)
    assert (await shard.loop.submit(pause("one"))).version == 1
    assert "a follower's defect" in (await shard.loop.commits.failed).message
    assert shard.on_disk() == ["one"]


async def lost_after_crash(loop_class: type[ShardLoop]) -> set[str]:
    """Crash in the middle of an append; give what was acknowledged and is not on disk."""
    shard = Shard(loop_class)
    acknowledged: set[str] = set()

    async def client(name: str) -> None:
        for n in range(3):
            await shard.loop.submit(pause(f"{name} {n}"))
            acknowledged.add(f"{name} {n}")

    clients = [started(client(name)) for name in "abc"]
    await turns(3)
    shard.log.hold()
    await turns()
    shard.log.crash()
    await asyncio.gather(*clients, return_exceptions=True)
    assert acknowledged
    return acknowledged - set(shard.on_disk())


async def test_a_crash_loses_nothing_that_was_acknowledged() -> None:
    assert await lost_after_crash(ShardLoop) == set()


async def test_a_loop_that_replies_before_the_commit_is_caught() -> None:
    assert await lost_after_crash(RepliesEarly) != set()
