"""Cohen's kappa of two workers, beside statsmodels."""

import numpy as np
import pytest
from statsmodels.stats import inter_rater

from crowdroute.aggregation import AnnotationSet, PairAgreement, cohens_kappa
from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError, RepeatedAnnotationError


def random_table(seed: int, classes: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(4, (classes, classes)) + np.diag(rng.poisson(15, classes))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighting", ["identity", "linear", "quadratic"])
def test_kappa_is_that_of_statsmodels(seed: int, weighting: str) -> None:
    table = random_table(seed, 2 + seed % 3)
    found = cohens_kappa(table, weighting)  # type: ignore[arg-type]
    assert found is not None
    theirs = inter_rater.cohens_kappa(table, wt=None if weighting == "identity" else weighting)
    assert found.value == pytest.approx(theirs.kappa, abs=1e-12)
    # The jackknife and the formula of Fleiss, Cohen and Everitt are two estimates of the same width.
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * theirs.std_kappa, rel=0.15)


def test_workers_are_compared_over_the_tasks_that_both_labelled() -> None:
    annotations = AnnotationSet.from_sequences(
        [1, 1, 2, 2, 3, 3, 4], ["v", "u", "v", "u", "v", "u", "u"], ["a", "a", "b", "a", "b", "b", "a"]
    )
    pairs = PairAgreement.from_annotations(annotations)
    assert pairs.table(0, 1).tolist() == [[1, 0], [1, 1]]
    assert pairs.table(1, 0).tolist() == [[1, 1], [0, 1]]
    (pair,) = pairs.pairs()
    assert (pair.first, pair.second, pair.shared) == (0, 1, 3)
    assert pair.kappa is not None
    assert pair.kappa.value == pytest.approx(inter_rater.cohens_kappa(np.array([[1, 0], [1, 1]])).kappa)
    assert pairs.pairs(least_shared=4) == []


def test_two_who_always_say_the_same_one_label_have_no_kappa() -> None:
    assert cohens_kappa(np.array([[5, 0], [0, 0]])) is None
    assert cohens_kappa(np.zeros((2, 2), dtype=np.int64)) is None


def test_wrong_use_is_refused() -> None:
    pairs = PairAgreement(2)
    pairs.add(0, 0, 1)
    with pytest.raises(RepeatedAnnotationError):
        pairs.add(0, 0, 1)
    with pytest.raises(OutOfRangeError, match=r"0\.\.1"):
        pairs.add(0, 1, 2)
    with pytest.raises(OutOfRangeError, match="take back"):
        pairs.remove(0, 1)
    with pytest.raises(InvalidParameterError, match="square"):
        cohens_kappa(np.zeros((2, 3), dtype=np.int64))
    with pytest.raises(InvalidParameterError, match="at least one"):
        PairAgreement(0)
