"""Invariants of calibration: bounds, permutations, other names, and never a number that is none."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from crowdroute.aggregation import (
    IsotonicCalibration,
    TemperatureScaling,
    brier_score,
    expected_calibration_error,
    log_loss,
    reliability_diagram,
)

CLASSES = 3
MEASURES = (brier_score, log_loss, expected_calibration_error)


@st.composite
def told(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors, certain ones among them, and truths."""
    tasks = draw(st.integers(1, 12))
    weights = draw(
        arrays.arrays(np.float64, (tasks, CLASSES), elements=st.sampled_from([0.0, 1e-9, 0.3, 1.0]))
    )
    weights[weights.sum(axis=1) == 0.0] = 1.0
    truth = draw(arrays.arrays(np.int64, tasks, elements=st.integers(0, CLASSES - 1)))
    return weights / weights.sum(axis=1, keepdims=True), truth


@settings(max_examples=40)
@given(told())
def test_every_measure_is_finite_and_in_its_interval(case: tuple[np.ndarray, np.ndarray]) -> None:
    for measure in MEASURES:
        found = measure(*case)
        assert np.isfinite([found.value, found.lower, found.upper]).all()
        assert -1e-12 <= found.lower <= found.value <= found.upper
    assert brier_score(*case).upper <= 2.0 + 1e-12
    assert expected_calibration_error(*case).upper <= 1.0 + 1e-12


@settings(max_examples=40)
@given(told(), st.permutations(range(CLASSES)), st.integers(0, 9))
def test_neither_the_order_of_tasks_nor_the_names_of_labels_matter(
    case: tuple[np.ndarray, np.ndarray], names: list[int], seed: int
) -> None:
    posteriors, truth = case
    order = np.random.default_rng(seed).permutation(len(truth))
    place = np.argsort(names)
    renamed = (posteriors[:, names][order], place[truth][order])
    for measure in (brier_score, log_loss):
        assert abs(measure(*case).value - measure(*renamed).value) < 1e-9


@given(told())
def test_the_diagram_holds_every_task_once_and_its_accuracies_are_the_whole(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    posteriors, truth = case
    bins = reliability_diagram(posteriors, truth)
    assert sum(one.count for one in bins) == len(truth)
    right = sum(one.count * one.accuracy.value for one in bins)
    assert abs(right - (posteriors.argmax(axis=1) == truth).sum()) < 1e-9


@given(told(), told())
def test_calibrated_posteriors_are_posteriors_and_keep_the_order(
    seen: tuple[np.ndarray, np.ndarray], new: tuple[np.ndarray, np.ndarray]
) -> None:
    mended = TemperatureScaling().fit(*seen).transform(new[0])
    np.testing.assert_allclose(mended.sum(axis=1), 1.0)
    assert (mended >= 0.0).all()
    for before, after in zip(new[0], mended, strict=True):
        assert (np.diff(after[np.argsort(before, kind="stable")]) >= -1e-12).all()


@given(told(), told())
def test_isotonic_never_falls_and_is_never_certain(
    seen: tuple[np.ndarray, np.ndarray], new: tuple[np.ndarray, np.ndarray]
) -> None:
    posteriors, truth = seen
    calibration = IsotonicCalibration().fit(posteriors.max(axis=1), posteriors.argmax(axis=1) == truth)
    mended = calibration.transform(np.sort(new[0].max(axis=1)))
    assert (np.diff(mended) >= -1e-12).all()
    assert ((mended > 0.0) & (mended < 1.0)).all()
