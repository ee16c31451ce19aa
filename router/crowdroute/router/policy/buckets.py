"""Where every open task stands, kept up to date event by event: what all indexed policies choose from."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.model.states import Stage, TaskState
from crowdroute.router.policy import drawing, placing
from crowdroute.router.policy.ageing import Ageing
from crowdroute.router.policy.cards import Cards
from crowdroute.router.policy.grid import CELLS, PRIORITIES, Grid, logit
from crowdroute.router.policy.held import HELD, hold
from crowdroute.router.policy.lists import Lists
from crowdroute.router.policy.plans import Plan
from crowdroute.router.policy.segments import Segments
from crowdroute.router.state.project import Project
from crowdroute.router.state.tables import NONE

Number = TypeVar("Number", bound=np.generic)

NO_POSTERIORS: NDArray[np.float64] = np.zeros((1, 0))

HIGHEST_TARGET = 1.0 - 1e-9
"""A target of certainty has no finite logit."""

WORKERS_PER_COUNT = 8
"""Workers are counted anew after a touch for every so many of them, so that counting costs little per
touch."""
LEAST_TOUCHES = 64

MOST_TOUCHED = 32
"""Touched tasks that wait to be placed together. A call of compiled code costs as much as placing a dozen
tasks, so that placing them command by command would take a tenth of a label cycle; and what a request does at
most for those before it is about as much as it does for itself."""


class Buckets:
    """Lists, pools and candidate sets over the open tasks; see `placing.place` for which task stands where.

    With a grid of posterior cells, priorities are lifted as deadlines come near; without one, neither is
    looked at.

    Tasks that were touched are placed together, when somebody asks (`catch_up`) or `MOST_TOUCHED` of them
    wait: several events in a row touch the same task, and a call of compiled code costs as much as placing
    several.
    """

    def __init__(self, state: Project, by_posterior: bool) -> None:
        """Make empty buckets; `rebuild` fills them."""
        self._state = state
        self._by_posterior = by_posterior
        self.cards = Cards()
        self.crowd = Lists(PRIORITIES * CELLS)
        self.upper = Lists(PRIORITIES * placing.UPPER_STAGES)
        self.pools = Segments()
        self.sets = Segments()
        self.occupied: NDArray[np.uint64] = np.zeros(0, np.uint64)
        #: Per signature, the tasks that the crowd has begun and is wanted on.
        self.under_way: NDArray[np.int32] = np.zeros(0, np.int32)
        self._counters = np.zeros(placing.COUNTERS, np.int64)
        self._signatures = 0
        self._ageing = Ageing()
        self._touched: NDArray[np.int64] = np.zeros(MOST_TOUCHED, np.int64)
        self._touched_cells = self._touched.data
        self._waiting = 0
        self._last_touched = NONE
        self._touches = 0
        self.holders = 0
        """How many workers held leases when they were last counted."""
        #: What `_held` has the addresses of; empty when something in it was replaced.
        self._arrays: tuple[NDArray[Any], ...] = ()
        self._held: NDArray[Any] = np.zeros(0, HELD)
        self._read_rules()

    def _read_rules(self) -> None:
        rules = self._state.rules
        self.grid = Grid(self._state.models.fields if self._by_posterior else ())
        self._groups = (
            self.grid.groups if self._state.models.fields and self._by_posterior else self.grid.groups[:0]
        )
        self._last_field = len(self._state.models.fields) - 1 if self._by_posterior else -1
        self._lease_us = rules.lease.duration_us if self._by_posterior else 0
        last = self._last_field
        self._terms = (
            self.grid.group_of[last] if last >= 0 else 0,
            self.grid.by_class[last] if last >= 0 else False,
            last == 0,
            self._groups,
            self._lease_us,
            logit(min(max(rules.stopping.target, 0.5), HIGHEST_TARGET)),
            rules.overlap.minimum,
        )

    def rebuild(self) -> None:
        """Place every task anew, under the rules as they are now."""
        state, tasks = self._state, self._state.tasks.count
        self._read_rules()
        self._follow()
        self.cards.clear(tasks)
        self.crowd.clear()
        self.upper.clear()
        self.occupied[:] = 0
        self.under_way[:] = 0
        # Room for all at once: filling segments that grow one by one would move them again and again.
        rows = state.tasks.rows[:tasks]
        open_signatures = rows["signature"][rows["state"] == TaskState.OPEN]
        named = state.listed.values[: state.listed_count, 0]
        self._counters[:] = 0
        self._counters[placing.POOLED] = self.pools.clear(np.bincount(open_signatures, minlength=1))
        self._counters[placing.CANDIDATES] = self.sets.clear(np.bincount(named, minlength=1))
        self._waiting, self._last_touched = 0, NONE
        for task in np.flatnonzero(rows["in_review"]).tolist():
            self._rest(task)
        self._place(np.arange(tasks), tasks)
        self._count_holders()
        if self._by_posterior:
            self._ageing.rebuild(self._state.tasks, self.cards, self._lease_us)

    def touch(self, task: int) -> None:
        """Note that one task is to be placed anew."""
        if task != self._last_touched:
            if self._waiting == MOST_TOUCHED:
                self._place_touched()
            self._touched_cells[self._waiting] = self._last_touched = task
            self._waiting += 1
        if task < self.cards.count and (self._state.tasks.in_review[task] or self.cards.resting[task]):
            self._rest(task)

    def _rest(self, task: int) -> None:
        self.cards.resting[task] = self._state.awaits_check(task)

    def catch_up(self) -> NDArray[Any]:
        """Place the touched tasks, and lift some of those whose deadlines have come near since they were
        placed, before anything here is looked at; give what `held` gives."""
        if self._ageing.next_us <= self._state.last_us:
            for task in self._ageing.due(self._state.last_us):
                self.touch(task)
        if not self._waiting:
            return self.held()
        self._place_touched()
        return self._held

    def _place_touched(self) -> None:
        count, self._waiting, self._last_touched = self._waiting, 0, NONE
        self._place(self._touched, count)
        if self._by_posterior:
            deadlines = self._state.tasks.deadline_us
            for task in self._touched[:count].tolist():
                if deadlines[task]:
                    self._ageing.arm(task, self._state.tasks, self.cards, self._lease_us)
        self._touches += count
        if self._touches > LEAST_TOUCHES and self._touches * WORKERS_PER_COUNT > self._state.workers.count:
            self._count_holders()

    def _count_holders(self) -> None:
        workers = self._state.workers
        self.holders = int(np.count_nonzero(workers.rows["live"][: workers.count]))
        self._touches = 0

    @property
    def signatures(self) -> int:
        """How many signatures there is room for."""
        return self._signatures

    def held(self) -> NDArray[Any]:
        """Give what compiled code works on; for this call only, since arrays that grow are replaced."""
        state = self._state
        if state.workers.count >= self.sets.keys:
            # Every worker has a candidate set.
            self.sets.follow(state.workers.count + 1)
            self._arrays = ()
        known = self._arrays
        if (
            not known
            or known[0] is not state.tasks.rows
            or known[1] is not state.assignments.rows
            or known[2] is not state.workers.rows
            or known[3] is not state.listed.values
        ):
            self._arrays = (
                state.tasks.rows,
                state.assignments.rows,
                state.workers.rows,
                state.listed.values,
                self.cards.rows,
                self.crowd.links,
                self.crowd.ends,
                self.occupied,
                self.under_way,
                self.pools.table,
                self.pools.arena,
                self.sets.table,
                self.sets.arena,
                self.upper.links,
                self.upper.ends,
                self._counters,
            )
            self._held = hold(self._arrays)
        return self._held

    def _follow(self) -> None:
        self._arrays = ()
        tasks, signatures = self._state.tasks.count, len(self._state.signatures)
        if signatures > self._signatures:
            self._signatures = max(2 * self._signatures, signatures)
            self.occupied = _longer(self.occupied, self._signatures * PRIORITIES)
            self.under_way = _longer(self.under_way, self._signatures)
            self.pools.follow(self._signatures)
        self.cards.follow(tasks)
        self.crowd.follow(tasks, self._signatures)
        self.upper.follow(tasks, self._signatures)

    def _place(self, which: NDArray[np.int64], count: int) -> None:
        """Place the first so many of some tasks, in their order."""
        state = self._state
        if state.tasks.count > self.cards.count or len(state.signatures.values) > self._signatures:
            self._follow()
        posteriors, class_counts = NO_POSTERIORS, NO_POSTERIORS[0]
        if self._last_field >= 0:
            for field in range(self._last_field):
                self._appraise(field, which, count)
            model = state.models.fields[self._last_field]
            posteriors, class_counts = model.posteriors, model.class_counts
        first = 0
        while True:
            outcome = placing.place(
                self.held(),
                posteriors,
                class_counts,
                which,
                first,
                count,
                state.last_us,
                *self._terms,
            )
            if outcome == placing.DONE:
                return
            first = int(self._counters[placing.REACHED])
            (self.pools if outcome == placing.POOLS_FULL else self.sets).grow()
            self._arrays = ()

    def _appraise(self, field: int, which: NDArray[np.int64], count: int) -> None:
        model = self._state.models.fields[field]
        placing.appraise(
            self._state.tasks.rows,
            self.cards.rows,
            model.posteriors,
            model.class_counts,
            self.grid.group_of[field],
            self.grid.by_class[field],
            field == 0,
            which,
            count,
        )

    def first(self, worker: int, stage: Stage, plan: Plan) -> int | None:
        """Give the fitting task of the highest priority whose turn is the earliest, or None.

        At the crowd stage only without a grid: cells have no common order in time.
        """
        task = drawing.first(self.held(), plan.codes, plan.table_of, worker, stage)
        return task if task >= 0 else None


def _longer(array: NDArray[Number], length: int) -> NDArray[Number]:
    longer = np.zeros(length, array.dtype)
    longer[: len(array)] = array
    return longer
