"""The compiled loop of the one-coin model: a label speaks for itself, and against all others alike."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.posterior_kernels import add_sums, begin, run_of, settle


@numba.njit(
    "float64(int64[::1], uint32[::1], int32[::1], optional(float64[:, ::1]), float64[::1], float64[::1],"
    " float64[:, ::1], float64[::1], float64[::1], float64[::1])",
    cache=True,
    nogil=True,
)
def expect_and_count(
    starts: NDArray[np.int64],
    cells: NDArray[np.uint32],
    gold: NDArray[np.int32],
    log_odds: NDArray[np.float64] | None,
    log_shares: NDArray[np.float64],
    log_gains: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    right: NDArray[np.float64],
    task_sums: NDArray[np.float64],
    annotation_sums: NDArray[np.float64],
) -> float:
    """Replace ``posteriors`` (E-step) and ``right`` (workers,), how many labels are right (M-step).

    What all labels of a task say against every class cancels, so that an annotation costs one addition, not
    one per class: ``log_gains`` (workers,), ln P(the right label) - ln P(one certain wrong one).
    ``task_sums`` and ``annotation_sums`` (K,) become the sum of the posteriors over tasks and over
    annotations. Returns the entropy of the posteriors, as ``settle`` does.
    """
    n_classes, n_tasks = posteriors.shape[1], len(starts) - 1
    run = run_of(n_classes)
    entropy = 0.0
    right[:] = 0.0
    task_sums[:] = 0.0
    annotation_sums[:] = 0.0
    for first in range(0, n_tasks, run):
        end = min(first + run, n_tasks)
        begin(first, end, log_shares, log_odds, posteriors)
        for task in range(first, end):
            for r in range(starts[task], starts[task + 1]):
                posteriors[task, cells[r] % n_classes] += log_gains[cells[r] // n_classes]
        entropy += settle(first, end, gold, posteriors)[1]
        add_sums(first, end, starts, posteriors, task_sums, annotation_sums)
        for task in range(first, end):
            for r in range(starts[task], starts[task + 1]):
                right[cells[r] // n_classes] += posteriors[task, cells[r] % n_classes]
    return entropy
