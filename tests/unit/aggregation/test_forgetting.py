import math

import pytest

from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.forgetting import Forgetting


def test_what_was_said_a_half_life_ago_counts_half() -> None:
    forgetting = Forgetting(half_life=3.0)
    then = forgetting.advance(10.0)
    assert forgetting.weight(then) == 1.0
    forgetting.advance(13.0)
    assert forgetting.weight(then) == 0.5
    forgetting.advance(19.0)
    assert forgetting.weight(then) == 0.125


def test_without_moments_annotations_are_counted() -> None:
    forgetting = Forgetting(half_life=1.0)
    moments = [forgetting.advance(None) for _ in range(3)]
    assert moments == [1.0, 2.0, 3.0]
    assert [forgetting.weight(moment) for moment in moments] == [0.25, 0.5, 1.0]


def test_time_does_not_go_back_but_may_begin_anywhere() -> None:
    forgetting = Forgetting(half_life=1.0)
    assert forgetting.advance(-50.0) == forgetting.now == -50.0
    assert forgetting.advance(-52.0) == -52.0
    assert forgetting.now == -50.0
    assert forgetting.weight(-52.0) == 0.25


def test_an_infinite_half_life_forgets_nothing_and_the_longest_ago_is_no_number_below_zero() -> None:
    forgetting = Forgetting()
    forgetting.advance(1e300)
    assert forgetting.weight(-1e300) == 1.0
    short = Forgetting(half_life=1e-300)
    short.advance(1e300)
    assert 0.0 < short.weight(0.0) < 1e-300


@pytest.mark.parametrize("half_life", [0.0, -1.0, math.nan])
def test_a_half_life_that_is_not_positive_is_refused(half_life: float) -> None:
    with pytest.raises(InvalidParameterError, match="half_life is"):
        Forgetting(half_life)


@pytest.mark.parametrize("moment", [math.nan, math.inf])
def test_a_moment_that_is_no_number_is_refused_and_changes_nothing(moment: float) -> None:
    forgetting = Forgetting(2.0)
    forgetting.advance(7.0)
    with pytest.raises(InvalidParameterError, match="the moment is"):
        forgetting.advance(moment)
    assert forgetting.now == 7.0
