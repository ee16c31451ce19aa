"""Which bonus a measured accuracy earns, and the numbers behind it.

A bonus goes by the lower bound of the accuracy, never by its mean: a worker who was lucky in few checked
answers has a low bound, and gets nothing on the strength of luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from crowdroute.workers.errors import InvalidBonusBands
from crowdroute.workers.ledger import Money
from crowdroute.workers.reliability import AccuracyInterval


@dataclass(frozen=True, slots=True)
class BonusBand:
    """From this lower bound of accuracy on (inclusive), this amount."""

    lower_bound: float
    amount: Money


class BonusReason(StrEnum):
    """Why a bonus is what it is."""

    EARNED = "earned"
    TOO_FEW_CHECKED = "too_few_checked"
    BELOW_EVERY_BAND = "below_every_band"


@dataclass(frozen=True, slots=True)
class BonusDecision:
    """A bonus, which may be nothing, with all the numbers that it was decided by."""

    amount: Money
    """Zero exactly when the reason is not EARNED."""
    reason: BonusReason
    band: BonusBand | None
    """The band that was reached; None when none was, or too few answers were checked."""
    next_band: BonusBand | None
    """The lowest band not reached; None at the top. Says what was missing."""
    interval: AccuracyInterval
    least_count: int


def decide_bonus(interval: AccuracyInterval, bands: tuple[BonusBand, ...], least_count: int) -> BonusDecision:
    """Give the bonus of the highest band whose bound the interval's lower bound reaches.

    Nothing is earned with fewer than `least_count` checked answers, whatever their outcome. `bands` are in
    ascending order of bounds.

    Raises:
        InvalidBonusBands: the bands are none, out of order, of several currencies, not positive, or fall;
            or `least_count` is below 1.
    """
    check_bands(bands, least_count)
    reached = [band for band in bands if interval.lower >= band.lower_bound]
    if interval.count < least_count:
        reached, reason = [], BonusReason.TOO_FEW_CHECKED
    else:
        reason = BonusReason.EARNED if reached else BonusReason.BELOW_EVERY_BAND
    return BonusDecision(
        amount=reached[-1].amount if reached else Money(0, bands[0].amount.currency),
        reason=reason,
        band=reached[-1] if reached else None,
        next_band=bands[len(reached)] if len(reached) < len(bands) else None,
        interval=interval,
        least_count=least_count,
    )


def check_bands(bands: tuple[BonusBand, ...], least_count: int) -> None:
    """Refuse bands that nobody could explain to a worker; `decide_bonus` does so itself.

    Raises:
        InvalidBonusBands: as `decide_bonus` says.
    """
    if not bands:
        raise InvalidBonusBands("a bonus needs at least one band")
    if least_count < 1:
        raise InvalidBonusBands(f"least count {least_count}: no bonus is earned without a checked answer")
    for band in bands:
        if not 0.0 < band.lower_bound <= 1.0:
            raise InvalidBonusBands(f"bound {band.lower_bound} must lie above 0 and not above 1")
        if band.amount.micros <= 0:
            raise InvalidBonusBands(
                f"the band from {band.lower_bound} pays {band.amount}: leave it out instead"
            )
    for below, above in pairwise(bands):
        if below.lower_bound >= above.lower_bound:
            raise InvalidBonusBands(f"bounds {below.lower_bound}, {above.lower_bound} must ascend")
        if below.amount.currency != above.amount.currency:
            raise InvalidBonusBands(f"{below.amount} and {above.amount}: one table pays in one currency")
        if below.amount.micros > above.amount.micros:
            raise InvalidBonusBands(f"the band from {above.lower_bound} pays less than the one below it")
