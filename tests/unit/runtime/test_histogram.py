"""Values are counted under the first bound that they do not exceed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.runtime.histogram import Histogram


def test_a_bound_belongs_to_the_range_that_it_ends() -> None:
    histogram = Histogram((1, 2))
    for value in (0.5, 1, 1.5, 2, 3):
        histogram.observe(value)
    assert list(histogram.cumulative()) == [2, 4, 5]
    assert histogram.total == 8


@given(
    st.lists(st.integers(-1000, 1000), unique=True, max_size=8).map(sorted),
    st.lists(st.integers(-2000, 2000)),
)
def test_every_number_is_that_of_the_values_up_to_its_bound(bounds: list[int], values: list[int]) -> None:
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    expected = [sum(value <= bound for value in values) for bound in bounds]
    assert list(histogram.cumulative()) == [*expected, len(values)]
    assert histogram.total == sum(values)
