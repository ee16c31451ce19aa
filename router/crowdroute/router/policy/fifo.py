"""The baseline every policy must beat: the oldest task of the highest priority, by looking at each in
turn."""

from __future__ import annotations

from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Pick, may_be_given
from crowdroute.router.quality.eligibility import EligibleSignatures
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

STAGES = (Stage.CROWD, Stage.SENIOR, Stage.EXPERT)


class Fifo:
    """First come, first served, within a priority.

    Exact and plain: it walks every open task until one fits, so it is also what the indexed policies are
    compared with.
    """

    name = "fifo"

    def __init__(self, state: Project) -> None:
        """Index nothing yet."""
        self._state = state
        self._eligible = EligibleSignatures(state)
        # Task rows in the order they were opened, per (stage, priority); insertion order is arrival order.
        self._open: dict[tuple[Stage, int], dict[int, None]] = {}

    def rebuild(self) -> None:
        """Enter every task anew."""
        self._open.clear()
        for task in range(self._state.tasks.count):
            self.touch(task)

    def touch(self, task: int) -> None:
        """Keep the task in the queues of the stages that want it."""
        tasks = self._state.tasks
        if tasks.purpose[task] in WITH_KNOWN_ANSWER:
            return
        for stage in STAGES:
            queue = self._open.setdefault((stage, tasks.priority[task]), {})
            if self._state.wanted(task, stage):
                queue.setdefault(task)
            else:
                queue.pop(task, None)

    def pick(self, worker: int, stage: Stage, entropy: Id) -> Pick | None:
        """Give the oldest fitting task of the highest priority."""
        eligible = set(self._eligible.of(worker, stage).tolist())
        for priority in (3, 2, 1, 0):
            for task in self._open.get((stage, priority), ()):
                fits = self._state.tasks.signature[task] in eligible
                if fits and may_be_given(self._state, worker, task, stage):
                    return Pick(task, self.name, 0.0, 1.0)
        return None
