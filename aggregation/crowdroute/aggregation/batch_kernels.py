"""Compiled loops of the batch models: one pass over the annotations per EM iteration, grouped by task.

An annotation is one number here, its *cell*: worker x classes + label. Tables of confusion counts have one
row per cell and one column per truth, so that what an annotation needs is contiguous.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-10
"""The floor of a soft count, a class share or a posterior before its logarithm is taken; crowd-kit's."""

_SMALLEST_ENTROPY = -SMALLEST * math.log(SMALLEST)

_CODES = numba.types.Array(numba.int32, 1, "C", readonly=True)
"""The columns of an annotation set cannot be written to, which numba counts as a type of its own."""


@numba.njit(
    numba.void(_CODES, _CODES, _CODES, numba.int64, numba.int64[::1], numba.int64[::1]),
    cache=True,
    nogil=True,
)
def group_by_task(
    tasks: NDArray[np.int32],
    workers: NDArray[np.int32],
    labels: NDArray[np.int32],
    n_classes: int,
    starts: NDArray[np.int64],
    cells: NDArray[np.int64],
) -> None:
    """Fill the last two: task i's cells stand at starts[i] to starts[i + 1], in the order given.

    ``starts`` (tasks + 1,) must be zero on entry; ``cells`` is as long as the given columns. O(annotations).
    """
    n_tasks = len(starts) - 1
    for task in tasks:
        starts[task + 1] += 1
    for task in range(n_tasks):
        starts[task + 1] += starts[task]
    free = starts[:-1].copy()
    for annotation in range(len(tasks)):
        place = free[tasks[annotation]]
        free[tasks[annotation]] = place + 1
        cells[place] = np.int64(workers[annotation]) * n_classes + labels[annotation]


@numba.njit("void(int64[::1], int64[::1], float64[:, ::1], float64[:, ::1])", cache=True, nogil=True)
def add_soft_counts(
    starts: NDArray[np.int64],
    cells: NDArray[np.int64],
    posteriors: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> None:
    """Add each task's posterior to ``counts`` (cells, truth) of each of its annotations: the M-step."""
    for task in range(len(starts) - 1):
        for r in range(starts[task], starts[task + 1]):
            for k in range(posteriors.shape[1]):
                counts[cells[r], k] += posteriors[task, k]


@numba.njit(
    "UniTuple(float64, 2)(int64[::1], int64[::1], int32[::1], optional(float64[:, ::1]), float64[::1],"
    " float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[::1], float64[::1])",
    cache=True,
    nogil=True,
)
def expect_and_count(
    starts: NDArray[np.int64],
    cells: NDArray[np.int64],
    gold: NDArray[np.int32],
    log_odds: NDArray[np.float64] | None,
    log_shares: NDArray[np.float64],
    log_confusion: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    counts: NDArray[np.float64],
    task_sums: NDArray[np.float64],
    annotation_sums: NDArray[np.float64],
) -> tuple[float, float]:
    """Fill ``posteriors`` (E-step) and add them to ``counts`` (M-step) while a task's annotations are in the
    cache.

    ``gold`` is the code of the truth, or negative. ``task_sums`` and ``annotation_sums`` (K,) receive, added,
    the sum of the posteriors over tasks and over annotations. Returns the log-likelihood, the sum over tasks
    of ln sum_k pi_k prod_r e_rk (of the gold class's term alone where there is gold), and the entropy of the
    posteriors in nats, each raised to ``SMALLEST`` for that purpose.
    """
    n_classes = posteriors.shape[1]
    log_likelihood, entropy = 0.0, 0.0
    likelihood = np.empty(n_classes)
    for task in range(len(starts) - 1):
        first, end = starts[task], starts[task + 1]
        # The logarithms gather in the posterior's own row, which is in the cache anyway.
        for k in range(n_classes):
            posteriors[task, k] = log_shares[k]
            if log_odds is not None:
                posteriors[task, k] += log_odds[task, k]
        for r in range(first, end):
            for k in range(n_classes):
                posteriors[task, k] += log_confusion[cells[r], k]
        truth = gold[task]
        if truth >= 0:
            log_likelihood += posteriors[task, truth]
            entropy += (n_classes - 1) * _SMALLEST_ENTROPY
            for k in range(n_classes):
                posteriors[task, k] = 0.0
            posteriors[task, truth] = 1.0
        else:
            highest = posteriors[task, 0]
            for k in range(1, n_classes):
                highest = max(highest, posteriors[task, k])
            total = 0.0
            for k in range(n_classes):
                posteriors[task, k] -= highest
                likelihood[k] = math.exp(posteriors[task, k])
                total += likelihood[k]
            log_total = math.log(total)
            log_likelihood += highest + log_total
            for k in range(n_classes):
                share = likelihood[k] / total
                entropy += (
                    _SMALLEST_ENTROPY if share < SMALLEST else share * (log_total - posteriors[task, k])
                )
                posteriors[task, k] = share
        for k in range(n_classes):
            task_sums[k] += posteriors[task, k]
            annotation_sums[k] += (end - first) * posteriors[task, k]
        for r in range(first, end):
            for k in range(n_classes):
                counts[cells[r], k] += posteriors[task, k]
    return log_likelihood, entropy


@numba.njit(
    "float64(float64[:, ::1], boolean[::1], float64[:, ::1], float64[:, ::1])", cache=True, nogil=True
)
def normalise_seen(
    counts: NDArray[np.float64],
    seen: NDArray[np.bool_],
    confusion: NDArray[np.float64],
    log_confusion: NDArray[np.float64],
) -> float:
    """Fill ``confusion`` with P(label | truth) over the labels each worker ever gave, and its logarithm.

    All have axes (cells, truth), ``seen`` (cells,). Counts are raised to ``SMALLEST`` first; cells without
    annotations are left as they are. Returns the expected log-probability of the labels: counts, before
    raising, times ln P.
    """
    n_classes = counts.shape[1]
    totals = np.empty(n_classes)
    expected = 0.0
    for start in range(0, len(counts), n_classes):
        totals[:] = 0.0
        for cell in range(start, start + n_classes):
            if seen[cell]:
                for k in range(n_classes):
                    totals[k] += max(counts[cell, k], SMALLEST)
        for cell in range(start, start + n_classes):
            if seen[cell]:
                for k in range(n_classes):
                    share = max(counts[cell, k], SMALLEST) / totals[k]
                    confusion[cell, k] = share
                    log_confusion[cell, k] = math.log(share)
                    expected += counts[cell, k] * log_confusion[cell, k]
    return expected
