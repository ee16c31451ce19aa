"""Let tasks flow from Kafka through the crowd at a cluster and back to Kafka, and kill an actor meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from crowdroute.api.v1 import answers_pb2, explanations_pb2, projects_pb2, results_pb2
from crowdroute.client import AsyncClient, Connection
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.demo.cluster.flow import Flow, ProjectFlow
from crowdroute.router.demo.cluster.stage import Cluster, kill_and_wait
from crowdroute.router.demo.cluster.topics import follow, produce, task_record
from crowdroute.router.demo.crowd import SimulatedWorker
from crowdroute.router.demo.pictures import Picture
from crowdroute.router.demo.rules import DOCUMENT
from crowdroute.router.demo.working import join, label
from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.feeds.records import TaskRecord
from crowdroute.router.runtime.settings import FeedSettings

PROJECTS = ("digits-a", "digits-b")
"""A new project goes to the shard with fewest: each lives in one of its own."""

KILLED_AT = 1 / 3
"""Share of the tasks that are finalised when an actor is killed."""

FIRST_SHARD = 0
"""Its owner is killed: it has the organisation besides a project, so everybody feels it."""

ATTEMPTS = 40
"""Most tries of a call: an annotator waits for minutes rather than lose an answer."""

LOOK_S = 0.25
STALLED_S = 90.0
"""Longest time in which nothing comes back from Kafka, outages included."""

AGREED_S = 30.0
"""Longest wait until Kafka has all that the engine has, once the crowd has left."""


@dataclass(frozen=True)
class Ways:
    """How the parts reach each other."""

    addresses: Sequence[str]
    """Of the actors."""
    token: str
    """The administrator's."""
    kafka: KafkaConnection
    feeds: FeedSettings


async def play(
    ways: Ways,
    cluster: Cluster,
    pictures: Sequence[Picture],
    crowd: Sequence[SimulatedWorker],
    seed: int,
    show: Callable[[Flow], None],
) -> tuple[Flow, float]:
    """Play all of it; gives how it went, and the seconds from the first task to the last result.

    Raises:
        FleetUnavailable: nothing moves any more, or the cluster does not come back.
        RouterError, ClientError: a part does not answer.
    """
    try:
        return await _play(ways, cluster, pictures, crowd, seed, show)
    except ExceptionGroup as failed:  # the first that failed ended the others
        raise _first(failed) from failed


def _first(failed: ExceptionGroup[Exception]) -> Exception:
    error = failed.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


async def _play(
    ways: Ways,
    cluster: Cluster,
    pictures: Sequence[Picture],
    crowd: Sequence[SimulatedWorker],
    seed: int,
    show: Callable[[Flow], None],
) -> tuple[Flow, float]:
    async with contextlib.AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(AsyncClient(_connection(ways, first)))
            for first in range(len(ways.addresses))
        ]
        flow = Flow(await _projects(clients[0], pictures))
        sessions = [
            (await join(clients[number % len(clients)], worker))[1] for number, worker in enumerate(crowd)
        ]
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as watching:
            looks = [
                follow(ways.kafka, ways.feeds.topic("results"), flow.read.result),
                *(_look_at(clients[0], project) for project in flow.projects),
                _look_at_cluster(cluster, flow, show),
            ]
            watchers = [watching.create_task(look) for look in looks]
            async with asyncio.TaskGroup() as working:
                working.create_task(_produce(ways, flow))
                working.create_task(_kill(cluster, flow))
                for number, (worker, session) in enumerate(zip(crowd, sessions, strict=True)):
                    # At each actor there are workers of each project: half of all calls are forwarded.
                    project = flow.projects[number // len(clients) % len(flow.projects)]
                    working.create_task(_label(session, flow, project, worker, seed))
            seconds = time.perf_counter() - begun
            await _agree(clients[0], flow)
            for watcher in watchers:
                watcher.cancel()
        return flow, seconds


def _connection(ways: Ways, first: int) -> Connection:
    """Reach the actors, one of them before the others; gRPC takes the next when it is gone."""
    turned = [*ways.addresses[first:], *ways.addresses[:first]]
    return Connection("ipv4:" + ",".join(turned), ways.token, attempts=ATTEMPTS)


async def _projects(client: AsyncClient, pictures: Sequence[Picture]) -> list[ProjectFlow]:
    share = len(pictures) // len(PROJECTS)
    made = []
    for number, name in enumerate(PROJECTS):
        project = await client.operations.CreateProject(
            projects_pb2.CreateProjectRequest(name=name, rules_yaml=DOCUMENT)
        )
        shard = await _shard_of(client, project.id)
        mine = list(pictures[number * share : (number + 1) * share])
        made.append(ProjectFlow(name, project.id, shard, mine))
    return made


async def _shard_of(client: AsyncClient, project: str) -> int:
    """Give the shard that a project lives in: the first message of a watch is from there."""
    watch = client.operations.Watch(explanations_pb2.WatchRequest(project_id=project), timeout=20.0)
    async with contextlib.aclosing(watch):
        first = await anext(watch)
        return int(first.shard)


async def _produce(ways: Ways, flow: Flow) -> None:
    by_name = {project.name: project for project in flow.projects}
    # By turns, as if two producers wrote.
    pairs = zip(*(project.pictures for project in flow.projects), strict=True)
    records = [
        task_record(project.name, picture)
        for pair in pairs
        for project, picture in zip(flow.projects, pair, strict=True)
    ]

    def sent(record: TaskRecord) -> None:
        by_name[record.project].produced += 1

    await produce(ways.kafka, ways.feeds.topic("tasks"), records, sent)


async def _label(
    session: AsyncClient, flow: Flow, project: ProjectFlow, worker: SimulatedWorker, seed: int
) -> None:
    await label(
        session,
        project.id,
        worker,
        {picture.number: picture for picture in project.pictures},
        random.Random(f"{seed}/{worker.name}"),
        flow.work,
        lambda _idle: flow.complete,
    )


async def _kill(cluster: Cluster, flow: Flow) -> None:
    while flow.finalised < KILLED_AT * flow.wanted:
        await asyncio.sleep(LOOK_S)

    def tell(what: str) -> None:
        flow.told = what

    flow.outage = await kill_and_wait(cluster, FIRST_SHARD, tell)


async def _look_at(client: AsyncClient, project: ProjectFlow) -> None:
    while True:
        await _count(client, project)
        await asyncio.sleep(LOOK_S)


async def _count(client: AsyncClient, project: ProjectFlow) -> None:
    project.stats = await client.operations.GetStats(projects_pb2.GetStatsRequest(project_id=project.id))


async def _look_at_cluster(cluster: Cluster, flow: Flow, show: Callable[[Flow], None]) -> None:
    moved, at = (0, 0), time.monotonic()
    while True:
        flow.overview = await cluster.look()
        show(flow)
        now = len(flow.read.results), flow.work.answers
        if now != moved:
            moved, at = now, time.monotonic()
        elif time.monotonic() - at > STALLED_S:
            raise FleetUnavailable(
                f"nothing has moved for {STALLED_S:.0f} s: {now[0]} of {flow.wanted} results are in Kafka"
            )
        await asyncio.sleep(LOOK_S)


async def _agree(client: AsyncClient, flow: Flow) -> None:
    """Wait until Kafka has what the engine has; the report tells what is missing when it never does."""
    until = time.monotonic() + AGREED_S
    while time.monotonic() < until:
        flow.revisions = {
            task: revision for project in flow.projects async for task, revision in _results(client, project)
        }
        if {task: read[-1].revision for task, read in flow.read.results.items()} == flow.revisions:
            break
        await asyncio.sleep(LOOK_S)
    for project in flow.projects:
        await _count(client, project)
        await _gather_answers(client, project, flow.answers)


async def _results(client: AsyncClient, project: ProjectFlow) -> AsyncIterator[tuple[str, int]]:
    """Give the tasks of a project that have a result, with its newest revision."""
    request = results_pb2.ExportResultsRequest(project_id=project.id)
    async for exported in client.operations.ExportResults(request, timeout=60.0):
        yield exported.result.task_id, exported.result.revision


async def _gather_answers(client: AsyncClient, project: ProjectFlow, answers: Counter[str]) -> None:
    request = answers_pb2.ListAnnotationsRequest(project_id=project.id, page_size=1000)
    while True:
        page = await client.operations.ListAnnotations(request)
        answers.update(one.assignment_id for one in page.annotations if one.HasField("answered_at"))
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token
