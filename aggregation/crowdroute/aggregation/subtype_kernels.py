"""Compiled loop of the model with subtypes: one pass over the annotations, task by task.

An annotation is one number here, its *cell*: worker x labels + label. Tables have one row per cell and one
column per latent state, a class and a subtype of it.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(
    "float64(int64[::1], int64[::1], optional(float64[:, ::1]), float64[::1], float64[:, ::1],"
    " float64[:, ::1], float64[:, ::1], float64[::1])",
    cache=True,
    nogil=True,
)
def expect_and_count(
    starts: NDArray[np.int64],
    cells: NDArray[np.int64],
    log_odds: NDArray[np.float64] | None,
    log_shares: NDArray[np.float64],
    log_table: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    counts: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> float:
    """Fill ``posteriors`` (tasks, states); add them to ``counts`` (cells, states) and ``sums`` (states,).

    Task i's cells stand at ``starts[i]`` to ``starts[i + 1]``. Returns the sum over tasks of the logarithm of
    sum_s exp(shares + odds + table rows). O(annotations states).
    """
    n_states = posteriors.shape[1]
    log_likelihood = 0.0
    for task in range(len(starts) - 1):
        row = posteriors[task]
        for s in range(n_states):
            row[s] = log_shares[s]
            if log_odds is not None:
                row[s] += log_odds[task, s]
        for place in range(starts[task], starts[task + 1]):
            for s in range(n_states):
                row[s] += log_table[cells[place], s]
        highest = row[0]
        for s in range(1, n_states):
            highest = max(highest, row[s])
        total = 0.0
        for s in range(n_states):
            row[s] = math.exp(row[s] - highest)
            total += row[s]
        log_likelihood += highest + math.log(total)
        for s in range(n_states):
            row[s] /= total
            sums[s] += row[s]
        for place in range(starts[task], starts[task + 1]):
            for s in range(n_states):
                counts[cells[place], s] += row[s]
    return log_likelihood
