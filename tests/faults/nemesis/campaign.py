"""One campaign: annotators at work, a schedule of faults, quiet at the end, and the verdict."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.annotators import Crowd
from tests.faults.journal import START, Journal, Line
from tests.faults.nemesis.ground import Fault, Ground
from tests.faults.nemesis.proxy import Proxy
from tests.faults.nemesis.report import Account, Struck
from tests.faults.nemesis.schedule import schedule
from tests.faults.nemesis.stock import LEAST, Stock
from tests.faults.scene import prepare
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


async def campaign(
    folder: Path, seed: int, faults: Sequence[Fault], count: int, say: Say, store: Store | None = None
) -> Account:
    """Let the nemesis loose, then come to rest and judge.

    Args:
        folder: an empty folder for data and journal.
        seed: decides which fault comes when, and how.
        faults: the kinds there are.
        count: how many there will be.
        say: told of each fault when it is over.
        store: where the log is; None: in files.
    """
    store = store or Files(folder / "data")
    chance = random.Random(seed)
    steps = schedule(faults, count, chance)
    scene = await prepare(store.directory, ANNOTATORS, LEAST, store.kafka)
    engine = Serving(store.directory, "--snapshot-every", SNAPSHOT_EVERY, variables=store.variables)
    network = Proxy("127.0.0.1", engine.port)
    ground, journal, struck = Ground(engine, network, store), Journal(folder / "journal"), []
    stock = Stock(scene, engine.address)
    try:
        await engine.start()
        await network.accept()
        journal.note(Line(START))
        crowd = Crowd(scene, network.address, journal, **PINGS)
        for step in steps:
            async with asyncio.timeout(WORK_S):
                await _work(store, engine, crowd, stock, step.answers)
            begun, known = time.monotonic(), journal.answers
            await step.fault.strike(ground, chance)
            mended, during = time.monotonic(), journal.answers - known
            async with asyncio.timeout(FELT_S):
                await _work(store, engine, crowd, stock, 1)
            struck.append(Struck(step.fault.kind, mended - begun, time.monotonic() - mended, during))
            say(struck[-1])
        unfinished = await _rest(stock, crowd)
        errors = await crowd.stop()
        engine.send(signal.SIGTERM)
        assert await engine.ended() == 0, engine.words
    finally:
        await stock.close()
        await network.close()
        await engine.close()
    broken, told_otherwise = judge(store.history(), scene.stream, journal.close())
    return Account(seed, struck, journal.answers, unfinished, broken, told_otherwise, errors)


async def _work(store: Store, engine: Serving, crowd: Crowd, stock: Stock, answers: int) -> None:
    """Wait for so many more receipts; an engine that ended as it may is started again, as systemd would."""
    working = asyncio.create_task(_receipts(crowd, stock, answers))
    while not working.done():
        ended = asyncio.create_task(engine.ended())
        await asyncio.wait((working, ended), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            ended.cancel()
        elif not working.done():
            assert engine.last_code() in store.ends_with, engine.words
            await engine.start()
    await working


async def _receipts(crowd: Crowd, stock: Stock, answers: int) -> None:
    await stock.fill()
    await crowd.answers(answers)


async def _rest(stock: Stock, crowd: Crowd) -> int:
    """Let everybody work on undisturbed; give the tasks that have no result when they had long enough."""
    deadline = time.monotonic() + QUIET_S
    while True:
        unfinished = await stock.unfinished()
        if unfinished == 0 or crowd.errors or time.monotonic() > deadline:
            return unfinished
        await asyncio.sleep(LOOK_S)
