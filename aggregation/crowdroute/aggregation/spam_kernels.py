"""The compiled loop of MACE: who knows says the truth, who does not says what they always say."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.posterior_kernels import begin, run_of, settle


@numba.njit(
    "float64(int64[::1], uint32[::1], int32[::1], optional(float64[:, ::1]), float64[::1], float64[::1],"
    " float64[::1], float64[:, ::1], float64[::1], float64[::1])",
    cache=True,
    nogil=True,
)
def expect_and_count(
    starts: NDArray[np.int64],
    cells: NDArray[np.uint32],
    gold: NDArray[np.int32],
    log_odds: NDArray[np.float64] | None,
    log_guesses: NDArray[np.float64],
    log_gains: NDArray[np.float64],
    known_if_right: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    known: NDArray[np.float64],
    guessed: NDArray[np.float64],
) -> float:
    """Replace ``posteriors``, and the expected counts ``known`` (workers,) and ``guessed`` (cells,).

    With knows = P(the worker knows) and guess = P(does not, and says that label), an annotation speaks with
    ``log_guesses`` (cells,), ln guess, for every truth, and with ``log_gains``, ln (1 + knows / guess), more
    for its own label; ``known_if_right`` is knows / (knows + guess). Cells are few and annotations many,
    hence no logarithm here. Returns the log-likelihood under equally frequent classes, in nats.
    """
    n_classes, n_tasks = posteriors.shape[1], len(starts) - 1
    run = run_of(n_classes)
    log_shares = np.full(n_classes, -np.log(n_classes))
    log_likelihood = 0.0
    known[:] = 0.0
    guessed[:] = 0.0
    for first in range(0, n_tasks, run):
        end = min(first + run, n_tasks)
        begin(first, end, log_shares, log_odds, posteriors)
        for task in range(first, end):
            for r in range(starts[task], starts[task + 1]):
                log_likelihood += log_guesses[cells[r]]
                posteriors[task, cells[r] % n_classes] += log_gains[cells[r]]
        log_likelihood += settle(first, end, gold, posteriors)[0]
        for task in range(first, end):
            for r in range(starts[task], starts[task + 1]):
                share = posteriors[task, cells[r] % n_classes] * known_if_right[cells[r]]
                known[cells[r] // n_classes] += share
                guessed[cells[r]] += 1.0 - share
    return log_likelihood
