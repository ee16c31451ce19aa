"""Nothing that the loop decided is seen before it is durable, and everyone hears of what was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.counting_core import DUE_STEP, CountingCore, erasures, pause
from tests.support.seeded_bugs import RepliesEarly

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import ManualClock, MemoryDisk, MemoryLog
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.commands import Reply, Request
from crowdroute.router.commands.project import EraseItem, NoteOutage
from crowdroute.router.errors import (
    AppendFailed,
    AtCapacity,
    Fenced,
    InvariantBroken,
    KeyReused,
    ShuttingDown,
    WrongState,
)
from crowdroute.router.events import Entry
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime import shard_loop
from crowdroute.router.runtime.recovery import recover
from crowdroute.router.runtime.shard_loop import (
    ALIVE_US,
    BATCH_BYTES,
    BATCH_CONTENT_BYTES,
    OUTAGE_US,
    ShardLoop,
)


class Shard:
    """A loop over memory, with everything that a test wants to look at."""

    def __init__(self, loop_class: type[ShardLoop] = ShardLoop, **options: object) -> None:
        self.disk = MemoryDisk()
        self.log = MemoryLog(self.disk)
        self.clock = ManualClock()
        self.core = CountingCore()
        self.loop = loop_class(self.core, self.log, self.clock, erasures=erasures, **options)
        self.loop.start()

    def on_disk(self) -> list[str]:
        """The reasons that a process started now would find."""
        core = CountingCore()
        for stored in self.disk.batches:
            core.apply(decode_batch(stored.body, stored.sequence))
        return core.reasons


@asynccontextmanager
async def running(**options: object) -> AsyncIterator[Shard]:
    shard = Shard(**options)
    yield shard
    await shard.loop.drain()


async def turns(count: int = 10) -> None:
    """Let everything that can go on go on."""
    for _ in range(count):
        await asyncio.sleep(0)


def started(awaitable: object) -> asyncio.Task[Reply]:
    return asyncio.ensure_future(awaitable)  # type: ignore[arg-type]


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
        assert shard.loop.sequence == 2


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


async def test_a_query_waits_for_the_batch_that_is_forming_and_for_the_one_in_flight() -> None:
    async with running() as shard:
        await shard.loop.observe()
        shard.log.hold()
        started(shard.loop.submit(pause("in flight")))
        await turns()
        during_flight = started(shard.loop.observe())
        started(shard.loop.submit(pause("forming")))
        during_forming = started(shard.loop.observe())
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
    monkeypatch.setattr(shard_loop, "WAITING_BYTES", 1000)
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


@pytest.mark.parametrize("survives", [False, True])
async def test_when_an_append_fails_everyone_who_waited_is_told(survives: bool) -> None:
    shard = Shard()
    await shard.loop.submit(pause("before"))
    shard.log.hold()
    in_flight = started(shard.loop.submit(pause("in flight")))
    await turns()
    waiting = [in_flight, started(shard.loop.submit(pause("forming"))), started(shard.loop.observe())]
    waiting.append(started(shard.loop.submit(pause("refuse"))))
    await turns()
    shard.log.crash(in_flight_survives=survives)
    assert isinstance(await shard.loop.failed, AppendFailed)
    await turns()
    for waiter in waiting:
        assert waiter.done()
        with pytest.raises(AppendFailed, match="call again with the same idempotency key"):
            await waiter
    for late in (shard.loop.submit(pause("late")), shard.loop.observe(), shard.loop.drain()):
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
    assert isinstance(await shard.loop.failed, Fenced)
    assert shard.on_disk() == []


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
    assert isinstance(await shard.loop.failed, InvariantBroken)
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
    await shard.loop.observe()
    assert not shard.loop.failed.done()


async def test_draining_begins_nothing_that_is_due() -> None:
    shard = Shard()
    await shard.loop.submit(pause(f"later {shard.clock.now_us() + 1}"))
    shard.clock.advance(1)
    await shard.loop.drain()
    assert len(shard.core.waiting) == 1
    assert len(shard.disk.batches) == 1


async def test_followers_hear_of_every_entry_once_in_order_and_only_when_durable() -> None:
    async with running() as shard:
        heard: list[str] = []
        fed: list[int] = []

        def hear(entries: Sequence[Entry]) -> None:
            heard.extend(entry.events[0].reason for entry in entries)
            assert heard == shard.on_disk()

        stop = shard.loop.subscribe(hear)
        shard.loop.feed(lambda stored: fed.append(stored.sequence))
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

    shard.loop.subscribe(broken)
    assert (await shard.loop.submit(pause("one"))).version == 1
    assert "a follower's defect" in (await shard.loop.failed).message
    assert shard.on_disk() == ["one"]


async def test_what_time_has_made_due_is_brought_about_in_bounded_steps() -> None:
    async with running() as shard:
        moments = [shard.clock.now_us() + n for n in range(1, 3 * DUE_STEP)]
        await asyncio.gather(*(shard.loop.submit(pause(f"later {moment}")) for moment in moments))
        assert len(shard.core.waiting) == len(moments)
        shard.clock.advance(len(moments))
        heard: list[int] = []
        shard.loop.subscribe(lambda entries: heard.extend(len(entry.events) for entry in entries))
        shard.loop.wake()
        while shard.core.waiting:
            await asyncio.sleep(0)
        await shard.loop.observe()
        assert heard == [DUE_STEP, DUE_STEP, DUE_STEP - 1]


async def test_a_timer_brings_about_what_is_due_without_any_command() -> None:
    async with running() as shard:
        await shard.loop.submit(pause(f"later {shard.clock.now_us() + 20_000}"))
        shard.clock.advance(20_000)
        due = asyncio.get_running_loop().create_future()
        shard.loop.subscribe(due.set_result)
        (entry,) = await asyncio.wait_for(due, 30)
        assert entry.cause.command == "due"


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
        assert shard.loop.sequence == 1


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
