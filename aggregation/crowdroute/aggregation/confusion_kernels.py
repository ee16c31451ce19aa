"""Compiled loops of the models with confusion matrices: one pass over the annotations per EM iteration.

Tables of counts have one row per cell (worker x labels + label) and one column per truth, so that what an
annotation needs is contiguous; ``counts`` (blocks, cells, truths) has one table per block of tasks. Whatever
is summed over tasks is summed by block, and the blocks in order: results do not depend on which thread did
which.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.posterior_kernels import SMALLEST, add_sums, begin, run_of, settle

PRECISIONS = ("float64", "float32")
"""Those of posteriors and logarithms; counts and sums are always float64."""

_EXPECT_AND_COUNT = (
    "UniTuple(float64, 2)(int64[::1], uint32[::1], int32[::1], optional(float64[:, ::1]), float64[::1],"
    " {0}[:, ::1], {0}[:, ::1], float64[:, ::1], float64[::1], float64[::1])"
)


@numba.njit(
    [f"void(int64[::1], uint32[::1], int32[::1], {precision}[:, ::1])" for precision in PRECISIONS],
    cache=True,
    nogil=True,
)
def share_votes(
    starts: NDArray[np.int64],
    cells: NDArray[np.uint32],
    gold: NDArray[np.int32],
    posteriors: NDArray[np.float64],
) -> None:
    """Fill ``posteriors`` with each task's shares of labels, one-hot where it has gold."""
    n_classes = posteriors.shape[1]
    for task in range(len(starts) - 1):
        posteriors[task] = 0.0
        if gold[task] >= 0:
            posteriors[task, gold[task]] = 1.0
            continue
        for r in range(starts[task], starts[task + 1]):
            posteriors[task, cells[r] % n_classes] += 1.0
        for k in range(n_classes):
            posteriors[task, k] /= starts[task + 1] - starts[task]


@numba.njit(
    [f"void(int64[::1], uint32[::1], {precision}[:, ::1], float64[:, ::1])" for precision in PRECISIONS],
    cache=True,
    nogil=True,
)
def count(
    starts: NDArray[np.int64],
    cells: NDArray[np.uint32],
    posteriors: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> None:
    """Replace ``counts`` (cells, truths) by the sums of the posteriors of each cell's annotations: the
    M-step."""
    counts[:] = 0.0
    for task in range(len(starts) - 1):
        for r in range(starts[task], starts[task + 1]):
            cell = cells[r]
            for k in range(posteriors.shape[1]):
                counts[cell, k] += posteriors[task, k]


@numba.njit([_EXPECT_AND_COUNT.format(precision) for precision in PRECISIONS], cache=True, nogil=True)
def expect_and_count(
    starts: NDArray[np.int64],
    cells: NDArray[np.uint32],
    gold: NDArray[np.int32],
    log_odds: NDArray[np.float64] | None,
    log_shares: NDArray[np.float64],
    log_table: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    counts: NDArray[np.float64],
    task_sums: NDArray[np.float64],
    annotation_sums: NDArray[np.float64],
) -> tuple[float, float]:
    """Replace ``posteriors`` (E-step) and ``counts`` (M-step), a run of tasks at a time, while that is in the
    cache.

    ``log_table`` (cells, truths) holds ln P(label | truth); where a truth is a class and a subtype of it, the
    table has as many columns. ``task_sums`` and ``annotation_sums`` (truths,) become the sum of the
    posteriors over tasks and over annotations. Returns the log-likelihood and the entropy of the posteriors,
    as ``settle`` does.
    """
    n_truths, n_tasks = posteriors.shape[1], len(starts) - 1
    run = run_of(n_truths)
    log_likelihood, entropy = 0.0, 0.0
    counts[:] = 0.0
    task_sums[:] = 0.0
    annotation_sums[:] = 0.0
    for first in range(0, n_tasks, run):
        end = min(first + run, n_tasks)
        begin(first, end, log_shares, log_odds, posteriors)
        for task in range(first, end):
            for r in range(starts[task], starts[task + 1]):
                cell = cells[r]
                for k in range(n_truths):
                    posteriors[task, k] += log_table[cell, k]
        told = settle(first, end, gold, posteriors)
        log_likelihood += told[0]
        entropy += told[1]
        add_sums(first, end, starts, posteriors, task_sums, annotation_sums)
        for task in range(first, end):
            for r in range(starts[task], starts[task + 1]):
                cell = cells[r]
                for k in range(n_truths):
                    counts[cell, k] += posteriors[task, k]
    return log_likelihood, entropy


@numba.njit(nogil=True)
def _gather(first: int, end: int, counts: NDArray[np.float64]) -> None:
    """Add the tables of all blocks to the first, cells from ``first`` up to ``end``."""
    for block in range(1, len(counts)):
        for cell in range(first, end):
            for k in range(counts.shape[2]):
                counts[0, cell, k] += counts[block, cell, k]


@numba.njit(
    [
        f"float64(int64, int64, float64[:, :, ::1], boolean[::1], {precision}[:, ::1])"
        for precision in PRECISIONS
    ],
    cache=True,
    nogil=True,
)
def normalise_seen(
    first: int,
    end: int,
    counts: NDArray[np.float64],
    seen: NDArray[np.bool_],
    log_table: NDArray[np.float64],
) -> float:
    """Gather the counts, and fill ``log_table`` with ln P(label | truth) over the labels a worker ever gave.

    Of the workers from ``first`` up to ``end``. Counts are raised to ``SMALLEST`` first; cells without
    annotations (not ``seen``) are left as they are. Returns the expected log-probability of the labels:
    counts, before raising, times ln P.
    """
    n_classes = counts.shape[2]
    _gather(first * n_classes, end * n_classes, counts)
    totals = np.empty(n_classes)
    expected = 0.0
    for start in range(first * n_classes, end * n_classes, n_classes):
        totals[:] = 0.0
        for cell in range(start, start + n_classes):
            if seen[cell]:
                for k in range(n_classes):
                    totals[k] += max(counts[0, cell, k], SMALLEST)
        for cell in range(start, start + n_classes):
            if seen[cell]:
                for k in range(n_classes):
                    log_share = math.log(max(counts[0, cell, k], SMALLEST) / totals[k])
                    log_table[cell, k] = log_share
                    expected += counts[0, cell, k] * log_share
    return expected


@numba.njit(
    [
        f"float64(int64, int64, float64[:, :, ::1], float64[:, ::1], {precision}[:, ::1])"
        for precision in PRECISIONS
    ],
    cache=True,
    nogil=True,
)
def normalise_smoothed(
    first: int,
    end: int,
    counts: NDArray[np.float64],
    pseudo_labels: NDArray[np.float64],
    log_table: NDArray[np.float64],
) -> float:
    """Gather the counts, add ``pseudo_labels`` (label, truth), and fill ``log_table`` with ln P(label |
    truth).

    Of the workers from ``first`` up to ``end``. Returns the sum of pseudo-labels times ln P: what the prior
    says of these matrices, up to a constant.
    """
    n_classes = counts.shape[2]
    _gather(first * n_classes, end * n_classes, counts)
    totals = np.empty(n_classes)
    prior = 0.0
    for start in range(first * n_classes, end * n_classes, n_classes):
        totals[:] = 0.0
        for label in range(n_classes):
            for k in range(n_classes):
                counts[0, start + label, k] += pseudo_labels[label, k]
                totals[k] += counts[0, start + label, k]
        for label in range(n_classes):
            for k in range(n_classes):
                log_share = math.log(counts[0, start + label, k] / totals[k])
                log_table[start + label, k] = log_share
                prior += pseudo_labels[label, k] * log_share
    return prior
