"""The compiled loop of MACE: who knows says the truth, who does not says what they always say."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(
    "float64(int64[::1], int64[::1], int32[::1], optional(float64[:, ::1]), float64[::1], float64[::1],"
    " float64[::1], float64[:, ::1], float64[::1], float64[::1])",
    cache=True,
    nogil=True,
)
def expect_and_count(
    starts: NDArray[np.int64],
    cells: NDArray[np.int64],
    gold: NDArray[np.int32],
    log_odds: NDArray[np.float64] | None,
    log_guesses: NDArray[np.float64],
    log_gains: NDArray[np.float64],
    known_if_right: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    known: NDArray[np.float64],
    guessed: NDArray[np.float64],
) -> float:
    """Replace ``posteriors``; add expected counts to ``known`` (workers,) and ``guessed`` (cells,).

    With knows = P(the worker knows) and guess = P(does not, and says that label), an annotation speaks with
    ``log_guesses`` (cells,), ln guess, for every truth, and with ``log_gains``, ln (1 + knows / guess), more
    for its own label; ``known_if_right`` is knows / (knows + guess). Cells are few and annotations many,
    hence no logarithm here. Returns the log-likelihood under equally frequent classes, in nats.
    """
    n_classes = posteriors.shape[1]
    log_likelihood = 0.0
    for task in range(len(starts) - 1):
        for k in range(n_classes):
            posteriors[task, k] = -math.log(n_classes)
            if log_odds is not None:
                posteriors[task, k] += log_odds[task, k]
        for r in range(starts[task], starts[task + 1]):
            log_likelihood += log_guesses[cells[r]]
            posteriors[task, cells[r] % n_classes] += log_gains[cells[r]]
        truth = gold[task]
        if truth >= 0:
            log_likelihood += posteriors[task, truth]
            for k in range(n_classes):
                posteriors[task, k] = 0.0
            posteriors[task, truth] = 1.0
        else:
            highest = posteriors[task, 0]
            for k in range(1, n_classes):
                highest = max(highest, posteriors[task, k])
            total = 0.0
            for k in range(n_classes):
                posteriors[task, k] = math.exp(posteriors[task, k] - highest)
                total += posteriors[task, k]
            log_likelihood += highest + math.log(total)
            for k in range(n_classes):
                posteriors[task, k] /= total
        for r in range(starts[task], starts[task + 1]):
            share = posteriors[task, cells[r] % n_classes] * known_if_right[cells[r]]
            known[cells[r] // n_classes] += share
            guessed[cells[r]] += 1.0 - share
    return log_likelihood
