"""One campaign: annotators at work, a schedule of faults, quiet at the end, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.checker.project import KnownFacts
from tests.faults.nemesis.ground import Fault, Ground, Served
from tests.faults.nemesis.report import Account, Struck, merged
from tests.faults.nemesis.schedule import schedule
from tests.faults.nemesis.stock import LEAST
from tests.faults.nemesis.work import Work
from tests.faults.scene import Scene, prepare
from tests.faults.serving import Serving
from tests.faults.store import Files, Store

ANNOTATORS = 24
SNAPSHOT_EVERY = "500"
"""Batches between snapshots: starts fold a snapshot and what follows it."""
WORK_S = 180.0
"""Longest time for the work between two faults; hundreds of answers take seconds."""
FELT_S = 60.0
"""Longest time from a fault's end to the next receipts; a machine that everything shares is slow."""
QUIET_S = 120.0
"""Longest time from the last fault until every task has its result."""
LOOK_S = 0.3

Say = Callable[[Struck], None]
Target = TypeVar("Target", bound=Served)


class Wanted(NamedTuple):
    """How long the nemesis goes on: until both are reached."""

    faults: int
    lasting_s: float = 0.0


async def campaign(
    folder: Path,
    seed: int,
    faults: Sequence[Fault[Ground]],
    wanted: Wanted,
    say: Say,
    store: Store | None = None,
) -> Account:
    """Let the nemesis loose on one engine; see `let_loose`.

    Args:
        folder: an empty folder for data and journal.
        seed: decides which fault comes when, and how.
        faults: the kinds there are.
        wanted: how much there will be.
        say: told of each fault when it is over.
        store: where the log is; None: in files.
    """
    store = store or Files(folder / "data")
    scene = await prepare(store.directory, ANNOTATORS, LEAST, store.kafka)
    engine = Serving(store.directory, "--snapshot-every", SNAPSHOT_EVERY, variables=store.variables)
    return await let_loose(Ground(engine, store), [scene], folder, seed, faults, wanted, say)


async def let_loose(
    served: Target,
    scenes: Sequence[Scene],
    folder: Path,
    seed: int,
    faults: Sequence[Fault[Target]],
    wanted: Wanted,
    say: Say,
) -> Account:
    """Let the nemesis loose, then come to rest and judge.

    Args:
        served: what the crowds work at; not started yet.
        scenes: where, and who they are; that in the organisation's shard first.
        folder: for the journals of what they are told.
        seed: decides which fault comes when, and how.
        faults: the kinds there are.
        wanted: how much there will be.
        say: told of each fault when it is over.
    """
    chance = random.Random(f"strikes of {seed}")
    struck: list[Struck] = []
    read_again: set[str] = set()
    stopping = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(served.close)
        await served.start()
        works = [Work(scene, served, folder / f"journal-{scene.shard}") for scene in scenes]
        for work in works:
            stack.push_async_callback(work.operator.close)
        began = time.monotonic()
        async with asyncio.TaskGroup() as beside:
            for work in works:
                beside.create_task(work.stock.keep(stopping))
                beside.create_task(work.erasures.keep(stopping))
            for step in schedule(faults, random.Random(seed)):
                await _receipts(served, works, step.answers // len(works), WORK_S)
                begun, known = time.monotonic(), _answers(works)
                await step.fault.strike(served, chance)
                mended, during = time.monotonic(), _answers(works) - known
                await _receipts(served, works, 1, FELT_S)
                struck.append(Struck(step.fault.kind, mended - begun, time.monotonic() - mended, during))
                say(struck[-1])
                for work in works:
                    read_again |= await work.erasures.readable()
                lasted = time.monotonic() - began
                if len(struck) >= wanted.faults and lasted >= wanted.lasting_s:
                    break
            stopping.set()
        unfinished = await _rest(works)
        for work in works:
            read_again |= await work.erasures.readable()
        untold = await served.untold(sum(work.results for work in works))
        errors = [error for work in works for error in await work.crowd.stop()]
        await served.stop()
    facts: KnownFacts = {}
    histories = [served.history(work.scene.shard) for work in works]
    judged = [work.judged(history, facts) for work, history in zip(works, histories, strict=True)]
    return Account(
        seed=seed,
        struck=struck,
        lasted_s=lasted,
        answers=_answers(works),
        unfinished=unfinished,
        untold=untold,
        doubled=[one.doubled for one in judged],
        erased=sum(len(work.erasures.gone) for work in works),
        read_again=sorted(read_again),
        owners=sum(len({batch.epoch for batch in history.batches}) for history in histories),
        void=sum(history.void for history in histories),
        broken=merged(one.broken for one in judged),
        told_otherwise=merged(one.told_otherwise for one in judged),
        errors=errors,
    )


def _answers(works: Sequence[Work]) -> int:
    return sum(work.journal.answers for work in works)


async def _receipts(served: Served, works: Sequence[Work], answers: int, longest_s: float) -> None:
    """Wait for so many more receipts in each project."""
    async with asyncio.timeout(longest_s):
        for work in works:
            await served.wait(asyncio.create_task(work.crowd.answers(answers)))


async def _rest(works: Sequence[Work]) -> int:
    """Let everybody work on undisturbed; give the tasks that have not ended when they had long enough."""
    deadline = time.monotonic() + QUIET_S
    while True:
        unfinished = [await work.operator.unfinished() for work in works]
        failed = any(work.crowd.errors for work in works)
        if not any(unfinished) or failed or time.monotonic() > deadline:
            return sum(map(abs, unfinished))
        await asyncio.sleep(LOOK_S)
