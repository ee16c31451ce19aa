"""What the E-steps of all batch models have in common: a task's posterior, from the logarithms of its terms.

Each E-step goes through the tasks in runs: ``begin`` puts what is believed before any label into the rows of
``posteriors``, the model adds what each label says, and ``settle`` makes probabilities of the sums. A run is
short enough to stay in the nearest cache and long enough for vector instructions whatever the number of
classes.

These are compiled into the loops that call them, which numba keeps as long as *their* file does not change:
after a change here, remove the ``__pycache__`` folder of the package (the tests do it by themselves).
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.exponential import exponential

SMALLEST = 1e-10
"""The floor of a soft count, a class share or a posterior before its logarithm is taken; crowd-kit's."""

_SMALLEST_ENTROPY = -SMALLEST * math.log(SMALLEST)

_RUN = 2048
"""Posteriors settled at once: 16 KiB, a third to a half of a core's nearest cache."""

_NO_CHANCE = -1e4
"""A logarithm whose exponential is 0, in float32 too."""


@numba.njit(nogil=True)
def run_of(n_classes: int) -> int:
    """Return how many tasks are settled at once."""
    return max(_RUN // n_classes, 1)


@numba.njit(nogil=True)
def begin(
    first: int,
    end: int,
    log_shares: NDArray[np.float64],
    log_odds: NDArray[np.float64] | None,
    posteriors: NDArray[np.float64],
) -> None:
    """Fill the rows from ``first`` up to ``end`` with the class shares and the task's own log-odds."""
    for task in range(first, end):
        for k in range(posteriors.shape[1]):
            posteriors[task, k] = log_shares[k]
    if log_odds is not None:
        for task in range(first, end):
            for k in range(posteriors.shape[1]):
                posteriors[task, k] += log_odds[task, k]


@numba.njit(nogil=True)
def settle(
    first: int, end: int, gold: NDArray[np.int32], posteriors: NDArray[np.float64]
) -> tuple[float, float]:
    """Turn rows of sums of logarithms into posteriors, certain where ``gold`` is a code and not negative.

    Returns the log-likelihood, the sum over these tasks of ln sum_k exp(row_k) (of the gold class's term
    alone where there is gold), and the entropy of the posteriors in nats, each raised to ``SMALLEST`` for
    that purpose.
    """
    n_classes = posteriors.shape[1]
    log_likelihood, entropy = 0.0, 0.0
    for task in range(first, end):
        truth = gold[task]
        if truth >= 0:
            log_likelihood += posteriors[task, truth]
            for k in range(n_classes):
                posteriors[task, k] = _NO_CHANCE
            posteriors[task, truth] = 0.0
        else:
            highest = posteriors[task, 0]
            for k in range(1, n_classes):
                # Not max(), which minds NaN and so needs a branch.
                highest = posteriors[task, k] if posteriors[task, k] > highest else highest
            log_likelihood += highest
            for k in range(n_classes):
                posteriors[task, k] -= highest
    rows = posteriors[first:end]
    logarithms, likelihoods = rows.reshape(-1), np.empty_like(rows).reshape(-1)
    for place in range(len(logarithms)):
        likelihoods[place] = exponential(logarithms[place])
    place = 0
    for task in range(len(rows)):
        total = likelihoods[place]
        for k in range(1, n_classes):
            total += likelihoods[place + k]
        log_total = math.log(total)
        log_likelihood += log_total
        for k in range(n_classes):
            share = likelihoods[place + k] / total
            entropy += _SMALLEST_ENTROPY if share < SMALLEST else share * (log_total - rows[task, k])
            rows[task, k] = share
        place += n_classes
    return log_likelihood, entropy


@numba.njit(nogil=True)
def add_sums(
    first: int,
    end: int,
    starts: NDArray[np.int64],
    posteriors: NDArray[np.float64],
    task_sums: NDArray[np.float64],
    annotation_sums: NDArray[np.float64],
) -> None:
    """Add the posteriors from ``first`` up to ``end`` over tasks, and over annotations."""
    for task in range(first, end):
        labels = float(starts[task + 1] - starts[task])
        for k in range(posteriors.shape[1]):
            task_sums[k] += posteriors[task, k]
            annotation_sums[k] += labels * posteriors[task, k]
