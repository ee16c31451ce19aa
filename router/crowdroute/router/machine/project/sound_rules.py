"""Checks of a project's rules before they hold: whatever a later decision or the fold relies on.

The documents that people write are judged more closely where they are compiled; what stands here keeps the
core from rules that no decision could follow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crowdroute.router.errors import InvalidCommand, WrongState
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.model.rules import MICROSECONDS, SHORTEST_REFIT_US, ProjectRules
from crowdroute.router.model.states import Stage, TaskState
from crowdroute.router.policy.registry import POLICIES
from crowdroute.router.quality.eligibility import requirements_of
from crowdroute.router.quality.reward import check_plan
from crowdroute.router.state.project import Project
from crowdroute.workers.errors import WorkersError
from crowdroute.workers.ledger import Money

HIGHEST_PRIORITY = 3
LONGEST_US = 10 * 366 * 86_400 * MICROSECONDS
"""Ten years: a longer lease or period is a slip of the unit, and sums of moments stay within 64 bits."""
MOST = 1_000_000
"""Answers, leases or tasks that a rule may name: more is a slip, and a column of 32 bits holds any sum."""
MOST_LABELS = 1 << 15
"""Label codes are stored in 16 bits with a sign."""
MOST_PRICE = 10**12
"""Micro-units per answer or bonus, a million units: what a worker earns stays within 64 bits."""


def require_sound(state: Project, rules: ProjectRules) -> None:
    """See that rules may follow the ones in force.

    Raises:
        WrongState: their version is not the next, or they remove a label that a task's known answer needs.
        InvalidCommand: they lose a label, the currency or a bonus's period, or name what cannot be.
    """
    expected = len(state.history) + 1
    if rules.version != expected:
        raise WrongState(
            f"rules version {rules.version} cannot follow version {expected - 1}; "
            "read the current rules and try again",
            {"version": str(expected - 1)},
        )
    _require_schema(state, rules)
    _require_known_answers(state, rules)
    if rules.prices.currency != state.rules.prices.currency and state.history:
        raise InvalidCommand("a project keeps its currency", {"field": "prices.currency"})
    for field, holds, what in _bounds(rules):
        if not holds:
            raise InvalidCommand(f"rules, {field}: {what}", {"field": field})
    requirements_of(rules.requirement, Stage.CROWD)
    _require_money(rules)
    _require_periods(state, rules)


def _require_schema(state: Project, rules: ProjectRules) -> None:
    names = [field.id for field in rules.fields]
    if not names or len(set(names)) != len(names):
        raise InvalidCommand("the schema needs at least one field, and each once", {"field": "fields"})
    for field in rules.fields:
        labels = [label.id for label in field.labels]
        usable = any(not label.removed for label in field.labels)
        if not usable or len(set(labels)) != len(labels) or len(labels) > MOST_LABELS:
            raise InvalidCommand(
                f"field {field.id!r} needs a label that is not removed, each label once, and at most "
                f"{MOST_LABELS} of them",
                {"field": f"fields.{field.id}"},
            )
    for place, field in enumerate(state.rules.fields):
        before = [label.id for label in field.labels]
        after = [label.id for label in rules.fields[place].labels] if place < len(rules.fields) else []
        if place >= len(rules.fields) or rules.fields[place].id != field.id or after[: len(before)] != before:
            raise InvalidCommand(
                f"field {field.id!r}: fields and labels are add-only; keep them in their order and mark "
                "a label as removed instead of leaving it out",
                {"field": f"fields.{field.id}"},
            )


def _require_known_answers(state: Project, rules: ProjectRules) -> None:
    """See that nobody is measured by an answer that they could not give any more."""
    gone = {
        (place, code): label.id
        for place, field in enumerate(state.rules.fields)
        for code, label in enumerate(field.labels)
        if rules.fields[place].labels[code].removed and not label.removed
    }
    if not gone:
        return
    rows = state.tasks.rows[: state.tasks.count]
    for task in np.flatnonzero((rows["known"] >= 0) & (rows["state"] == TaskState.OPEN)).tolist():
        for value in state.known[state.tasks.known[task]]:
            if (value.field, value.label) in gone:
                field, label = state.rules.fields[value.field].id, gone[value.field, value.label]
                raise WrongState(
                    f"label {label!r} of field {field!r} is the known answer of"
                    f" {to_text(Kind.TASK, state.tasks.id_of(task))}: cancel the tasks that it is known of"
                    " before you remove it",
                    {"field": f"fields.{field}", "label": label},
                )


def _require_periods(state: Project, rules: ProjectRules) -> None:
    """See that bonuses keep their periods: a period goes by its number, which would mean another time."""
    periods = {plan.id: plan.period_us for earlier in state.history for plan in earlier.bonuses}
    for plan in rules.bonuses:
        if periods.get(plan.id, plan.period_us) != plan.period_us:
            raise InvalidCommand(
                f"bonus {plan.id!r} keeps its period; give a bonus of another period another id",
                {"field": f"bonuses.{plan.id}"},
            )


def _bounds(rules: ProjectRules) -> Iterator[tuple[str, bool, str]]:
    """Yield field, whether its value can be, and what it can be."""
    overlap, lease = rules.overlap, rules.lease
    least_and_most = 1 <= overlap.minimum <= overlap.maximum <= MOST
    yield "overlap", least_and_most, f"1 <= minimum <= maximum <= {MOST} does not hold"
    yield "stopping.target", 0.0 < rules.stopping.target <= 1.0, "a probability above 0 is needed"
    yield "lease.duration_us", 0 < lease.duration_us <= LONGEST_US, "up to ten years, and not nothing"
    yield "lease.extensions", 0 <= lease.extensions <= MOST, f"0 to {MOST}"
    yield "lease.attempts", 1 <= lease.attempts <= MOST, f"1 to {MOST}"
    yield "lease.per_worker", 1 <= lease.per_worker <= MOST, f"1 to {MOST}"
    yield "gold.share", 0.0 <= rules.gold.share <= 1.0, "a share is in 0..1"
    yield "gold.first", 0 <= rules.gold.first <= MOST, f"0 to {MOST}"
    yield "review.threshold", 0.0 <= rules.review.threshold <= 1.0, "an accuracy is in 0..1"
    yield "review.share", 0.0 <= rules.review.share <= 1.0, "a share is in 0..1"
    every_us = rules.refit.every_us
    yield (
        "refit.every_us",
        not every_us or SHORTEST_REFIT_US <= every_us <= LONGEST_US,
        "0, or 1m to ten years",
    )
    yield "refit.answers", 1 <= rules.refit.answers <= MOST, f"1 to {MOST}"
    yield "routing.exploration", 0.0 <= rules.routing.exploration <= 1.0, "a share is in 0..1"
    yield "routing.priority", 0 <= rules.routing.priority <= HIGHEST_PRIORITY, f"0 to {HIGHEST_PRIORITY}"
    yield "routing.window", rules.routing.window >= 0, "0 or more tasks"
    yield "routing.policy", rules.routing.policy in POLICIES, f"one of {', '.join(sorted(POLICIES))}"


def _require_money(rules: ProjectRules) -> None:
    prices = rules.prices
    for micros in (prices.crowd_micros, prices.senior_micros, prices.expert_micros):
        if not 0 <= micros <= MOST_PRICE:
            raise InvalidCommand(
                f"a price of {micros} micro-units is not in 0..{MOST_PRICE}", {"field": "prices"}
            )
    try:
        Money(0, prices.currency)
    except WorkersError as error:
        raise InvalidCommand(error.message, {"field": "prices.currency"}) from error
    if len({plan.id for plan in rules.bonuses}) != len(rules.bonuses):
        raise InvalidCommand("two bonuses have one id; a bonus is known by it", {"field": "bonuses"})
    for plan in rules.bonuses:
        check_plan(plan, prices.currency)
        if not 0 < plan.period_us <= LONGEST_US or plan.bands[-1].amount_micros > MOST_PRICE:
            raise InvalidCommand(
                f"bonus {plan.id!r}: its period is up to ten years and not nothing, "
                f"its amounts up to {MOST_PRICE} micro-units",
                {"field": f"bonuses.{plan.id}"},
            )
