"""The baseline of pure chance: every task that fits is equally probable."""

from __future__ import annotations

from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import Stage
from crowdroute.router.policy import drawing
from crowdroute.router.policy.base import Pick
from crowdroute.router.policy.buckets import Buckets
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.policy.plans import Plans, nothing_of
from crowdroute.router.state.project import Project

SEED_BITS = (1 << 62) - 1


class RandomChoice:
    """Draws uniformly from the crowd tasks that fit, whatever their priority; senior and expert work goes in
    turn.

    Exact when the worker's signatures and allow lists offer at most `drawing.FEW` tasks: the propensity is
    then 1 over the number that fit. Otherwise tasks are drawn until one fits, uniformly still, and the
    propensity is 1 over all that were drawn from, too low by the share that does not fit; only a worker who
    has seen nearly everything meets the end of drawing, and gets the next fitting task after a chance place.
    """

    name = "random"

    def __init__(self, state: Project) -> None:
        """Index nothing yet."""
        self._state = state
        self._buckets = Buckets(state, by_posterior=False)
        self._plans = Plans(state, EligibleSignatures(state))

    def rebuild(self) -> None:
        """Build every index from the state, and compile (or load) what requests call, so that none waits for
        that."""
        self._buckets.rebuild()
        nothing = nothing_of(len(self._state.signatures))
        self._buckets.first(0, Stage.SENIOR, nothing)
        drawing.any_of_all(self._buckets.held(), *nothing, 0, 0)

    def touch(self, task: int) -> None:
        """Note that one task is to be placed anew."""
        self._buckets.touch(task)

    def pick(self, worker: int, stage: Stage, entropy: Id) -> Pick | None:
        """Give a task for the worker at a stage, or None when there is none."""
        held = self._buckets.catch_up()
        plan = self._plans.of(worker, stage)
        if stage != Stage.CROWD:
            oldest = self._buckets.first(worker, stage, plan)
            return None if oldest is None else Pick(oldest, "stage", 0.0, 1.0)
        seed = int.from_bytes(entropy[:8], "big") & SEED_BITS
        task, among = drawing.any_of_all(held, *plan, worker, seed)
        return None if task < 0 else Pick(task, self.name, 0.0, 1.0 / among)
