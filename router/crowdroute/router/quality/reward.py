"""What bonus a worker's measured accuracy earns in a period."""

from __future__ import annotations

from crowdroute.router.model.rules import BonusPlan
from crowdroute.workers.bonus import BonusBand, BonusDecision, decide_bonus
from crowdroute.workers.ledger import Money
from crowdroute.workers.reliability import accuracy_interval


def decide(plan: BonusPlan, currency: str, correct: int, checked: int) -> BonusDecision:
    """Decide a bonus from the answers checked against gold or by a reviewer; too few of them give none."""
    bands = tuple(
        BonusBand(band.lower_bound, Money(band.amount_micros, currency))
        for band in sorted(plan.bands, key=lambda band: band.lower_bound)
    )
    return decide_bonus(accuracy_interval(correct, checked), bands, plan.least_checked)


def period_of(plan: BonusPlan, at_us: int) -> int:
    """Give the number of the period that a moment lies in."""
    return at_us // plan.period_us


def period_end_us(plan: BonusPlan, period: int) -> int:
    """Give the moment at which a period ends."""
    return (period + 1) * plan.period_us
