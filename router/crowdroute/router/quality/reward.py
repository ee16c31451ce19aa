"""What bonus a worker's measured accuracy earns in a period."""

from __future__ import annotations

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.rules import BonusPlan
from crowdroute.workers.bonus import BonusBand, BonusDecision, check_bands, decide_bonus
from crowdroute.workers.errors import WorkersError
from crowdroute.workers.ledger import Money
from crowdroute.workers.reliability import accuracy_interval


def check_plan(plan: BonusPlan, currency: str) -> None:
    """See that a bonus plan can be decided by.

    Raises:
        InvalidCommand: its bands are none, not in order or not positive, or it needs no checked answer.
    """
    try:
        check_bands(_bands(plan, currency), plan.least_checked)
    except WorkersError as error:
        raise InvalidCommand(
            f"bonus {plan.id!r}: {error.message}", {"field": f"bonuses.{plan.id}"}
        ) from error


def decide(plan: BonusPlan, currency: str, correct: int, checked: int) -> BonusDecision:
    """Decide a bonus from the answers checked against gold or by a reviewer; too few of them give none."""
    return decide_bonus(accuracy_interval(correct, checked), _bands(plan, currency), plan.least_checked)


def _bands(plan: BonusPlan, currency: str) -> tuple[BonusBand, ...]:
    return tuple(BonusBand(band.lower_bound, Money(band.amount_micros, currency)) for band in plan.bands)


def period_of(plan: BonusPlan, at_us: int) -> int:
    """Give the number of the period that a moment lies in."""
    return at_us // plan.period_us


def period_end_us(plan: BonusPlan, period: int) -> int:
    """Give the moment at which a period ends."""
    return (period + 1) * plan.period_us
