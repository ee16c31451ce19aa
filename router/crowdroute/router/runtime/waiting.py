"""Who waits for work, and who is tried next when some may have opened.

A seeker that found nothing is parked with its project. Whatever becomes durable and may have opened work (a
lease that ended, a task that was opened, rules that changed) is noted as an opening; then those parked seekers
that the opening could serve are tried in the order in which they came, until the opening is used up. Projects
take turns, one try each, so that an import into one project does not delay a freed task in another.

A seeker is parked in the same step in which it was tried in vain, so no opening falls between the two; and it
is tried once more before it is sent away. So nobody is told that there is no task while there is one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

from crowdroute.router.commands.project import STAGES
from crowdroute.router.errors import NotFound, ShuttingDown
from crowdroute.router.events import Entry
from crowdroute.router.events import project as facts
from crowdroute.router.machine.shard import Shard
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import ProjectState
from crowdroute.router.policy.base import may_be_given
from crowdroute.router.quality.eligibility import EligibleSignatures
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

TRIES_PER_TURN = 32
"""Steps between two looks at the network: about two milliseconds of deciding."""

MOST_TASKS = 64
"""Tasks opened at once beyond which everybody is tried instead of being matched task by task."""

LOOKS_PER_STEP = 64
"""Parked seekers passed over in one step."""

EVERYBODY = -1
"""Opening that could serve anyone."""


class Seeker(Protocol):
    """Somebody who waits for work in one project."""

    stream: str
    worker: Id

    def seek(self) -> bool:
        """Try to get work now; tells whether it waits no longer. It must not raise."""

    def close(self, error: ShuttingDown) -> None:
        """Learn that there will be no work from this process."""


_TASK_OPENS = frozenset(
    {facts.TaskOpened, facts.SlotsPlanned, facts.TaskEscalated, facts.TaskReopened}
)
_LEASE_ENDS = frozenset(
    {facts.LeaseExpired, facts.LeaseReleased, facts.AssignmentSkipped, facts.LeaseRevoked}
)
_SLOT_RETURNS = frozenset({facts.AnswerWithdrawn, facts.AnswerDiscounted})
_EVERYTHING_CHANGES = frozenset({facts.RulesApplied, facts.ProjectResumed})


class _Queue:
    """The seekers of one project, and the openings not gone through yet."""

    def __init__(self, state: Project) -> None:
        self.state = state
        self.parked: dict[Seeker, None] = {}
        self.openings: deque[int] = deque()
        self.workers: deque[Id] = deque()
        self.steps: Iterator[None] = iter(())
        self.scheduled = False
        self._eligible = EligibleSignatures(state)

    def note(self, entry: Entry) -> None:
        """Note what an entry may have opened."""
        table, tasks = self.state.assignments, self.state.tasks
        for event in entry.events:
            kind = type(event)
            if kind in _TASK_OPENS:
                self.openings.append(tasks.find(event.task))  # type: ignore[union-attr]  # these have a task
            elif kind in _LEASE_ENDS or kind in _SLOT_RETURNS or kind is facts.AnswerSubmitted:
                row = table.find(event.assignment)  # type: ignore[union-attr]  # these have an assignment
                self.workers.append(self.state.workers.id_of(table.worker[row]))
                if kind is not facts.AnswerSubmitted:
                    self.openings.append(table.task[row])
            elif isinstance(event, facts.WorkerFactApplied):
                self.workers.append(event.facts.worker)
            elif kind in _EVERYTHING_CHANGES:
                self.openings.append(EVERYBODY)
        if len(self.openings) > MOST_TASKS:
            self.openings = deque([EVERYBODY])

    def serve(self) -> Iterator[None]:
        """Try seekers for the openings noted so far; one step per try."""
        while self.workers or self.openings:
            if self.workers:
                worker = self.workers.popleft()
                yield from self._try([seeker for seeker in self.parked if seeker.worker == worker])
            else:
                yield from self._serve_opening(self.openings.popleft())

    def _serve_opening(self, task: int) -> Iterator[None]:
        if self.state.state == ProjectState.PAUSED:
            return
        if task == EVERYBODY:
            yield from self._try(list(self.parked))
            return
        for place, seeker in enumerate(list(self.parked)):
            if not any(self.state.wanted(task, stage) for stage in STAGES):
                return
            if seeker in self.parked and self._could_serve(task, seeker.worker):
                yield from self._try([seeker])
            elif place % LOOKS_PER_STEP == LOOKS_PER_STEP - 1:
                yield

    def _try(self, seekers: list[Seeker]) -> Iterator[None]:
        for seeker in seekers:
            if seeker in self.parked:
                if seeker.seek():
                    self.parked.pop(seeker, None)
                yield

    def _could_serve(self, task: int, worker: Id) -> bool:
        """Say whether the task may be something for the worker; when in doubt, it may."""
        state = self.state
        row = state.workers.find(worker)
        if row < 0 or state.tasks.purpose[task] in WITH_KNOWN_ANSWER:
            return True
        signature = state.tasks.signature[task]
        return any(
            state.may_work_at(row, stage)
            and may_be_given(state, row, task, stage)
            and signature in self._eligible.of(row, stage)
            for stage in STAGES
        )


class Waiting:
    """All parked seekers of a shard."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._queues: dict[str, _Queue] = {}
        self._turns: deque[_Queue] = deque()
        self._handle: asyncio.Handle | None = None
        self._closed: ShuttingDown | None = None

    def park(self, seeker: Seeker) -> None:
        """Have a seeker tried again when work may have opened; call it in the step in which it failed.

        Raises:
            ShuttingDown: nobody will be tried any more.
            NotFound: there is no such project.
        """
        if self._closed is not None:
            raise self._closed
        queue = self._queues.get(seeker.stream)
        if queue is None:
            state = self._shard.project_state(seeker.stream)
            queue = self._queues[seeker.stream] = _Queue(state)
        queue.parked[seeker] = None

    def leave(self, seeker: Seeker) -> None:
        """Forget a seeker, parked or not."""
        queue = self._queues.get(seeker.stream)
        if queue is not None:
            queue.parked.pop(seeker, None)
            if not queue.parked and not queue.scheduled:
                del self._queues[seeker.stream]

    def count(self, stream: str) -> int:
        """Give how many wait for work in a project."""
        queue = self._queues.get(stream)
        return len(queue.parked) if queue is not None else 0

    def on_durable(self, entries: Sequence[Entry]) -> None:
        """Note what durable entries may have opened."""
        if not self._queues:
            return
        for entry in entries:
            queue = self._queues.get(entry.stream)
            if queue is not None:
                queue.note(entry)
                if (queue.openings or queue.workers) and not queue.scheduled:
                    queue.scheduled = True
                    queue.steps = queue.serve()
                    self._turns.append(queue)
        if self._turns and self._handle is None:
            self._handle = asyncio.get_running_loop().call_soon(self._turn)

    def close(self) -> None:
        """Send everybody away, now and from now on."""
        self._closed = ShuttingDown("this process is about to stop: ask for work again")
        for queue in list(self._queues.values()):
            for seeker in list(queue.parked):
                seeker.close(self._closed)
        self._queues.clear()
        self._turns.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _turn(self) -> None:
        """Let each project with openings take a step, in turn, for a short while."""
        self._handle = None
        for _ in range(TRIES_PER_TURN):
            if not self._turns:
                return
            queue = self._turns.popleft()
            try:
                next(queue.steps)
            except StopIteration:
                queue.scheduled = False
            else:
                self._turns.append(queue)
        if self._turns:
            self._handle = asyncio.get_running_loop().call_soon(self._turn)


__all__ = ["NotFound", "Seeker", "Waiting"]
