"""What the crowd does all day: take work, look at it for a moment, answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from crowdroute.api.v1 import assignments_pb2, tokens_pb2, types_pb2, workers_pb2
from crowdroute.client import AsyncClient
from crowdroute.router.demo.crowd import SimulatedWorker
from crowdroute.router.demo.pictures import Picture

LABELS = 10

THINK_S = (0.05, 0.25)
"""How long an answer takes: a tenth of a person's time, so that the demonstration is over in half a
minute."""

WAIT_S = 1.0
NAME = "name"
"""Part of an item's content that says which picture it is; what the crowd knows the truth by."""


@dataclass
class Work:
    """What the crowd has done so far."""

    answers: int = 0
    reviews: int = 0
    latest: list[tuple[str, Picture, int]] = field(default_factory=list)
    """Worker, picture and given label of the last answers."""
    acknowledged: set[str] = field(default_factory=set)
    """Ids of the assignments whose answers the engine has accepted."""


async def join(client: AsyncClient, worker: SimulatedWorker) -> tuple[str, AsyncClient]:
    """Register a worker; give their id and their session."""
    stages = [types_pb2.STAGE_SENIOR] if worker.senior else [types_pb2.STAGE_CROWD]
    session = await client.operations.CreateWorkerSession(
        tokens_pb2.CreateWorkerSessionRequest(
            upsert=workers_pb2.UpsertWorkerRequest(external_id=worker.name, stages=stages)
        )
    )
    return session.worker_id, client.as_bearer(session.bearer)


async def label(
    session: AsyncClient,
    project: str,
    worker: SimulatedWorker,
    pictures: Mapping[int, Picture],
    draw: random.Random,
    done: Work,
    over: Callable[[int], bool],
) -> None:
    """Work in a project until it is over.

    Args:
        session: of the worker.
        project: its id.
        worker: who works.
        pictures: by number.
        draw: decides how long each answer takes, and which it is.
        done: is told what was done.
        over: says whether to leave, given how many waits in a row brought no work.
    """
    idle = 0
    while not over(idle):
        idle += 1
        for offer in await session.next(project, wait_s=WAIT_S):
            idle = 0
            await asyncio.sleep(draw.uniform(*THINK_S))
            picture = pictures[int(_name(offer))]
            given = worker.answer(picture.digit, LABELS, draw)
            await session.submit(offer, {"label": str(given)})
            done.acknowledged.add(offer.assignment_id)
            done.answers += 1
            done.reviews += worker.senior
            done.latest = [*done.latest[-4:], (worker.name, picture, given)]


def _name(offer: assignments_pb2.Offer) -> str:
    return next(part.text for part in offer.content if part.id == NAME)
