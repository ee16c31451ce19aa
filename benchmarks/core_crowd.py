"""People who ask for tasks and answer them at the core alone: no wire, no disk."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import AddTasks, CreateProject, NewTask, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Offered
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import Field, Label, Prices, ProjectRules

LABELS = 4
ACCURACY = 0.85
WORKERS = 1_000
IMPORT_ROWS = 1_000
LOOPS = 2_000_000
START_US = 1_700_000_000_000_000
TENANT = "bench"


def loop_ns() -> float:
    """Give the CPU time of one turn of a plain Python loop, in nanoseconds."""
    begun, total = time.process_time(), 0
    for number in range(LOOPS):
        total += number
    return (time.process_time() - begun) / LOOPS * 1e9


class CoreCrowd:
    """A shard with projects, and people who answer."""

    def __init__(self, tasks: int, workers: int = WORKERS, labels: int = LABELS, projects: int = 1) -> None:
        """Found them.

        Args:
            tasks: open ones of each project.
            workers: who may work in all projects.
            labels: to choose from.
            projects: each a stream of its own.
        """
        self._random = random.Random(1)
        self._now_us = START_US
        self.shard = Shard()
        organisation = organisation_stream(TENANT)
        self._send(organisation, CreateOrganisation(TENANT))
        names = [self._new_id() for _ in range(projects)]
        self._streams = [project_stream(TENANT, name) for name in names]
        self._labels = labels
        choices = tuple(Label(str(number)) for number in range(labels))
        rules = ProjectRules(1, (Field("label", choices),), prices=Prices(20_000))
        for number, (name, stream) in enumerate(zip(names, self._streams, strict=True)):
            self._send(stream, CreateProject(name, f"bench {number}", rules))
        self.workers = [self._new_id() for _ in range(workers)]
        for worker in self.workers:
            self._send(organisation, UpsertWorker(worker, NO_ID, NO_ID))
        self._truths: dict[Id, int] = {}
        for stream in self._streams:
            for begun in range(0, tasks, IMPORT_ROWS):
                count = min(IMPORT_ROWS, tasks - begun)
                rows = tuple(NewTask(self._new_id(), self._new_id(), digest=b"d" * 16) for _ in range(count))
                self._truths |= {row.item: self._random.randrange(labels) for row in rows}
                self._send(stream, AddTasks(rows))
        self.machine: ProjectMachine = self.shard.project(TENANT, names[0])

    def meet(self) -> None:
        """Have every worker do one task of every project: a first request makes tables that stay."""
        for stream in self._streams:
            self._run(self.workers, [stream] * len(self.workers))

    def cycles(self, count: int) -> tuple[float, float]:
        """Run cycles of whom chance says; give the wall and the CPU time of one, in microseconds."""
        chance = self._random
        workers = [chance.choice(self.workers) for _ in range(count)]
        return self._run(workers, [chance.choice(self._streams) for _ in range(count)])

    def _run(self, workers: Sequence[Id], streams: Sequence[str]) -> tuple[float, float]:
        chance, count = self._random, len(workers)
        entropies = [chance.randbytes(16) for _ in range(2 * count)]
        right = [chance.random() < ACCURACY for _ in range(count)]
        guesses = [chance.randrange(self._labels) for _ in range(count)]
        shard, truths, now_us = self.shard, self._truths, self._now_us
        wall, cpu = time.perf_counter(), time.process_time()
        for number, (worker, stream) in enumerate(zip(workers, streams, strict=True)):
            now_us += 1_000
            _, offered = shard.handle(Request(stream, RequestNext(worker), entropies[2 * number]), now_us)
            assert isinstance(offered, Offered)
            (lease,) = offered.leases
            label = truths[lease.item] if right[number] else guesses[number]
            answer = SubmitAnswer(worker, lease.assignment, lease.fence, (Choice(0, label),))
            shard.handle(Request(stream, answer, entropies[2 * number + 1]), now_us)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self._now_us = now_us
        return wall / count * 1e6, cpu / count * 1e6

    def _new_id(self) -> Id:
        return self._random.randbytes(16)

    def _send(self, stream: str, command: Command) -> Reply:
        self._now_us += 1_000
        return self.shard.handle(Request(stream, command, self._new_id()), self._now_us)[1]
