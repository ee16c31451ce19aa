"""Bonuses by measured accuracy, in periods counted since the epoch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.rules import BonusBand, BonusPlan
from crowdroute.router.quality.reward import check_plan, decide, period_end_us, period_of

DAY = 86_400 * 1_000_000
PLAN = BonusPlan("daily", (BonusBand(0.5, 100), BonusBand(0.8, 300)), 10, DAY)


@pytest.mark.parametrize(
    ("correct", "checked", "micros"), [(0, 0, 0), (9, 9, 0), (10, 10, 100), (4, 20, 0), (100, 100, 300)]
)
def test_the_highest_band_that_the_lower_bound_reaches_is_earned(
    correct: int, checked: int, micros: int
) -> None:
    assert decide(PLAN, "USD", correct, checked).amount.micros == micros


@given(st.integers(0, 10**17), st.integers(1, 10**13))
def test_every_moment_lies_in_exactly_one_period(at_us: int, length_us: int) -> None:
    plan = BonusPlan("any", (), 1, length_us)
    period = period_of(plan, at_us)
    assert period_end_us(plan, period - 1) <= at_us < period_end_us(plan, period)


@pytest.mark.parametrize(
    "plan",
    [
        BonusPlan("p", (), 1),
        BonusPlan("p", (BonusBand(0.0, 5),), 1),
        BonusPlan("p", (BonusBand(0.5, 0),), 1),
        BonusPlan("p", (BonusBand(0.8, 5), BonusBand(0.5, 6)), 1),
        BonusPlan("p", (BonusBand(0.5, 6), BonusBand(0.8, 5)), 1),
        BonusPlan("p", (BonusBand(0.5, 5),), 0),
    ],
)
def test_a_plan_that_nobody_could_explain_is_refused_by_name(plan: BonusPlan) -> None:
    with pytest.raises(InvalidCommand, match="'p'"):
        check_plan(plan, "USD")


def test_a_plan_of_rising_bands_is_sound() -> None:
    check_plan(PLAN, "USD")
