"""Yield what time and earlier events have made due, a bounded number of steps at a time.

In this order: leases that ran out; annotations of discounted workers; open tasks that new rules may have
decided; bonuses of periods that have ended; a refit that the schedule wants.
"""

from __future__ import annotations

from crowdroute.router.events import project as facts
from crowdroute.router.machine.project import refitting
from crowdroute.router.machine.project.money import reward
from crowdroute.router.machine.project.settling import DISCOUNTED, repair, settle
from crowdroute.router.machine.stream import Steps
from crowdroute.router.model.rules import BonusPlan
from crowdroute.router.model.states import TaskState
from crowdroute.router.quality.reward import period_end_us
from crowdroute.router.state.project import Project
from crowdroute.router.state.tables import NONE

EXPIRIES = 256
"""Leases ended per call: about as many events as fit one batch comfortably."""
REPAIRS = 64
"""Discounted annotations per call; each may recompute and re-open a task."""
REEXAMINED = 1024
"""Open tasks looked at per call after a change of rules; most yield nothing."""
REWARDS = 64
"""Bonuses decided per call."""

GRACE_US = 1_000_000
"""A period's bonuses are decided one second after its end, so that answers logged in its last moment are
in."""


def steps(state: Project, now_us: int) -> Steps:
    """Yield one bounded helping of what is due."""
    for _ in range(EXPIRIES):
        row = state.deadlines.pop_due(now_us)
        if row is None:
            break
        yield facts.LeaseExpired(state.assignments.id_of(row))
        yield from settle(state, state.assignments.task[row])
    for _ in range(min(REPAIRS, len(state.repairs))):
        yield from _discount(state, state.repairs[0])
    yield from _reexamine(state)
    yield from _reward(state, now_us)
    yield from refitting.fall_due(state, now_us)


def next_us(state: Project) -> int | None:
    """Give the moment at which `steps` has something to yield, or None."""
    if state.repairs or state.reexamine_from != NONE:
        return state.last_us
    moments = [period_end_us(plan, period) + GRACE_US for plan, period in _waiting(state)]
    deadline = state.deadlines.earliest()
    if deadline is not None:
        moments.append(deadline)
    refit_us = refitting.due_us(state)
    if refit_us is not None:
        moments.append(refit_us)
    return min(moments, default=None)


def _discount(state: Project, row: int) -> Steps:
    if not state.counts(row):
        state.repairs.popleft()
        return
    yield facts.AnswerDiscounted(state.assignments.id_of(row), DISCOUNTED)
    yield from repair(state, state.assignments.task[row], DISCOUNTED)


def _reexamine(state: Project) -> Steps:
    if state.reexamine_from == NONE:
        return
    tasks = state.tasks
    end = min(state.reexamine_from + REEXAMINED, tasks.count)
    for task in range(state.reexamine_from, end):
        if tasks.state[task] == TaskState.OPEN and tasks.first_assignment[task] != NONE:
            yield from settle(state, task)
    state.reexamine_from = end if end < tasks.count else NONE


def _waiting(state: Project) -> list[tuple[BonusPlan, int]]:
    plans = {plan.id: plan for plan in state.rules.bonuses}
    return [(plans[rule], period) for rule, period in state.active if rule in plans]


def _reward(state: Project, now_us: int) -> Steps:
    left = REWARDS
    for plan, period in sorted(_waiting(state), key=lambda pair: (pair[1], pair[0].id)):
        if period_end_us(plan, period) + GRACE_US > now_us:
            continue
        for worker in sorted(state.active[plan.id, period])[:left]:
            yield from reward(state, worker, plan, period)
            left -= 1
