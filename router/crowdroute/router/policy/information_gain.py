"""The engine's own policy: each worker gets the task about which their answer is expected to tell most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.model.ids import Id, unit
from crowdroute.router.model.states import Stage
from crowdroute.router.policy import choosing, drawing
from crowdroute.router.policy.base import Pick
from crowdroute.router.policy.buckets import Buckets
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.policy.plans import Plan, Plans, nothing_of
from crowdroute.router.policy.values import Values
from crowdroute.router.state.project import Project

SEED_BITS = (1 << 62) - 1
"""Keeps seeds positive and away from overflow in signed 64-bit arithmetic."""

WINDOW_PER_WORKER = 20
"""Tasks under way per worker at work, over all signatures: enough for everyone to find one they have not
seen."""
SMALLEST_WINDOW = 32

STEPS_TO_REMEMBER = 64
"""Tasks passed over in one request from which on it pays to remember where searches left off."""
LEAST_CURSORS, MOST_CURSORS = 512, 4096
"""Buckets remembered per worker, 24 bytes each: twice as many when half of the places are taken."""


_CROWD = Stage.CROWD
"""Looking it up in its class is slow, and every request asks."""


def new_cursors(count: int) -> NDArray[np.int64]:
    """Give room for so many cursors (bucket, task, turn), a power of two; bucket -1 for none."""
    return np.full((count, 3), -1, np.int64)


class InformationGain:
    """Chooses by priority class, then by the mutual information of the worker's next answer and the task's
    truth.

    Most of what it knows of a task is its posterior cell, so tasks of one cell are taken in turn. A label in
    flight counts as half a label towards certainty; a task that the labels in flight may well settle is given
    only when nothing else fits. Pure information gain goes for breadth, since fresh tasks have most to tell,
    and would finish nothing: while as many tasks of a signature are under way as the window allows, fresh
    ones are given only to those whom no begun one fits. Deadlines lift tasks by priority classes as they come
    near, by the log's time, which stands still between events.

    With probability ε (`rules.routing.exploration`) one task is drawn uniformly from all that the worker's
    signatures and allow lists offer, and given under the name `explore` if it fits; if not, the policy
    chooses. Propensities are those of the name and the task together: ε / N for an explored task, N being
    what it was drawn from, which is exact; for any other 1 - ε, and ε / N more when a draw is known not to
    have fitted, which is too low by the part of ε whose draws do not fit.

    The same events, requests and entropy give the same picks. A request may tidy up indexes (tasks that can
    never fit again, places where searches left off), so what it is given can depend on the requests before
    it.
    """

    name = "information_gain"

    def __init__(self, state: Project) -> None:
        """Index nothing yet."""
        self._state = state
        self.buckets = Buckets(state, by_posterior=True)
        self.touch = self.buckets.touch
        self._eligible = EligibleSignatures(state)
        self._plans = Plans(state, self._eligible)
        self.values = Values(state, self.buckets.grid, self._eligible)
        #: Of workers who have seen much: where their searches left off, per bucket.
        self._cursors: dict[int, NDArray[np.int64]] = {}
        #: What a search by anybody else writes into; theirs from then on when they passed over much.
        self._blank = new_cursors(LEAST_CURSORS)

    def rebuild(self) -> None:
        """Build every index from the state, and compile (or load) what requests call, so that none waits for
        that."""
        self.buckets.rebuild()
        self.values = Values(self._state, self.buckets.grid, self._eligible)
        self._cursors.clear()
        nothing = nothing_of(len(self._state.signatures))
        self.buckets.first(0, Stage.SENIOR, nothing)
        drawing.draw(self.buckets.held(), *nothing, 0, 0)
        self._best(self.buckets.held(), nothing, 0, 0)

    def pick(self, worker: int, stage: Stage, entropy: Id) -> Pick | None:
        """Give a task for the worker at a stage, or None when there is none."""
        held = self.buckets.catch_up()
        if stage != _CROWD:
            oldest = self.buckets.first(worker, stage, self._plans.of(worker, stage))
            return None if oldest is None else Pick(oldest, "stage", 0.0, 1.0)
        plan = self.values.plan(worker)
        seed = int.from_bytes(entropy[:8], "big") & SEED_BITS
        exploration = self._state.rules.routing.exploration
        propensity = 1.0 - exploration
        if unit(entropy[8:]) < exploration:
            task, among = drawing.draw(held, *plan, worker, seed)
            if task >= 0:
                return Pick(task, "explore", self._value(plan, task), exploration / among)
            propensity += exploration / max(among, 1)
        task, value = self._best(held, plan, worker, seed)
        if task < 0:
            return None
        policy = "allowed" if self.buckets.cards.listed[task] else self.name
        return Pick(task, policy, value, propensity)

    def _value(self, plan: Plan, task: int) -> float:
        cards = self.buckets.cards
        return float(self.values.values[plan.table_of[cards.signature[task]], cards.cell[task]])

    def _best(self, held: NDArray[Any], plan: Plan, worker: int, seed: int) -> tuple[int, float]:
        own = self._cursors.get(worker)
        cursors = self._blank if own is None else own
        task, value, steps = choosing.choose(
            held,
            plan.codes,
            plan.table_of,
            self.values.values,
            self.values.order,
            self._window(),
            cursors,
            worker,
            seed,
        )
        if steps > STEPS_TO_REMEMBER:
            self._remember(worker, cursors)
        elif own is None and steps > 0:
            cursors[:] = -1
        return task, value

    def _remember(self, worker: int, cursors: NDArray[np.int64]) -> None:
        """Keep where a worker's searches left off, with more room when there is too little of it."""
        if cursors is self._blank:
            self._blank = new_cursors(LEAST_CURSORS)
            self._cursors[worker] = cursors
        taken = int(np.count_nonzero(cursors[:, 0] >= 0))
        if 2 * taken >= len(cursors) and len(cursors) < MOST_CURSORS:
            self._cursors[worker] = new_cursors(2 * len(cursors))

    def _window(self) -> int:
        """Give how many tasks of a signature may be under way before fresh ones have to wait."""
        fixed = self._state.rules.routing.window
        if fixed:
            return fixed
        shares = len(self._state.signatures.values) or 1
        window = WINDOW_PER_WORKER * self.buckets.holders // shares
        return window if window > SMALLEST_WINDOW else SMALLEST_WINDOW
