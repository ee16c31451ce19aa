"""A crowd and imports at an engine whose broker is frozen for a while: what they are told, what it costs in
memory, and when work goes on.

The engine is started again whenever it ends, as systemd would. Importers lose patience and send more, several
times what may wait for the disk, so that memory shows whether the queue has a bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.checker import Report
from tests.faults.annotators import Crowd
from tests.faults.journal import START, Journal, Line
from tests.faults.kafka_store import OnKafka
from tests.faults.nemesis import brokers
from tests.faults.scene import Scene, prepare
from tests.faults.serving import Serving
from tests.faults.verdict import judge
from tests.support.services import Services

from crowdroute.api.v1 import tasks_pb2, types_pb2
from crowdroute.client import AsyncClient, ClientError, Connection

ANNOTATORS, TASKS, ANSWERS = 24, 1_200, 300
"""How many work on how many tasks, and the receipts that they get before the freeze and after it."""

IMPORTERS, IMPORT_ITEMS, ITEM_BYTES = 48, 16, 64 << 10
"""How many import at once, and what is in each import: 1 MiB. 64 MiB in all may wait for the disk."""
IMPORT_PATIENCE_S, IMPORT_PAUSE_S = 2.0, 1.0
"""How long an importer waits for an answer, and before it sends the next: three or four of each come before
the engine gives its broker up."""

UNDER_WAY_S = 1.0
"""After the freeze begins: what the broker had acknowledged by then has reached its callers."""
BACK_S = 60.0
"""Longest time from the end of the freeze to the next receipt; a machine that everything shares is slow."""
LOOK_S = 0.1


class Phase(StrEnum):
    """When something was seen."""

    BEFORE = "before"
    FROZEN = "while frozen"
    AFTER = "after"


class Frozen(NamedTuple):
    """What came of it."""

    seconds: float
    """For which the broker was frozen."""
    told: int
    """Grants and receipts of annotators, and imports, that were acknowledged meanwhile."""
    refused: Counter[str]
    """Codes that importers got meanwhile."""
    ends: list[str]
    """Codes with which engines ended by themselves."""
    start_s: float
    """From the start of the first engine until it served."""
    back_s: float
    """From the end of the freeze to the next receipt."""
    memory: dict[Phase, float]
    """Most MiB resident in the engine's process."""
    answers: int
    """Receipts in all."""
    errors: list[BaseException]
    """Of annotators."""
    broken: Report
    told_otherwise: Report


async def frozen(folder: Path, services: Services, seconds: float) -> Frozen:
    """Freeze the only broker under a crowd for so many seconds, and judge.

    Args:
        folder: an empty folder for data and journal.
        services: with one broker that nobody else uses.
        seconds: how long.
    """
    store = OnKafka(services, "frozen", folder / "data")
    scene = await prepare(store.directory, ANNOTATORS, TASKS, store.kafka)
    serving = Serving(store.directory, variables=store.variables)
    journal = Journal(folder / "journal")
    memory: dict[Phase, float] = {}
    refused: Counter[str] = Counter()
    broker = brokers.pid(services, brokers.ONLY)

    def pid_of() -> list[int]:
        return [serving.process.pid]

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(serving.close)
        begun = time.monotonic()
        await serving.start()
        start_s = time.monotonic() - begun
        journal.note(Line(START))
        keeping = asyncio.create_task(serving.keep_up())
        stack.callback(keeping.cancel)
        crowd = Crowd(scene, serving.address, journal)
        async with weighed(pid_of, Phase.BEFORE, memory):
            await crowd.answers(ANSWERS)
        stack.callback(os.kill, broker, signal.SIGCONT)
        os.kill(broker, signal.SIGSTOP)
        await asyncio.sleep(UNDER_WAY_S)
        known = journal.lines
        async with weighed(pid_of, Phase.FROZEN, memory), importing(scene, serving.address, refused):
            await asyncio.sleep(seconds - UNDER_WAY_S)
        told = journal.lines - known + refused.pop("", 0)
        os.kill(broker, signal.SIGCONT)
        thawed = time.monotonic()
        async with asyncio.timeout(BACK_S):
            await crowd.answers(1)
        back_s = time.monotonic() - thawed
        async with weighed(pid_of, Phase.AFTER, memory):
            await crowd.answers(ANSWERS)
        errors = await crowd.stop()
        keeping.cancel()
        serving.send(signal.SIGTERM)
        assert await serving.ended() == 0, serving.words
    broken, told_otherwise = judge(store.history().batches, scene.stream, journal.close())
    return Frozen(
        *(seconds, told, refused, serving.ends, start_s, back_s, memory),
        *(journal.answers, errors, broken, told_otherwise),
    )


@contextlib.asynccontextmanager
async def weighed(
    pids: Callable[[], Iterable[int]], phase: Phase, most: dict[Phase, float]
) -> AsyncIterator[None]:
    """Note the most MiB that any process has in memory while the block lasts, of those that there are."""

    async def look() -> None:
        while True:
            for pid in pids():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended just now
                    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                    most[phase] = max(most.get(phase, 0.0), pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
            await asyncio.sleep(LOOK_S)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()


@contextlib.asynccontextmanager
async def importing(scene: Scene, address: str, refused: Counter[str]) -> AsyncIterator[None]:
    """Import more than may wait, again and again while the block lasts; counts the codes of what comes of it,
    the empty one for an import that was acknowledged."""
    connection = Connection(address, scene.operator, attempts=1, timeout_s=IMPORT_PATIENCE_S)

    async def one(client: AsyncClient, number: int) -> None:
        body = f"{number}: is it?".ljust(ITEM_BYTES)
        part = types_pb2.ContentPart(id="text", mime_type="text/plain", text=body)
        for round_ in itertools.count():
            items = [
                tasks_pb2.NewItem(external_id=f"import-{number}-{round_}-{item}", content=[part])
                for item in range(IMPORT_ITEMS)
            ]
            try:
                await client.operations.AddItems(
                    tasks_pb2.AddItemsRequest(project_id=scene.project, items=items)
                )
                refused[""] += 1
            except ClientError as error:
                refused[error.code] += 1
            await asyncio.sleep(IMPORT_PAUSE_S)

    async with AsyncClient(connection) as client:
        importers = [asyncio.create_task(one(client, number)) for number in range(IMPORTERS)]
        try:
            yield
        finally:
            for importer in importers:
                importer.cancel()
            await asyncio.wait(importers)
