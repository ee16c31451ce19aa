"""Accuracy intervals from peers and gold together."""

import numpy as np
import pytest

from crowdroute.workers.errors import InvalidCounts
from crowdroute.workers.peers import PeerPrior, fit_peer_prior
from crowdroute.workers.reliability import BetaPrior, accuracy_interval


def crowd(seed: int, workers: int = 60, gold: int = 8) -> tuple[np.ndarray, ...]:
    """Agreement that flatters by a tenth of the way to 1, gold, and the true accuracies."""
    rng = np.random.default_rng(seed)
    accuracy = rng.beta(8, 3, workers)
    labels = rng.integers(5, 400, workers)
    agreement = rng.binomial(labels, accuracy + 0.1 * (1 - accuracy)) / labels
    return agreement, labels, rng.binomial(gold, accuracy), np.full(workers, gold), accuracy


def test_the_intervals_cover_as_they_say_and_are_narrower_than_those_of_gold_alone() -> None:
    covered, widths, alone = [], [], []
    for seed in range(20):
        agreement, labels, right, checked, accuracy = crowd(seed)
        found = fit_peer_prior(agreement, labels, right, checked).intervals(agreement, labels, right, checked)
        covered.append((found.lower <= accuracy) & (accuracy <= found.upper))
        widths.append(found.upper - found.lower)
        for hits, count in zip(right.tolist(), checked.tolist(), strict=True):
            only = accuracy_interval(hits, count)
            alone.append(only.upper - only.lower)
    assert 0.92 <= np.mean(covered) <= 0.995
    assert np.mean(widths) < 0.65 * np.mean(alone)


def test_agreement_that_means_nothing_is_found_to_be_worth_little() -> None:
    rng = np.random.default_rng(5)
    accuracy = rng.beta(2, 2, 200)
    right, checked = rng.binomial(20, accuracy), np.full(200, 20)
    noise, labels = rng.beta(8, 2, 200), np.full(200, 300)
    informative = rng.binomial(300, accuracy) / 300
    assert fit_peer_prior(noise, labels, right, checked).strength < 5
    assert fit_peer_prior(informative, labels, right, checked).strength > 50


def test_without_gold_agreement_is_taken_as_it_is_with_wide_bounds() -> None:
    none = np.zeros(2, dtype=np.int64)
    labels = np.array([1_000, 0])
    prior = fit_peer_prior(np.array([0.9, 0.5]), labels, none, none)
    assert (prior.intercept, prior.slope, prior.checked) == (0.0, 1.0, 0)
    known, unknown = zip(*prior.intervals(np.array([0.9, 0.5]), labels, none, none), strict=True)
    assert known[0] == pytest.approx(0.9, abs=0.01)
    assert known[3] + known[4] == pytest.approx(3 + 20 * 1_000 / 1_020)
    assert known[2] - known[1] < 0.3
    assert unknown[2] - unknown[1] > 0.5


def test_gold_updates_the_prior_as_the_beta_binomial_does() -> None:
    prior = PeerPrior(0.0, 1.0, 20.0, 0.8, 0)
    before = prior.intervals(np.array([0.8]), np.array([0]), np.array([0]), np.array([0]))
    after = prior.intervals(np.array([0.8]), np.array([0]), np.array([9]), np.array([10]))
    # Without labels only the pool speaks, with three pseudo-answers.
    by_hand = accuracy_interval(9, 10, prior=BetaPrior(3 * 0.8, 3 * 0.2))
    assert before.mean[0] == pytest.approx(0.8)
    assert (after.lower[0], after.upper[0]) == pytest.approx((by_hand.lower, by_hand.upper), abs=1e-9)


@pytest.mark.parametrize(
    ("agreement", "labels", "right", "checked"),
    [
        ([0.5], [1], [1], [0]),
        ([0.5], [-1], [0], [0]),
        ([1.5], [1], [0], [0]),
        ([float("nan")], [1], [0], [0]),
        ([0.5, 0.5], [1], [0], [0]),
    ],
)
def test_impossible_counts_are_refused(
    agreement: list[float], labels: list[int], right: list[int], checked: list[int]
) -> None:
    arguments = (np.array(agreement), np.array(labels), np.array(right), np.array(checked))
    with pytest.raises(InvalidCounts):
        fit_peer_prior(*arguments)
    with pytest.raises(InvalidCounts):
        PeerPrior(0.0, 1.0, 20.0, 0.8, 0).intervals(*arguments)


def test_a_confidence_that_is_none_is_refused() -> None:
    one = np.zeros(1)
    with pytest.raises(InvalidCounts, match="confidence"):
        PeerPrior(0.0, 1.0, 20.0, 0.8, 0).intervals(one, one, one, one, confidence=1.0)
