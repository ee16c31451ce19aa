"""The compiled loop of MACE: who knows says the truth, who does not says what they always say."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(
    "float64(int64[::1], int64[::1], int32[::1], optional(float64[:, ::1]), float64[::1], float64[::1],"
    " float64[:, ::1], float64[::1], float64[::1])",
    cache=True,
    nogil=True,
)
def expect_and_count(
    starts: NDArray[np.int64],
    cells: NDArray[np.int64],
    gold: NDArray[np.int32],
    log_odds: NDArray[np.float64] | None,
    knows: NDArray[np.float64],
    guesses: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    known: NDArray[np.float64],
    guessed: NDArray[np.float64],
) -> float:
    """Replace ``posteriors``; add expected counts to ``known`` (workers,) and ``guessed`` (cells,).

    ``knows`` (workers,) is P(the worker knows), ``guesses`` (cells,) P(does not, and says that label); both
    positive. An annotation of label l says ``guesses`` for every truth, and ``knows`` more for l itself.
    Returns the log-likelihood under equally frequent classes, in nats.
    """
    n_classes = posteriors.shape[1]
    log_likelihood = 0.0
    for task in range(len(starts) - 1):
        for k in range(n_classes):
            posteriors[task, k] = -math.log(n_classes)
            if log_odds is not None:
                posteriors[task, k] += log_odds[task, k]
        for r in range(starts[task], starts[task + 1]):
            guess = guesses[cells[r]]
            log_likelihood += math.log(guess)
            posteriors[task, cells[r] % n_classes] += math.log1p(knows[cells[r] // n_classes] / guess)
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
            worker = cells[r] // n_classes
            share = (
                posteriors[task, cells[r] % n_classes] * knows[worker] / (knows[worker] + guesses[cells[r]])
            )
            known[worker] += share
            guessed[cells[r]] += 1.0 - share
    return log_likelihood
