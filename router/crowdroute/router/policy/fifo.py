"""The baseline every policy must beat: the oldest task of the highest priority."""

from __future__ import annotations

from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Pick
from crowdroute.router.policy.buckets import Buckets
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.policy.plans import Plans, nothing_of
from crowdroute.router.state.project import Project


class Fifo:
    """First come, first served, within a priority; a task that nobody was wanted on for a while queues
    anew."""

    name = "fifo"

    def __init__(self, state: Project) -> None:
        """Index nothing yet."""
        self._state = state
        self._buckets = Buckets(state, by_posterior=False)
        self._plans = Plans(state, EligibleSignatures(state))

    def rebuild(self) -> None:
        """Enter every task anew, and compile (or load) what requests call, so that none waits for that."""
        self._buckets.rebuild()
        self._buckets.first(0, Stage.CROWD, nothing_of(len(self._state.signatures)))

    def touch(self, task: int) -> None:
        """Keep the task in the queues of the stages that want it."""
        self._buckets.touch(task)
        # At once: a task that nobody was wanted on for a moment has lost its place, whether anybody looked or
        # not.
        self._buckets.catch_up()

    def pick(self, worker: int, stage: Stage, entropy: Id) -> Pick | None:
        """Give the oldest fitting task of the highest priority."""
        task = self._buckets.first(worker, stage, self._plans.of(worker, stage))
        return None if task is None else Pick(task, self.name, 0.0, 1.0)
