"""Every record of an input enters the log once, whatever crashes, comes twice or leaves a hole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.counting_core import CountingCore, pause

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import ManualClock, MemoryDisk, MemoryLog
from crowdroute.router.commands import InputStep
from crowdroute.router.errors import WrongState
from crowdroute.router.machine.inputs import InputMarks
from crowdroute.router.runtime.shard_loop import ShardLoop

RECORDS = 6
PARTITIONS = 2

# A step that is tried: partition, how far from the mark it begins, how long it is; or None for a crash, which
# leaves what is durable.
STEPS = st.lists(
    st.none() | st.tuples(st.integers(0, PARTITIONS - 1), st.integers(-2, 2), st.integers(1, 3)), max_size=25
)


def folded(disk: MemoryDisk) -> CountingCore:
    """Give the core of a process that starts now."""
    core = CountingCore()
    for stored in disk.batches:
        core.apply(decode_batch(stored.body, stored.sequence))
    return core


async def taken(steps: list[tuple[int, int, int] | None]) -> tuple[list[str], list[int]]:
    """Try steps one after the other, one reason a record; give the reasons in the log, and the marks."""
    disk = MemoryDisk()
    core, loop = folded(disk), None
    for step in steps:
        if step is None or loop is None:
            if disk.owner is not None:
                disk.owner.crash()
            core = folded(disk)
            loop = ShardLoop(core, MemoryLog(disk), ManualClock())
            loop.start()
        if step is None:
            continue
        partition, skew, length = step
        mark = core.inputs.position("tasks", partition)
        first = max(mark + skew, 0)
        last = min(first + length, RECORDS)
        names = ",".join(f"{partition}:{offset}" for offset in range(first, last))
        wish = InputStep("tasks", partition, first, last)
        before = core.digest()
        try:
            await loop.take_in(wish, pause(names))
        except WrongState as refusal:
            position = refusal.details["position"]
        else:
            continue
        assert first != mark or last <= mark
        assert position == str(mark)
        assert core.digest() == before
    core = folded(disk)
    return core.reasons, [core.inputs.position("tasks", partition) for partition in range(PARTITIONS)]


def once_and_in_order(reasons: list[str], marks: list[int]) -> bool:
    """Say whether the log holds each record below the marks once, in the order of its partition."""
    names = [name for reason in reasons for name in reason.split(",")]
    return all(
        [name for name in names if name.startswith(f"{partition}:")]
        == [f"{partition}:{offset}" for offset in range(mark)]
        for partition, mark in enumerate(marks)
    )


@given(STEPS)
def test_each_record_is_in_the_log_once_and_none_is_stepped_over(
    steps: list[tuple[int, int, int] | None],
) -> None:
    assert once_and_in_order(*asyncio.run(taken(steps)))


def _unchecked(_marks: InputMarks, _step: InputStep) -> None:
    """Take in whatever comes."""


def _no_holes_only(marks: InputMarks, step: InputStep) -> None:
    """Refuse holes, and take in again what was taken in."""
    if step.previous > marks.position(step.topic, step.partition):
        raise WrongState("a hole", {"position": str(marks.position(step.topic, step.partition))})


@pytest.mark.parametrize("broken", [_unchecked, _no_holes_only])
async def test_a_mark_that_is_not_checked_doubles_records(
    broken: Callable[[InputMarks, InputStep], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InputMarks, "check", broken)
    with pytest.raises(AssertionError):
        assert once_and_in_order(*await taken([(0, 0, 2), (0, -1, 1)]))


async def test_a_mark_that_is_not_folded_doubles_records_after_a_crash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: list[tuple[int, int, int] | None] = [(0, 0, 2), None, (0, 0, 2)]
    assert once_and_in_order(*await taken(steps))

    monkeypatch.setattr(InputMarks, "reach", lambda _marks, _reached: None)
    reasons, _ = await taken(steps)
    assert reasons == ["0:0,0:1", "0:0,0:1"]


async def test_records_that_ask_for_nothing_advance_the_input_all_the_same() -> None:
    disk = MemoryDisk()
    loop = ShardLoop(CountingCore(), MemoryLog(disk), ManualClock())
    loop.start()

    await loop.take_in(InputStep("tasks", 0, 0, 7), None)

    assert folded(disk).inputs.position("tasks", 0) == 7


async def test_a_command_that_is_refused_leaves_the_input_where_it_was() -> None:
    disk = MemoryDisk()
    core = CountingCore()
    loop = ShardLoop(core, MemoryLog(disk), ManualClock())
    loop.start()

    with pytest.raises(WrongState, match="refuse this"):
        await loop.take_in(InputStep("tasks", 0, 0, 7), pause("refuse this"))

    assert core.inputs.position("tasks", 0) == 0
    assert folded(disk).inputs.position("tasks", 0) == 0
