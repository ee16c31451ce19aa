"""Nothing that the loop decided is seen before it is durable; what it does not take it refuses at once."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.counting_core import DUE_STEP, pause
from tests.support.looped_shard import Shard, running, started, turns

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.errors import (
    AppendFailed,
    AtCapacity,
    InvariantBroken,
    KeyReused,
    ShuttingDown,
    WrongState,
)
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime import commits, shard_loop


async def test_a_reply_comes_when_the_command_is_on_disk() -> None:
    async with running() as shard:
        shard.log.hold()
        reply = started(shard.loop.submit(pause("one")))
        await turns()
        assert shard.core.reasons == ["one"]
        assert not reply.done()
        shard.log.release()
        assert (await reply).version == 1
        assert shard.on_disk() == ["one"]


async def batch_sizes_after(crowd: int) -> list[int]:
    """Answer so many callers with one batch, then let two come one after the other."""
    async with running() as shard:
        await asyncio.gather(*(shard.loop.submit(pause(f"one of {crowd}")) for _ in range(crowd)))
        early = started(shard.loop.submit(pause("early")))
        await turns()
        await asyncio.gather(early, shard.loop.submit(pause("late")))
        return [len(decode_batch(stored.body, stored.sequence).entries) for stored in shard.disk.batches[1:]]


async def test_while_a_crowd_is_at_work_a_batch_stays_open_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    # Long enough for the second caller to come in time on whatever machine this is.
    monkeypatch.setattr(shard_loop, "GATHER_SECONDS", 30.0)
    monkeypatch.setattr(shard_loop, "GATHER_STEP_SECONDS", 0.25)
    assert await batch_sizes_after(shard_loop.CROWD) == [2]


async def test_few_callers_never_wait_for_one_another() -> None:
    assert await batch_sizes_after(shard_loop.CROWD - 1) == [1, 1]


async def test_a_refusal_waits_for_what_it_rests_on() -> None:
    async with running() as shard:
        shard.log.hold()
        cause = started(shard.loop.submit(pause("cause")))
        refused = started(shard.loop.submit(pause("refuse this")))
        await turns()
        assert not refused.done()
        shard.log.release()
        with pytest.raises(WrongState, match="refuse this"):
            await refused
        assert cause.done()


async def test_a_refusal_with_nothing_under_way_comes_at_once() -> None:
    async with running() as shard:
        with pytest.raises(WrongState):
            await shard.loop.submit(pause("refuse this"))
        assert shard.disk.batches == []


async def test_a_repeated_request_gets_the_stored_reply_when_the_first_one_is_durable() -> None:
    async with running() as shard:
        shard.log.hold()
        first = started(shard.loop.submit(pause("once", key="k")))
        again = started(shard.loop.submit(pause("once", key="k")))
        await turns()
        assert not again.done()
        shard.log.release()
        assert await first == await again
        with pytest.raises(KeyReused):
            await shard.loop.submit(pause("other", key="k"))
        assert shard.on_disk() == ["once"]


async def test_contents_of_a_repeated_or_refused_command_are_not_written() -> None:
    async with running() as shard:
        await shard.loop.submit(pause("once", key="k"), [ContentChange("item/1", b"first")])
        await shard.loop.submit(pause("once", key="k"), [ContentChange("item/1", b"second")])
        with pytest.raises(WrongState):
            await shard.loop.submit(pause("refuse"), [ContentChange("item/1", b"third")])
        assert shard.disk.contents == {"item/1": b"first"}


async def test_beyond_the_limit_callers_are_told_to_come_again() -> None:
    async with running(waiting_commands=2) as shard:
        shard.log.hold()
        waiting = [started(shard.loop.submit(pause(str(n)))) for n in range(3)]
        await turns()
        assert waiting[2].done()
        with pytest.raises(AtCapacity):
            await waiting[2]
        shard.log.release()
        await asyncio.gather(*waiting[:2])
        await shard.loop.submit(pause("again"))
        assert shard.on_disk() == ["0", "1", "again"]


async def test_beyond_the_limit_of_bytes_callers_are_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commits, "WAITING_BYTES", 1000)
    async with running() as shard:
        for _ in range(2):
            shard.log.hold()
            contents = [ContentChange("item/1", bytes(1000))]
            big = started(shard.loop.submit(pause("big"), contents))
            await turns()
            with pytest.raises(AtCapacity):
                await shard.loop.submit(pause("refused"))
            shard.log.release()
            await big
        assert shard.on_disk() == ["big", "big"]


async def test_a_caller_who_went_away_leaves_room_and_its_command_stands() -> None:
    async with running(waiting_commands=1) as shard:
        shard.log.hold()
        gone = started(shard.loop.submit(pause("gone")))
        await turns()
        gone.cancel()
        await turns()
        shard.log.release()
        await shard.loop.submit(pause("stays"))
        assert shard.on_disk() == ["gone", "stays"]


async def test_a_defect_of_the_core_stops_the_shard_before_its_half_done_state_is_seen() -> None:
    shard = Shard()
    shard.log.hold()
    before = started(shard.loop.submit(pause("before")))
    await turns()
    with pytest.raises(AppendFailed):
        await shard.loop.submit(pause("break"))
    shard.log.release()
    with pytest.raises(AppendFailed):
        await before
    assert isinstance(await shard.loop.commits.failed, InvariantBroken)
    await turns()
    assert shard.on_disk() == ["before"]


async def test_draining_answers_what_was_taken_and_takes_nothing_new() -> None:
    shard = Shard()
    shard.log.hold()
    waiting = [started(shard.loop.submit(pause(str(n)))) for n in range(3)]
    await turns()
    drained = started(shard.loop.drain())
    await turns()
    with pytest.raises(ShuttingDown):
        await shard.loop.submit(pause("late"))
    assert not drained.done()
    shard.log.release()
    await drained
    assert all(each.done() for each in waiting)
    assert shard.on_disk() == ["0", "1", "2"]
    await shard.loop.commits.observe()
    assert not shard.loop.commits.failed.done()


async def test_draining_begins_nothing_that_is_due() -> None:
    shard = Shard()
    await shard.loop.submit(pause(f"later {shard.clock.now_us() + 1}"))
    shard.clock.advance(1)
    await shard.loop.drain()
    assert len(shard.core.waiting) == 1
    assert len(shard.disk.batches) == 1


async def test_what_time_has_made_due_is_brought_about_in_bounded_steps() -> None:
    async with running() as shard:
        moments = [shard.clock.now_us() + n for n in range(1, 3 * DUE_STEP)]
        await asyncio.gather(*(shard.loop.submit(pause(f"later {moment}")) for moment in moments))
        assert len(shard.core.waiting) == len(moments)
        shard.clock.advance(len(moments))
        heard: list[int] = []
        shard.loop.commits.subscribe(lambda entries: heard.extend(len(entry.events) for entry in entries))
        shard.loop.wake()
        while shard.core.waiting:
            await asyncio.sleep(0)
        await shard.loop.commits.observe()
        assert heard == [DUE_STEP, DUE_STEP, DUE_STEP - 1]


async def test_a_timer_brings_about_what_is_due_without_any_command() -> None:
    async with running() as shard:
        await shard.loop.submit(pause(f"later {shard.clock.now_us() + 20_000}"))
        shard.clock.advance(20_000)
        due = asyncio.get_running_loop().create_future()
        shard.loop.commits.subscribe(due.set_result)
        (entry,) = await asyncio.wait_for(due, 30)
        assert entry.cause.command == "due"
