"""Tasks with a known answer, and which of them a worker has not met: gold, training, qualification."""

from __future__ import annotations

from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import AssignmentState, Purpose, Revision, Stage, TaskState
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project
from crowdroute.router.state.tables import NONE

_GIVEN_BACK = frozenset(
    int(state) for state in (AssignmentState.SKIPPED, AssignmentState.RELEASED, AssignmentState.EXPIRED)
)


class KnownTasks:
    """The open tasks per purpose and signature, and what every person has seen of them.

    What persons saw is kept here because a gold task meets thousands of workers: its chain of assignments is
    too long to walk. A worker's person never changes once they were granted something.
    """

    def __init__(self, state: Project) -> None:
        """Index nothing yet."""
        self._state = state
        self._eligible = EligibleSignatures(state)
        self._open: dict[tuple[int, int], list[int]] = {}
        self._place: dict[int, int] = {}
        self._seen: dict[int, set[int]] = {}
        #: Per task, the newest assignment that `_seen` accounts for.
        self._synced: dict[int, int] = {}
        #: Open tasks that came back from somebody and were given to nobody since, in the order in which they
        #: did.
        self._returned: dict[int, None] = {}

    def rebuild(self) -> None:
        """Enter every task anew."""
        for index in (self._open, self._place, self._seen, self._synced, self._returned):
            index.clear()
        for task in range(self._state.tasks.count):
            self.touch(task)
            newest = self._state.tasks.first_assignment[task]
            if newest != NONE and self._was_returned(newest):
                self.give_back(task)

    def touch(self, task: int) -> None:
        """Note that one task was opened, closed or granted."""
        tasks, table = self._state.tasks, self._state.assignments
        if tasks.purpose[task] not in WITH_KNOWN_ANSWER:
            return
        row, synced = tasks.first_assignment[task], self._synced.get(task, NONE)
        self._synced[task] = row
        grant = row
        while grant != synced:
            person = self._state.workers.person[table.worker[grant]]
            self._seen.setdefault(person, set()).add(task)
            grant = table.next_of_task[grant]
        is_open = tasks.state[task] == TaskState.OPEN
        if row != synced or not is_open:
            self._returned.pop(task, None)
        own = self._open.setdefault((tasks.purpose[task], tasks.signature[task]), [])
        if is_open and task not in self._place:
            self._place[task] = len(own)
            own.append(task)
        elif not is_open and task in self._place:
            place, last = self._place.pop(task), own.pop()
            if last != task:
                own[place] = last
                self._place[last] = place

    def give_back(self, task: int) -> None:
        """Note that somebody who was given the task will not answer it."""
        if task in self._place:
            self._returned.setdefault(task)

    def pick(self, worker: int, purpose: Purpose, entropy: Id) -> int | None:
        """Give an open task of the purpose that the worker's person never saw, or None.

        The search starts at a chance place, so that nobody can tell which gold comes next. O(tasks of the
        purpose).
        """
        codes = self._eligible.of(worker, Stage.CROWD).tolist()
        groups = [tasks for code in codes if (tasks := self._open.get((purpose, code)))]
        total = sum(map(len, groups))
        if not total:
            return None
        begin = int.from_bytes(entropy[:8], "big") % total
        seen = self._seen.get(self._state.workers.person[worker], set())
        every = [task for tasks in groups for task in tasks]
        for task in every[begin:] + every[:begin]:
            if task not in seen and self._allows(worker, task):
                return task
        return None

    def pick_returned(self, worker: int, purpose: Purpose) -> int | None:
        """Give an open task of the purpose that somebody gave back, that nobody was given since, and that the
        worker's person never saw, or None. O(tasks given back)."""
        if not self._returned:
            return None
        tasks = self._state.tasks
        codes = set(self._eligible.of(worker, Stage.CROWD).tolist())
        seen = self._seen.get(self._state.workers.person[worker], set())
        for task in self._returned:
            fits = tasks.purpose[task] == purpose and tasks.signature[task] in codes
            if fits and task not in seen and self._allows(worker, task):
                return task
        return None

    def _was_returned(self, row: int) -> bool:
        """Say whether an assignment came back; of older ones than a task's newest nobody knows any more after
        a restart whether they did before it was given again."""
        table = self._state.assignments
        return table.state[row] in _GIVEN_BACK or table.revision[row] == Revision.WITHDRAWN

    def _allows(self, worker: int, task: int) -> bool:
        tasks = self._state.tasks
        if tasks.allow_count[task] and worker not in self._state.allowed(task):
            return False
        return not (tasks.deny_count[task] and worker in self._state.denied(task))
