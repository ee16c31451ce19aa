"""Play a recorded crowd against the core alone: no network, no disk, and with one seed always the same
log."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import (
    AddTasks,
    CreateProject,
    NewTask,
    RequestNext,
    SubmitAnswer,
)
from crowdroute.router.commands.replies import Granted, Offered
from crowdroute.router.events import Entry
from crowdroute.router.machine.project.explaining import most_probable
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import Stage, TaskState
from crowdroute.router.replay.outcome import UNRECORDED, Ending, Outcome
from crowdroute.router.replay.recorded import RecordedCrowd, arrivals, imports, playable
from crowdroute.router.state.tables import NONE

START_US = 1_700_000_000_000_000
"""Where the replay's clock starts: any fixed moment does."""
STEP_US = 1
"""How far the clock goes with each command: even a lease of a second outlasts a million of them."""
ROWS = 1_000
"""Tasks per import command."""
ALLOWED = 100_000
"""Workers named by the tasks of one import command."""
TENANT = "replay"


class InProcessReplay:
    """One run of a recorded crowd through a shard of its own."""

    def __init__(self, crowd: RecordedCrowd, rules: ProjectRules, seed: int, concurrency: int = 1) -> None:
        """Set up the project with its workers and tasks; each task is open to those who labelled it.

        `concurrency` is how many leases are held at once; answers then come back in a chance order.
        """
        self._crowd = crowd
        self._code_of = crowd.codes_in(rules)
        self._label_of = {code: label for label, code in enumerate(self._code_of)}
        self._seed = seed
        self._concurrency = concurrency
        self._random = random.Random(seed + 2)
        self._now_us = START_US
        self.shard = Shard()
        self.entries: list[Entry] = []
        self._organisation = organisation_stream(TENANT)
        project = self._entropy()
        self._project_id = project
        self._project = project_stream(TENANT, project)
        self._run(self._organisation, CreateOrganisation(TENANT))
        self._run(self._project, CreateProject(project, "replay", playable(rules)))
        self.workers = [self._add_worker() for _ in crowd.workers]
        self.tasks: list[Id] = [b""] * len(crowd.tasks)
        self._task_of_item: dict[Id, int] = {}
        self._add_tasks()

    def play(self, progress: Callable[[int], None] = lambda done: None) -> Outcome:
        """Let every worker come as often as in the record, then until nobody finds work; `progress` gets
        labels used."""
        began = time.perf_counter()
        outcome = Outcome([], [])
        idle: set[int] = set()
        held: list[tuple[int, Granted]] = []
        queue = arrivals(self._crowd, self._seed)
        while queue:
            for worker in queue:
                if worker not in idle and not self._take(worker, held):
                    idle.add(worker)
                if len(held) >= self._concurrency:
                    self._answer(held, outcome)
                    progress(outcome.used)
            while held:
                self._answer(held, outcome)
            # Those who found nothing may find something now that other tasks are done.
            queue = sorted(worker for worker in set(queue) if self._take_once(worker, outcome))
            idle.clear()
        outcome.seconds = time.perf_counter() - began
        outcome.cycles = outcome.used
        self.conclude(outcome)
        return outcome

    def _take_once(self, worker: int, outcome: Outcome) -> bool:
        held: list[tuple[int, Granted]] = []
        if not self._take(worker, held):
            return False
        self._answer(held, outcome)
        return True

    def _take(self, worker: int, held: list[tuple[int, Granted]]) -> bool:
        reply = self._run(self._project, RequestNext(self.workers[worker]))
        assert isinstance(reply, Offered)
        held.extend((worker, lease) for lease in reply.leases)
        return bool(reply.leases)

    def _answer(self, held: list[tuple[int, Granted]], outcome: Outcome) -> None:
        place = self._random.randrange(len(held)) if len(held) > 1 else 0
        worker, lease = held.pop(place)
        task = self._task_of_item[lease.item]
        answer = (Choice(0, self._code_of[self._crowd.answers[task, worker]]),)
        self._run(self._project, SubmitAnswer(self.workers[worker], lease.assignment, lease.fence, answer))
        outcome.used += 1

    def conclude(self, outcome: Outcome) -> None:
        """Read every task's ending and label from the shard."""
        state = self.shard.project(TENANT, self._project_id).state
        outcome.reviews = sum(state.workers.reviews[row] for row in range(state.workers.count))
        for identity in self.tasks:
            task = state.task(identity)
            result = state.tasks.result[task]
            if result != NONE:
                outcome.endings.append(Ending.FINALISED)
                outcome.labels.append(self._label_of.get(state.result_fields(result)[0].label, UNRECORDED))
            else:
                escalated = (
                    state.tasks.stage[task] == Stage.EXPERT and state.tasks.state[task] == TaskState.OPEN
                )
                outcome.endings.append(Ending.ESCALATED if escalated else Ending.EXHAUSTED)
                outcome.labels.append(self._label_of.get(most_probable(state, task)[0].label, UNRECORDED))
            outcome.used_per_task.append(sum(1 for _ in state.assignments_of_task(task)))

    def _add_worker(self) -> Id:
        worker = self._entropy()
        self._run(self._organisation, UpsertWorker(worker, self._entropy(), self._entropy()))
        return worker

    def _add_tasks(self) -> None:
        for part in imports(self._crowd, self._seed, ROWS, ALLOWED):
            rows = []
            for task in part:
                item, identity = self._entropy(), self._entropy()
                self.tasks[task] = identity
                self._task_of_item[item] = task
                allow = tuple(self.workers[worker] for worker in self._crowd.workers_of[task])
                rows.append(NewTask(item, identity, digest=item, allow=allow))
            self._run(self._project, AddTasks(tuple(rows)))

    def _entropy(self) -> Id:
        return self._random.randbytes(16)

    def _run(self, stream: str, command: Command) -> Reply:
        self._now_us += STEP_US
        entries, reply = self.shard.handle(Request(stream, command, self._entropy()), self._now_us)
        self.entries.extend(entries)
        return reply
