"""Play a recorded crowd against an engine over gRPC, every worker as a client with a session of their own."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Iterator

from crowdroute.api.v1 import (
    assignments_pb2,
    projects_pb2,
    results_pb2,
    tasks_pb2,
    tokens_pb2,
    types_pb2,
    workers_pb2,
)
from crowdroute.client import AsyncClient, Connection
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.replay.outcome import UNRECORDED, Ending, Outcome
from crowdroute.router.replay.recorded import RecordedCrowd, arrivals, imports, playable
from crowdroute.router.rules.describe import describe

ROWS = 500
"""Tasks per import call."""
ALLOWED = 20_000
"""Workers named by the tasks of one import call: under a megabyte of ids."""


async def play_over_grpc(
    crowd: RecordedCrowd,
    rules: ProjectRules,
    seed: int,
    concurrency: int,
    connection: Connection,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Create a project, let `concurrency` workers at a time come as often as in the record, and read the
    results."""
    async with AsyncClient(connection) as client:
        run = _GrpcReplay(crowd, client, seed, progress)
        await run.prepare(rules)
        began = time.perf_counter()
        await run.play(concurrency)
        run.outcome.seconds = time.perf_counter() - began
        run.outcome.cycles = run.outcome.used
        await run.conclude()
    return run.outcome


class _GrpcReplay:
    def __init__(
        self, crowd: RecordedCrowd, client: AsyncClient, seed: int, progress: Callable[[int], None]
    ) -> None:
        self._crowd = crowd
        self._client = client
        self._seed = seed
        self._progress = progress
        # Replays on one engine must not meet each other's workers and items.
        self._run = uuid.uuid4().hex[:12]
        self._project = projects_pb2.Project()
        self._worker_ids: list[str] = []
        self._sessions: list[AsyncClient] = []
        self._busy: set[int] = set()
        self.outcome = Outcome([], [])

    async def prepare(self, rules: ProjectRules) -> None:
        """Create project, workers and tasks."""
        document = describe(playable(rules))
        self._project = await self._client.operations.CreateProject(
            projects_pb2.CreateProjectRequest(name=f"replay-{self._run}", rules_yaml=document)
        )
        for worker in range(len(self._crowd.workers)):
            session = await self._client.operations.CreateWorkerSession(
                tokens_pb2.CreateWorkerSessionRequest(
                    upsert=workers_pb2.UpsertWorkerRequest(external_id=f"{self._run}/{worker}")
                )
            )
            self._worker_ids.append(session.worker_id)
            self._sessions.append(self._client.as_bearer(session.bearer))
        for part in imports(self._crowd, self._seed, ROWS, ALLOWED):
            request = tasks_pb2.AddItemsRequest(project_id=self._project.id)
            for task in part:
                item = request.items.add(
                    external_id=f"{self._run}/{task}", purpose=tasks_pb2.PURPOSE_PRODUCTION
                )
                item.content.add(id="task", mime_type="text/plain", text=str(task))
                item.allowed_worker_ids.extend(
                    self._worker_ids[worker] for worker in self._crowd.workers_of[task]
                )
            await self._client.operations.AddItems(request, timeout=60.0)

    async def play(self, concurrency: int) -> None:
        """Let workers come in the seed's order, then until nobody finds work."""
        queue = arrivals(self._crowd, self._seed)
        while queue:
            idle: set[int] = set()
            waiting = iter(queue)
            await asyncio.gather(*(self._serve(waiting, idle) for _ in range(concurrency)))
            before = self.outcome.used
            everybody = sorted(set(queue))
            random.Random(self._seed + before).shuffle(everybody)
            remaining = iter(everybody)
            none: set[int] = set()
            await asyncio.gather(*(self._serve(remaining, none) for _ in range(concurrency)))
            queue = [worker for worker in everybody if worker not in none]

    async def _serve(self, waiting: Iterator[int], idle: set[int]) -> None:
        """Take one worker after the other from a common queue; a worker at work elsewhere is passed over."""
        for worker in waiting:
            if worker in idle or worker in self._busy:
                continue
            self._busy.add(worker)
            try:
                if not await self._cycle(worker):
                    idle.add(worker)
            finally:
                self._busy.discard(worker)

    async def _cycle(self, worker: int) -> bool:
        session = self._sessions[worker]
        offers = await session.next(self._project.id)
        for offer in offers:
            label = self._crowd.names[self._crowd.answers[_task_of(offer), worker]]
            reply = await session.submit(offer, {self._project.fields[0].id: label})
            self.outcome.used += reply.receipt == assignments_pb2.RECEIPT_ACCEPTED
        self._progress(self.outcome.used)
        return bool(offers)

    async def conclude(self) -> None:
        """Read results, and what is most probable where there is none."""
        request = results_pb2.ExportResultsRequest(project_id=self._project.id)
        places = {label: place for place, label in enumerate(self._crowd.names)}
        field = self._project.fields[0].id
        finalised: dict[int, str] = {}
        async for exported in self._client.operations.ExportResults(request, timeout=600.0):
            task = int(exported.result.external_id.rpartition("/")[2])
            finalised[task] = exported.result.fields[field].label
        unfinished = await self._unfinished(field)
        for task in range(len(self._crowd.tasks)):
            ending, label = Ending.FINALISED, finalised.get(task)
            if label is None:
                ending, label = unfinished.get(task, (Ending.SET_ASIDE, ""))
            self.outcome.endings.append(ending)
            self.outcome.labels.append(places.get(label, UNRECORDED))
        stats = await self._client.operations.GetStats(
            projects_pb2.GetStatsRequest(project_id=self._project.id)
        )
        self.outcome.reviews = stats.reviews_decided

    async def _unfinished(self, field: str) -> dict[int, tuple[Ending, str]]:
        found: dict[int, tuple[Ending, str]] = {}
        request = tasks_pb2.ListTasksRequest(project_id=self._project.id)
        while True:
            page = await self._client.operations.ListTasks(request)
            for task in page.tasks:
                if task.external_id:  # an item that somebody erased has none
                    place = int(task.external_id.rpartition("/")[2])
                    found[place] = (_ending_of(task), task.leading[field].label)
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token


def _ending_of(task: tasks_pb2.Task) -> Ending:
    """Say where a task without an exported result stands; one may have been finalised since."""
    if task.state == tasks_pb2.TASK_STATE_FINALISED:
        return Ending.FINALISED
    if task.state != tasks_pb2.TASK_STATE_OPEN:
        return Ending.SET_ASIDE
    return Ending.ESCALATED if task.stage == types_pb2.STAGE_EXPERT else Ending.EXHAUSTED


def _task_of(offer: assignments_pb2.Offer) -> int:
    return int(offer.content[0].text)
