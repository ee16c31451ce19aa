import math

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from crowdroute.aggregation.exponential import exponential


@numba.njit
def over(powers: NDArray[np.floating]) -> NDArray[np.floating]:
    found = np.empty_like(powers)
    for place in range(len(powers)):
        found[place] = exponential(powers[place])
    return found


@given(st.lists(st.floats(-707.0, 0.0), min_size=1, max_size=40))
def test_in_float64_it_is_within_three_units_of_the_last_place(powers: list[float]) -> None:
    exact = [math.exp(power) for power in powers]
    np.testing.assert_allclose(over(np.array(powers)), exact, rtol=3 * 2.0**-52)


@given(st.lists(st.floats(-86.0, 0.0, width=32), min_size=1, max_size=40))
def test_in_float32_it_is_within_three_units_of_the_last_place(powers: list[float]) -> None:
    exact = [math.exp(power) for power in powers]
    found = over(np.array(powers, dtype=np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, exact, rtol=3 * 2.0**-23)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_of_nothing_it_is_one_and_of_what_is_too_small_nothing(precision: type) -> None:
    powers = np.array([0.0, -0.0, -709.0, -1e4, -1e6, -1e30], dtype=precision)
    assert over(powers).tolist() == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_outside_compiled_code_it_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"math\.exp"):
        exponential(-1.0)
