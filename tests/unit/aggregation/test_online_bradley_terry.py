import math

import numpy as np
import pytest

from crowdroute.aggregation import BradleyTerry, ComparisonSet, OnlineBradleyTerry
from crowdroute.aggregation.comparison_set import LEFT, RIGHT, TIE
from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError


def test_with_forgetting_scores_follow_items_that_change() -> None:
    rng = np.random.default_rng(0)
    lasting, forgetting = OnlineBradleyTerry(), OnlineBradleyTerry(half_life=50.0)
    for place in range(600):
        # a is better than b, until it is worse.
        outcome = LEFT if (rng.random() < 0.8) == (place < 400) else RIGHT
        for model in (lasting, forgetting):
            model.partial_fit("a", "b", outcome)
    assert lasting.predict_proba("a", "b") > 0.5
    assert forgetting.predict_proba("a", "b") < 0.3


def test_a_refit_finds_the_mode_of_what_is_not_forgotten() -> None:
    model = OnlineBradleyTerry(half_life=2.0)
    model.partial_fit("a", "b", LEFT, moment=0.0)
    model.partial_fit("b", "c", TIE, moment=2.0)
    model.partial_fit("c", "a", LEFT, moment=4.0)
    comparisons = ComparisonSet.from_sequences("uuu", "abc", "bca", ["a", None, "c"])
    expected = BradleyTerry().fit(comparisons, weights=np.array([0.25, 0.5, 1.0])).predict()
    assert model.refit().scores_ == pytest.approx(expected, abs=1e-9)


def test_a_weight_is_that_many_comparisons() -> None:
    once, often = OnlineBradleyTerry(), OnlineBradleyTerry()
    once.partial_fit("a", "b", LEFT, weight=3.0).partial_fit("b", "c", RIGHT)
    for _ in range(3):
        often.partial_fit("b", "a", RIGHT)
    often.partial_fit("b", "c", RIGHT)
    assert once.refit().scores_ == pytest.approx(often.refit().scores_, abs=1e-9)
    with pytest.raises(OutOfRangeError, match="no such comparison"):
        once.remove("a", "b", LEFT)
    once.remove("b", "a", RIGHT, weight=3.0)
    assert once.gap().mean > 0.0
    assert once.refit().gap().largest < 1e-8


def test_of_equal_comparisons_the_last_is_taken_back_or_that_of_the_moment() -> None:
    last, first = (OnlineBradleyTerry(half_life=1.0) for _ in range(2))
    for model in (last, first):
        model.partial_fit("a", "b", LEFT, 1.0).partial_fit("a", "b", LEFT, 5.0).partial_fit(
            "b", "c", LEFT, 5.0
        )
    last.remove("a", "b", LEFT)
    first.remove("a", "b", LEFT, moment=1.0)
    assert last.refit().predict_proba("a", "b") < first.refit().predict_proba("a", "b")
    with pytest.raises(OutOfRangeError, match="no such comparison"):
        first.remove("a", "b", LEFT, moment=1.0)


def test_long_times_and_late_beginnings_stay_finite() -> None:
    model = OnlineBradleyTerry(half_life=1.0)
    for moment in (-1e9, -1e9 + 150.0, -1e9 + 400.0, 0.0, 1e9):
        model.partial_fit("a", "b", LEFT, moment)
    assert math.isfinite(model.scores_["a"])
    alone = OnlineBradleyTerry().partial_fit("a", "b", LEFT).refit().scores_
    assert model.refit().scores_ == pytest.approx(alone, abs=1e-9)
    model.remove("a", "b", LEFT, moment=1e9)
    assert model.refit().scores_ == pytest.approx({"a": 0.0, "b": 0.0}, abs=1e-9)


def test_with_every_comparison_taken_back_scores_are_those_of_the_prior() -> None:
    model = OnlineBradleyTerry().partial_fit("a", "b", LEFT).remove("a", "b", LEFT)
    assert model.refit().scores_ == {"a": 0.0, "b": 0.0}
    assert model.gap().largest == 0.0


def test_bad_weights_are_refused_and_change_nothing() -> None:
    model = OnlineBradleyTerry().partial_fit("a", "b", LEFT)
    before = model.scores_
    for weight in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(InvalidParameterError, match="the weight is"):
            model.partial_fit("a", "b", LEFT, weight=weight)
    assert model.scores_ == before
    comparisons = ComparisonSet.from_sequences("u", "a", "b", ["a"])
    for weights in (np.ones(2), np.array([-1.0]), np.array([math.nan])):
        with pytest.raises(InvalidParameterError, match="weights has shape"):
            BradleyTerry().fit(comparisons, weights=weights)
