"""Let the simulated crowd work through a real engine over gRPC, with people's pauses made short."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from crowdroute.api.v1 import projects_pb2, tasks_pb2
from crowdroute.client import AsyncClient, Connection
from crowdroute.router.demo.crowd import SimulatedWorker
from crowdroute.router.demo.pictures import Picture
from crowdroute.router.demo.rules import BONUS_PERIOD_S, DOCUMENT
from crowdroute.router.demo.working import NAME, Work, join, label

BONUS_DECIDED_S = 1.5
"""How long after the end of a period its bonuses stand in the ledger."""

ROUNDS_WITHOUT_WORK = 3
"""A worker leaves after so many waits in vain; reviews may still come up during the first of them."""


@dataclass
class Progress:
    """What the live view shows."""

    pictures: int
    work: Work = field(default_factory=Work)
    finalised: int = 0
    stats: projects_pb2.ProjectStats | None = None


@dataclass
class Played:
    """What was played, for the report."""

    project: projects_pb2.Project
    worker_ids: dict[str, str]
    """Worker's name -> id."""
    progress: Progress
    seconds: float


async def play(
    connection: Connection,
    pictures: list[Picture],
    crowd: list[SimulatedWorker],
    seed: int,
    show: Callable[[Progress], None] = lambda progress: None,
) -> Played:
    """Set the project up, let everybody work until nothing is left, and wait for the last bonus period."""
    async with AsyncClient(connection) as client:
        project = await client.operations.CreateProject(
            projects_pb2.CreateProjectRequest(name="digits", rules_yaml=DOCUMENT)
        )
        progress = Progress(sum(not picture.gold for picture in pictures))
        sessions = {worker.name: await join(client, worker) for worker in crowd}
        await _import(client, project, pictures)
        began = time.perf_counter()
        watching = asyncio.create_task(_watch(client, project, progress, show))
        numbered = {picture.number: picture for picture in pictures}
        work = [
            label(
                sessions[worker.name][1],
                project.id,
                worker,
                numbered,
                random.Random(f"{seed}/{worker.name}"),
                progress.work,
                lambda idle: idle >= ROUNDS_WITHOUT_WORK,
            )
            for worker in crowd
        ]
        await asyncio.gather(*work)
        seconds = time.perf_counter() - began
        await asyncio.sleep(to_last_bonus_s(time.time()))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        progress.stats = await _stats(client, project)
        show(progress)
        return Played(
            project, {name: worker_id for name, (worker_id, _) in sessions.items()}, progress, seconds
        )


def to_last_bonus_s(now_s: float) -> float:
    """Give the seconds until the bonuses of the period that a moment (of Unix time) lies in are decided."""
    return BONUS_PERIOD_S - now_s % BONUS_PERIOD_S + BONUS_DECIDED_S


async def _import(client: AsyncClient, project: projects_pb2.Project, pictures: list[Picture]) -> None:
    request = tasks_pb2.AddItemsRequest(project_id=project.id)
    for picture in pictures:
        item = request.items.add(
            external_id=picture.external_id,
            purpose=tasks_pb2.PURPOSE_GOLD if picture.gold else tasks_pb2.PURPOSE_PRODUCTION,
        )
        item.content.add(id="picture", mime_type="image/png", data=picture.png())
        item.content.add(id=NAME, mime_type="text/plain", text=str(picture.number))
        if picture.gold:
            item.gold["label"].label = str(picture.digit)
    await client.operations.AddItems(request, timeout=30.0)


async def _watch(
    client: AsyncClient, project: projects_pb2.Project, progress: Progress, show: Callable[[Progress], None]
) -> None:
    while True:
        progress.stats = await _stats(client, project)
        progress.finalised = progress.stats.tasks_finalised
        show(progress)
        await asyncio.sleep(0.25)


async def _stats(client: AsyncClient, project: projects_pb2.Project) -> projects_pb2.ProjectStats:
    stats: projects_pb2.ProjectStats = await client.operations.GetStats(
        projects_pb2.GetStatsRequest(project_id=project.id)
    )
    return stats
