"""Calibration beside scikit-learn, and on crowds whose calibration is known."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss as sklearn_log_loss

from crowdroute.aggregation import (
    IsotonicCalibration,
    TemperatureScaling,
    brier_score,
    expected_calibration_error,
    log_loss,
    reliability_diagram,
)
from crowdroute.aggregation.errors import InvalidParameterError, NotFittedError
from crowdroute.aggregation.intervals import bootstrap_interval, share_interval


def told(
    seed: int, tasks: int = 4_000, classes: int = 3, sharpness: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors that are calibrated, then made surer by ``sharpness``, with truths drawn from the former."""
    rng = np.random.default_rng(seed)
    honest = rng.dirichlet([0.7] * classes, tasks)
    truth = (rng.random((tasks, 1)) > honest.cumsum(axis=1)).sum(axis=1)
    sharp = honest**sharpness
    return sharp / sharp.sum(axis=1, keepdims=True), np.minimum(truth, classes - 1)


def test_log_loss_is_that_of_scikit_learn_and_brier_the_sum_of_squares() -> None:
    posteriors, truth = told(0)
    assert log_loss(posteriors, truth).value == pytest.approx(sklearn_log_loss(truth, posteriors), abs=1e-12)
    expected = ((posteriors - np.eye(3)[truth]) ** 2).sum(axis=1).mean()
    assert brier_score(posteriors, truth).value == pytest.approx(expected, abs=1e-12)


def test_the_calibration_error_is_the_weighted_gap_of_its_bins() -> None:
    posteriors, truth = told(1, sharpness=2.0)
    bins = reliability_diagram(posteriors, truth)
    assert sum(one.count for one in bins) == len(truth)
    expected = sum(one.count * abs(one.accuracy.value - one.confidence) for one in bins) / len(truth)
    assert expected_calibration_error(posteriors, truth).value == pytest.approx(expected, abs=1e-12)
    for one in bins:
        assert one.above < one.confidence <= one.up_to + 1e-12


def test_honest_posteriors_have_a_small_error_and_too_sure_ones_a_large_one() -> None:
    assert expected_calibration_error(*told(2)).value < 0.03
    too_sure = expected_calibration_error(*told(2, sharpness=3.0))
    assert too_sure.lower > 0.1


def test_the_right_temperature_is_found() -> None:
    posteriors, truth = told(3, sharpness=2.5)
    scaling = TemperatureScaling().fit(posteriors, truth)
    assert scaling.temperature_ == pytest.approx(2.5, rel=0.1)
    mended = scaling.transform(posteriors)
    np.testing.assert_array_equal(mended.argmax(axis=1), posteriors.argmax(axis=1))
    assert log_loss(mended, truth).value < log_loss(posteriors, truth).value


def test_isotonic_mends_what_it_did_not_see() -> None:
    posteriors, truth = told(4, sharpness=3.0)
    seen, rest = slice(0, 1_000), slice(1_000, None)
    confidences, right = posteriors.max(axis=1), posteriors.argmax(axis=1) == truth
    mended = IsotonicCalibration().fit(confidences[seen], right[seen]).transform(confidences[rest])
    assert abs(mended.mean() - right[rest].mean()) < 0.03
    assert abs(confidences[rest].mean() - right[rest].mean()) > 0.1


def test_isotonic_is_scikit_learns_but_never_certain() -> None:
    posteriors, truth = told(5, tasks=300)
    confidences, right = posteriors.max(axis=1), posteriors.argmax(axis=1) == truth
    ours = IsotonicCalibration().fit(confidences, right).transform(confidences)
    theirs = IsotonicRegression().fit(confidences, right).predict(confidences)
    np.testing.assert_allclose(ours, np.clip(theirs, 1 / 302, 301 / 302), atol=1e-9)
    assert IsotonicCalibration().fit(np.ones(8), np.ones(8, dtype=bool)).transform(np.ones(1))[0] == 0.9


def test_the_intervals_cover_as_often_as_they_say() -> None:
    losses = [brier_score(*told(seed, tasks=120)) for seed in range(200)]
    truth = float(np.mean([one.value for one in losses]))
    assert 0.90 <= np.mean([one.lower <= truth <= one.upper for one in losses]) <= 0.99
    rng = np.random.default_rng(0)
    shares = [share_interval(float(right), 40) for right in rng.binomial(40, 0.9, 500)]
    assert 0.92 <= np.mean([one.lower <= 0.9 <= one.upper for one in shares]) <= 0.99


def test_the_same_seed_gives_the_same_interval() -> None:
    posteriors, truth = told(6, tasks=50)
    assert brier_score(posteriors, truth, seed=1) == brier_score(posteriors, truth, seed=1)
    assert brier_score(posteriors, truth, seed=1) != brier_score(posteriors, truth, seed=2)


def test_nothing_can_be_mapped_before_fit() -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        IsotonicCalibration().transform(np.ones(1))
    with pytest.raises(NotFittedError, match="call fit first"):
        TemperatureScaling().transform(np.ones((1, 1)))


@pytest.mark.parametrize(
    ("posteriors", "truth", "told_of"),
    [
        (np.ones((2, 1)), np.array([0, 1]), "codes from 0 to 1"),
        (np.ones((2, 1)), np.array([0]), "shape"),
        (np.ones((2, 1)), np.array([0.0, 0.0]), "float64"),
        (np.ones((0, 2)), np.array([], dtype=np.int64), "at least one task"),
        (np.full((1, 2), 0.7), np.array([0]), "sum to 1"),
        (np.array([[np.nan, 1.0]]), np.array([0]), "be numbers"),
        (np.ones(3), np.array([0]), "shape"),
    ],
)
def test_what_is_no_posterior_with_truth_is_refused(
    posteriors: np.ndarray, truth: np.ndarray, told_of: str
) -> None:
    for measure in (brier_score, log_loss, expected_calibration_error, reliability_diagram):
        with pytest.raises(InvalidParameterError, match=told_of):
            measure(posteriors, truth)


def test_bad_parameters_are_refused() -> None:
    posteriors, truth = told(7, tasks=10)
    with pytest.raises(InvalidParameterError, match="bins"):
        reliability_diagram(posteriors, truth, bins=0)
    with pytest.raises(InvalidParameterError, match="confidence"):
        brier_score(posteriors, truth, confidence=0.0)
    with pytest.raises(InvalidParameterError, match="one of each"):
        IsotonicCalibration().fit(np.ones(2), np.ones(1, dtype=bool))
    with pytest.raises(InvalidParameterError, match="no share"):
        share_interval(3, 2)
    with pytest.raises(InvalidParameterError, match="confidence"):
        bootstrap_interval(lambda weights: weights.sum(axis=1), 3, 2.0)
