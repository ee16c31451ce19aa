"""The compiled loop of the online Bradley-Terry model: Newton steps on single scores."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(
    "void(float64[::1], int64, int64[::1], float64[::1], float64[::1], float64, float64)",
    cache=True,
    nogil=True,
)
def step(
    scores: NDArray[np.float64],
    item: int,
    others: NDArray[np.int64],
    won: NDArray[np.float64],
    lost: NDArray[np.float64],
    scale: float,
    precision: float,
) -> None:
    """Move one score by a Newton step of the log-posterior, at most by 1, the others standing still.

    ``won`` and ``lost`` are half-wins against ``others``, each of which counts ``scale``. O(opponents).
    """
    score = scores[item]
    slope, curve = -score * precision, precision
    for place in range(len(others)):
        count = scale * (won[place] + lost[place]) / 2.0
        chance = 0.5 * (1.0 + math.tanh(0.5 * (score - scores[others[place]])))
        slope += scale * won[place] / 2.0 - count * chance
        curve += count * chance * (1.0 - chance)
    scores[item] = score + max(-1.0, min(1.0, slope / curve))


@numba.njit(
    "void(float64[::1], int64, int64[::1], float64[::1], float64[::1], int64, int64[::1], float64[::1],"
    " float64[::1], float64, float64, int64)",
    cache=True,
    nogil=True,
)
def step_both(
    scores: NDArray[np.float64],
    one: int,
    others_of_one: NDArray[np.int64],
    one_won: NDArray[np.float64],
    one_lost: NDArray[np.float64],
    other: int,
    others_of_other: NDArray[np.int64],
    other_won: NDArray[np.float64],
    other_lost: NDArray[np.float64],
    scale: float,
    precision: float,
    sweeps: int,
) -> None:
    """Let both items of a comparison take a step in turn, ``sweeps`` times."""
    for _ in range(sweeps):
        step(scores, one, others_of_one, one_won, one_lost, scale, precision)
        step(scores, other, others_of_other, other_won, other_lost, scale, precision)
