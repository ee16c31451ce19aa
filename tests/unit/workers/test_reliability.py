from math import comb

import pytest

from crowdroute.workers.errors import InvalidCounts
from crowdroute.workers.reliability import BetaPrior, accuracy_interval


def beta_cdf(x: float, right: int, wrong: int) -> float:
    """P(Beta(right, wrong) <= x) as a binomial tail: P(Bin(right + wrong - 1, x) >= right)."""
    n = right + wrong - 1
    return sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(right, n + 1))


@pytest.mark.parametrize(
    ("correct", "checked"), [(0, 0), (0, 1), (1, 1), (3, 5), (0, 30), (30, 30), (18, 20), (100, 160)]
)
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95])
def test_each_bound_leaves_half_of_the_rest_outside(correct: int, checked: int, confidence: float) -> None:
    """Against the binomial form of the beta distribution, which shares nothing with the implementation."""
    interval = accuracy_interval(correct, checked, confidence)
    tail = (1 - confidence) / 2
    right, wrong = 2 + correct, 1 + checked - correct
    assert beta_cdf(interval.lower, right, wrong) == pytest.approx(tail, rel=1e-9)
    assert 1 - beta_cdf(interval.upper, right, wrong) == pytest.approx(tail, rel=1e-9)
    assert interval.mean == right / (right + wrong)
    assert (interval.correct, interval.count, interval.confidence) == (correct, checked, confidence)


def test_with_every_answer_right_the_bounds_have_a_closed_form() -> None:
    """Beta(a, 1) has the distribution function x**a."""
    interval = accuracy_interval(10, 10)
    assert interval.lower == pytest.approx(0.025 ** (1 / 12), rel=1e-12)
    assert interval.upper == pytest.approx(0.975 ** (1 / 12), rel=1e-12)


def test_a_peer_estimate_enters_as_pseudo_answers() -> None:
    """Six pseudo-answers, half of them right, and 4 of 4 right, are 7 right and 3 wrong."""
    by_prior = accuracy_interval(4, 4, prior=BetaPrior(3, 3))
    by_counts = accuracy_interval(5, 7)
    assert (by_prior.mean, by_prior.lower, by_prior.upper) == (
        by_counts.mean,
        by_counts.lower,
        by_counts.upper,
    )


@pytest.mark.parametrize(("correct", "checked"), [(-1, 3), (4, 3), (0, -1)])
def test_counts_that_cannot_be_are_refused(correct: int, checked: int) -> None:
    with pytest.raises(InvalidCounts, match="checked answers"):
        accuracy_interval(correct, checked)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, float("nan")])
def test_a_confidence_outside_0_to_1_is_refused(confidence: float) -> None:
    with pytest.raises(InvalidCounts, match="strictly between"):
        accuracy_interval(1, 2, confidence)


@pytest.mark.parametrize(("right", "wrong"), [(0, 1), (1, -1), (float("inf"), 1), (float("nan"), 1)])
def test_a_prior_that_is_no_distribution_is_refused(right: float, wrong: float) -> None:
    with pytest.raises(InvalidCounts, match="no distribution"):
        BetaPrior(right, wrong)
