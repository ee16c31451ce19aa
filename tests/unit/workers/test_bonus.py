import pytest

from crowdroute.workers.bonus import BonusBand, BonusReason, decide_bonus
from crowdroute.workers.errors import InvalidBonusBands
from crowdroute.workers.ledger import Money
from crowdroute.workers.reliability import AccuracyInterval, accuracy_interval


def euros(amount: int) -> Money:
    return Money(amount * 1_000_000, "EUR")


SILVER, GOLD = BonusBand(0.8, euros(5)), BonusBand(0.9, euros(20))
BANDS = (SILVER, GOLD)


def interval_with(lower: float, count: int) -> AccuracyInterval:
    return AccuracyInterval(mean=0.95, lower=lower, upper=0.99, correct=count, count=count, confidence=0.95)


@pytest.mark.parametrize(
    ("lower", "reason", "band", "next_band", "amount"),
    [
        (0.79, BonusReason.BELOW_EVERY_BAND, None, SILVER, euros(0)),
        (0.8, BonusReason.EARNED, SILVER, GOLD, euros(5)),
        (0.89, BonusReason.EARNED, SILVER, GOLD, euros(5)),
        (0.9, BonusReason.EARNED, GOLD, None, euros(20)),
    ],
)
def test_the_highest_band_that_the_lower_bound_reaches_is_paid(
    lower: float, reason: BonusReason, band: BonusBand | None, next_band: BonusBand | None, amount: Money
) -> None:
    decision = decide_bonus(interval_with(lower, 50), BANDS, least_count=50)
    assert (decision.reason, decision.band, decision.next_band, decision.amount) == (
        reason,
        band,
        next_band,
        amount,
    )


def test_too_few_checked_answers_earn_nothing_whatever_their_outcome() -> None:
    decision = decide_bonus(interval_with(0.99, 49), BANDS, least_count=50)
    assert (decision.reason, decision.band, decision.amount) == (
        BonusReason.TOO_FEW_CHECKED,
        None,
        euros(0),
    )
    assert (decision.next_band, decision.interval.count, decision.least_count) == (SILVER, 49, 50)


def test_luck_in_few_answers_earns_less_than_the_same_share_in_many() -> None:
    """9 of 10 and 450 of 500 are the same share; only the second proves it."""
    lucky = decide_bonus(accuracy_interval(9, 10), BANDS, least_count=10)
    proven = decide_bonus(accuracy_interval(450, 500), BANDS, least_count=10)
    assert (lucky.amount, proven.amount) == (euros(0), euros(5))


@pytest.mark.parametrize(
    ("bands", "least_count"),
    [
        ((), 1),
        (BANDS, 0),
        ((GOLD, SILVER), 1),
        ((SILVER, SILVER), 1),
        ((SILVER, BonusBand(0.9, euros(4))), 1),
        ((SILVER, BonusBand(0.9, Money(1_000_000_000, "USD"))), 1),
        ((BonusBand(0.8, euros(0)),), 1),
        ((BonusBand(0.0, euros(1)),), 1),
        ((BonusBand(1.01, euros(1)),), 1),
        ((BonusBand(float("nan"), euros(1)),), 1),
    ],
)
def test_bands_that_nobody_could_explain_are_refused(bands: tuple[BonusBand, ...], least_count: int) -> None:
    with pytest.raises(InvalidBonusBands):
        decide_bonus(interval_with(0.85, 50), bands, least_count)
