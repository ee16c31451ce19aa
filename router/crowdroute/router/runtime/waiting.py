"""Who waits for work, and who is tried next when some may have opened.

A seeker that found nothing is parked with its project. Whatever becomes durable and may have opened work (a
lease that ended, a task that was opened, rules that changed) is noted as an opening; then those parked
seekers that the opening could serve are tried in the order in which they came, until the opening is used up.
Projects take turns, one try each, so that an import into one project does not delay a freed task in another.

A seeker is parked in the same step in which it was tried in vain, so no opening falls between the two; and it
is tried once more before it is sent away. So nobody is told that there is no task while there is one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from crowdroute.router.commands.project import STAGES
from crowdroute.router.commands.replies import Offered
from crowdroute.router.errors import RouterError, ShuttingDown
from crowdroute.router.events import Entry
from crowdroute.router.events import project as facts
from crowdroute.router.machine.shard import Shard
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import ProjectState
from crowdroute.router.policy.base import may_be_given
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

TRIES_PER_TURN = 32
"""Steps between two looks at the network: about two milliseconds of deciding."""

MOST_TASKS = 64
"""Tasks opened at once beyond which everybody is tried instead of being matched task by task."""

LOOKS_PER_STEP = 64
"""Parked seekers passed over in one step."""

EVERYBODY = -1
"""Opening that could serve anyone."""

OPENS_TASK = (facts.TaskOpened, facts.SlotsPlanned, facts.TaskEscalated, facts.TaskReopened)
"""Events that make a task want somebody."""

ENDS_LEASE = (
    facts.LeaseExpired,
    facts.LeaseReleased,
    facts.AssignmentSkipped,
    facts.LeaseRevoked,
    facts.AnswerSubmitted,
    facts.AnswerWithdrawn,
    facts.AnswerDiscounted,
)
"""Events that make room for their worker, and all but an answer for their task too."""


class Seeker(Protocol):
    """Somebody who waits for work in one project."""

    stream: str
    worker: Id

    def seek(self) -> bool:
        """Try to get work now; tells whether it waits no longer. It must not raise."""

    def close(self, error: ShuttingDown) -> None:
        """Learn that there will be no work from this process."""


class _Search:
    """One call that waits for work."""

    def __init__(self, stream: str, worker: Id, decide: Callable[[], Offered]) -> None:
        self.stream = stream
        self.worker = worker
        self._decide = decide
        self.found: asyncio.Future[Offered] = asyncio.get_running_loop().create_future()

    def seek(self) -> bool:
        """Ask the core once more; a refusal ends the search too."""
        if not self.found.done():
            try:
                offered = self._decide()
            except RouterError as error:
                self.found.set_exception(error)
            else:
                if offered.leases:
                    self.found.set_result(offered)
        return self.found.done()

    def give_up(self) -> None:
        """Ask for the last time, and take what the answer is."""
        if not self.found.done():
            try:
                self.found.set_result(self._decide())
            except RouterError as error:
                self.found.set_exception(error)

    def close(self, error: ShuttingDown) -> None:
        """End in vain."""
        if not self.found.done():
            self.found.set_exception(error)


class _Queue:
    """The seekers of one project, and the openings not gone through yet."""

    def __init__(self, stream: str, state: Project) -> None:
        self.stream = stream
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
            if isinstance(event, OPENS_TASK):
                self.openings.append(tasks.find(event.task))
            elif isinstance(event, ENDS_LEASE):
                row = table.find(event.assignment)
                self.workers.append(self.state.workers.id_of(table.worker[row]))
                # What comes in while a check is waited for may make the crowd wanted again.
                if not isinstance(event, facts.AnswerSubmitted) or tasks.in_review[table.task[row]]:
                    self.openings.append(table.task[row])
            elif isinstance(event, facts.ReviewConcluded | facts.AnswerAmended):
                self.openings.append(table.task[table.find(event.assignment)])
            elif isinstance(event, facts.WorkerFactApplied):
                self.workers.append(event.facts.worker)
            elif isinstance(event, facts.RulesApplied | facts.ProjectResumed):
                self.openings.append(EVERYBODY)
        if len(self.openings) > MOST_TASKS:
            self.openings = deque([EVERYBODY])

    def serve(self) -> Iterator[None]:
        """Try seekers for the openings noted so far, one step per try: openings for anybody come first, so
        that nobody overtakes others because something about themselves changed too."""
        while self.workers or self.openings:
            if self.openings:
                yield from self._serve_opening(self.openings.popleft())
            else:
                worker = self.workers.popleft()
                yield from self._try([seeker for seeker in self.parked if seeker.worker == worker])

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

    async def search(self, stream: str, worker: Id, decide: Callable[[], Offered], seconds: float) -> Offered:
        """Wait for work; call it in the step in which `decide` found none.

        Args:
            stream: of the project.
            worker: who asks.
            decide: asks the core once (`Engine.decide`).
            seconds: how long to wait; the core is asked a last time at the end.

        Raises:
            RouterError: what `decide` raised, or that this process is about to stop.
        """
        search = _Search(stream, worker, decide)
        self.park(search)
        timer = asyncio.get_running_loop().call_later(seconds, search.give_up)
        try:
            return await search.found
        finally:
            timer.cancel()
            self.leave(search)

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
            queue = self._queues[seeker.stream] = _Queue(seeker.stream, state)
        queue.parked[seeker] = None

    def leave(self, seeker: Seeker) -> None:
        """Forget a seeker, parked or not."""
        queue = self._queues.get(seeker.stream)
        if queue is not None:
            queue.parked.pop(seeker, None)
            self._forget(queue)

    def count(self, stream: str) -> int:
        """Give how many wait for work in a project."""
        queue = self._queues.get(stream)
        return len(queue.parked) if queue is not None else 0

    def count_all(self) -> int:
        """Give how many wait for work in all projects together."""
        return sum(len(queue.parked) for queue in self._queues.values())

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

    def _forget(self, queue: _Queue) -> None:
        """Let go of a queue that nobody is in."""
        if not queue.parked and not queue.scheduled:
            self._queues.pop(queue.stream, None)

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
                self._forget(queue)
            else:
                self._turns.append(queue)
        if self._turns:
            self._handle = asyncio.get_running_loop().call_soon(self._turn)
