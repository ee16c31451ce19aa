"""Compiled loops of GLAD: ability times ease decides how likely a label is right."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.posterior_kernels import begin, run_of, settle

_HALVINGS = 12
"""How often a step that lowers the objective is halved before it is given up."""

_LONGEST = 1.0
"""The most that the logarithm of a task's ease moves at once: its curvature holds only nearby."""


@numba.njit("float64(float64)", cache=True, nogil=True)
def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


@numba.njit("float64(float64)", cache=True, nogil=True)
def _logistic(x: float) -> float:
    small = math.exp(-abs(x))
    return 1.0 / (1.0 + small) if x >= 0.0 else small / (1.0 + small)


@numba.njit(
    "float64(int64[::1], uint32[::1], int32[::1], optional(float64[:, ::1]), float64[::1], float64[::1],"
    " float64[::1], float64[:, ::1], float64[::1])",
    cache=True,
    nogil=True,
)
def expect(
    starts: NDArray[np.int64],
    cells: NDArray[np.uint32],
    gold: NDArray[np.int32],
    log_odds: NDArray[np.float64] | None,
    log_shares: NDArray[np.float64],
    abilities: NDArray[np.float64],
    log_ease: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    believed: NDArray[np.float64],
) -> float:
    """Replace ``posteriors``, and ``believed`` (annotations, by task), the probability that a label is right.

    Returns the log-likelihood. With x = ability ease, ln P(right) - ln P(wrong) = x: every annotation costs
    one addition, and what it says against all classes alike enters the likelihood only.
    """
    n_classes, n_tasks = posteriors.shape[1], len(starts) - 1
    run = run_of(n_classes)
    log_others = math.log(max(n_classes - 1, 1))
    log_likelihood = 0.0
    for first in range(0, n_tasks, run):
        end = min(first + run, n_tasks)
        begin(first, end, log_shares, log_odds, posteriors)
        for task in range(first, end):
            ease = math.exp(log_ease[task])
            for r in range(starts[task], starts[task + 1]):
                x = abilities[cells[r] // n_classes] * ease
                posteriors[task, cells[r] % n_classes] += x + log_others
                log_likelihood -= _softplus(x) + log_others
        log_likelihood += settle(first, end, gold, posteriors)[0]
        for task in range(first, end):
            for r in range(starts[task], starts[task + 1]):
                believed[r] = posteriors[task, cells[r] % n_classes]
    return log_likelihood


@numba.njit(
    "void(int64[::1], int64[::1], int64[::1], float64[::1], float64[::1], float64, float64[::1])",
    cache=True,
    nogil=True,
)
def raise_abilities(
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    task_of: NDArray[np.int64],
    believed: NDArray[np.float64],
    log_ease: NDArray[np.float64],
    prior_mean: float,
    abilities: NDArray[np.float64],
) -> None:
    """Move each worker's ability by one guarded Newton step; the objective never falls.

    The part of it that depends on the ability a is sum_r (p_r x_r - softplus(x_r)) - (a - mean)^2 / 2, with
    x_r = a ease_r, and is concave. ``places[starts[w]:starts[w + 1]]`` are the worker's annotations among
    those grouped by task.
    """
    for worker in range(len(starts) - 1):
        now = abilities[worker]
        value = -0.5 * (now - prior_mean) ** 2
        slope, curvature = prior_mean - now, 1.0
        for place in places[starts[worker] : starts[worker + 1]]:
            ease = math.exp(log_ease[task_of[place]])
            right = _logistic(now * ease)
            value += believed[place] * now * ease - _softplus(now * ease)
            slope += (believed[place] - right) * ease
            curvature += right * (1.0 - right) * ease * ease
        step = slope / curvature
        for _ in range(_HALVINGS):
            then = now + step
            reached = -0.5 * (then - prior_mean) ** 2
            for place in places[starts[worker] : starts[worker + 1]]:
                x = then * math.exp(log_ease[task_of[place]])
                reached += believed[place] * x - _softplus(x)
            if reached >= value:
                abilities[worker] = then
                break
            step *= 0.5


@numba.njit(
    "void(int64[::1], uint32[::1], int64, float64[::1], float64[::1], float64, float64[::1])",
    cache=True,
    nogil=True,
)
def raise_ease(
    starts: NDArray[np.int64],
    cells: NDArray[np.uint32],
    n_classes: int,
    believed: NDArray[np.float64],
    abilities: NDArray[np.float64],
    prior_mean: float,
    log_ease: NDArray[np.float64],
) -> None:
    """Move the logarithm of each task's ease by one guarded Newton step; the objective never falls."""
    for task in range(len(starts) - 1):
        now = log_ease[task]
        ease = math.exp(now)
        value = -0.5 * (now - prior_mean) ** 2
        slope, curvature = prior_mean - now, 1.0
        for r in range(starts[task], starts[task + 1]):
            x = abilities[cells[r] // n_classes] * ease
            right = _logistic(x)
            value += believed[r] * x - _softplus(x)
            slope += (believed[r] - right) * x
            # The objective is not concave here: the sign of the last term is taken so that the step ascends.
            curvature += right * (1.0 - right) * x * x + abs((believed[r] - right) * x)
        step = min(max(slope / curvature, -_LONGEST), _LONGEST)
        for _ in range(_HALVINGS):
            then = now + step
            ease = math.exp(then)
            reached = -0.5 * (then - prior_mean) ** 2
            for r in range(starts[task], starts[task + 1]):
                x = abilities[cells[r] // n_classes] * ease
                reached += believed[r] * x - _softplus(x)
            if reached >= value:
                log_ease[task] = then
                break
            step *= 0.5
