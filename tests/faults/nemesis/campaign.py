"""One campaign: annotators at work, a schedule of faults, quiet at the end, and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.faults.annotators import Crowd
from tests.faults.journal import START, Journal, Line
from tests.faults.nemesis.erasures import Erasures
from tests.faults.nemesis.ground import Fault, Ground, Served
from tests.faults.nemesis.operator import Operator
from tests.faults.nemesis.report import Account, Struck
from tests.faults.nemesis.schedule import schedule
from tests.faults.nemesis.stock import LEAST, Stock
from tests.faults.scene import Scene, prepare
from tests.faults.serving import Serving
from tests.faults.store import Files, Store
from tests.faults.verdict import judge

ANNOTATORS = 24
SNAPSHOT_EVERY = "500"
"""Batches between snapshots: starts fold a snapshot and what follows it."""
PINGS = {"ping_interval_s": 5.0, "ping_timeout_s": 1.0}
"""Seconds after which clients notice that nobody is there."""
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
    return await let_loose(Ground(engine, store), scene, folder / "journal", seed, faults, wanted, say)


async def let_loose(
    served: Target,
    scene: Scene,
    journal_at: Path,
    seed: int,
    faults: Sequence[Fault[Target]],
    wanted: Wanted,
    say: Say,
) -> Account:
    """Let the nemesis loose, then come to rest and judge.

    Args:
        served: what the crowd works at; not started yet.
        scene: where, and who they are.
        journal_at: file for what they are told.
        seed: decides which fault comes when, and how.
        faults: the kinds there are.
        wanted: how much there will be.
        say: told of each fault when it is over.
    """
    chance = random.Random(f"strikes of {seed}")
    struck: list[Struck] = []
    read_again: set[str] = set()
    journal, stopping = Journal(journal_at), asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(served.close)
        await served.start()
        operator = Operator(scene, served.operated_at)
        stack.push_async_callback(operator.close)
        stock, erasures = Stock(operator, served.sources()), Erasures(operator)
        journal.note(Line(START))
        crowd = Crowd(scene, served.address, journal, **PINGS)
        began = time.monotonic()
        async with asyncio.TaskGroup() as beside:
            beside.create_task(stock.keep(stopping))
            beside.create_task(erasures.keep(stopping))
            for step in schedule(faults, random.Random(seed)):
                await _work(served, crowd, step.answers, WORK_S)
                begun, known = time.monotonic(), journal.answers
                await step.fault.strike(served, chance)
                mended, during = time.monotonic(), journal.answers - known
                await _work(served, crowd, 1, FELT_S)
                struck.append(Struck(step.fault.kind, mended - begun, time.monotonic() - mended, during))
                say(struck[-1])
                read_again |= await erasures.readable()
                lasted = time.monotonic() - began
                if len(struck) >= wanted.faults and lasted >= wanted.lasting_s:
                    break
            stopping.set()
        unfinished = await _rest(operator, crowd)
        read_again |= await erasures.readable()
        untold = await served.untold(scene.results + stock.brought)
        errors = await crowd.stop()
        await served.stop()
    history = served.history()
    broken, told_otherwise = judge(history.batches, scene.stream, journal.close())
    items = scene.tasks + stock.brought + erasures.brought
    return Account(
        seed=seed,
        struck=struck,
        lasted_s=lasted,
        answers=journal.answers,
        unfinished=unfinished,
        untold=untold,
        doubled=broken.counters["ItemAdded"] - items,
        erased=len(erasures.gone),
        read_again=sorted(read_again),
        owners=len({batch.epoch for batch in history.batches}),
        void=history.void,
        broken=broken,
        told_otherwise=told_otherwise,
        errors=errors,
    )


async def _work(served: Served, crowd: Crowd, answers: int, longest_s: float) -> None:
    """Wait for so many more receipts."""
    async with asyncio.timeout(longest_s):
        await served.wait(asyncio.create_task(crowd.answers(answers)))


async def _rest(operator: Operator, crowd: Crowd) -> int:
    """Let everybody work on undisturbed; give the tasks that have not ended when they had long enough."""
    deadline = time.monotonic() + QUIET_S
    while True:
        unfinished = await operator.unfinished()
        if unfinished == 0 or crowd.errors or time.monotonic() > deadline:
            return unfinished
        await asyncio.sleep(LOOK_S)
