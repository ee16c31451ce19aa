"""The compiled loop of the one-coin model: a label speaks for itself, and against all others alike."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.batch_kernels import SMALLEST

_SMALLEST_ENTROPY = -SMALLEST * math.log(SMALLEST)


@numba.njit(
    "float64(int64[::1], int64[::1], int32[::1], optional(float64[:, ::1]), float64[::1], float64[::1],"
    " float64[::1], float64[:, ::1], float64[::1], float64[::1], float64[::1])",
    cache=True,
    nogil=True,
)
def expect_and_count(
    starts: NDArray[np.int64],
    cells: NDArray[np.int64],
    gold: NDArray[np.int32],
    log_odds: NDArray[np.float64] | None,
    log_shares: NDArray[np.float64],
    log_right: NDArray[np.float64],
    log_wrong: NDArray[np.float64],
    posteriors: NDArray[np.float64],
    right: NDArray[np.float64],
    task_sums: NDArray[np.float64],
    annotation_sums: NDArray[np.float64],
) -> float:
    """Replace ``posteriors`` (E-step), and add to ``right`` (workers,) how many labels are right (M-step).

    What all labels of a task say against every class cancels, so that an annotation costs one addition, not
    one per class. ``gold`` is the code of the truth, or negative. ``task_sums`` and ``annotation_sums`` (K,)
    receive, added, the sum of the posteriors over tasks and over annotations. Returns the entropy of the
    posteriors in nats, each raised to ``SMALLEST`` for that purpose.
    """
    n_classes = posteriors.shape[1]
    entropy = 0.0
    likelihood = np.empty(n_classes)
    for task in range(len(starts) - 1):
        first, end = starts[task], starts[task + 1]
        truth = gold[task]
        if truth >= 0:
            entropy += (n_classes - 1) * _SMALLEST_ENTROPY
            for k in range(n_classes):
                posteriors[task, k] = 0.0
            posteriors[task, truth] = 1.0
        else:
            for k in range(n_classes):
                posteriors[task, k] = log_shares[k]
                if log_odds is not None:
                    posteriors[task, k] += log_odds[task, k]
            for r in range(first, end):
                worker = cells[r] // n_classes
                posteriors[task, cells[r] % n_classes] += log_right[worker] - log_wrong[worker]
            highest = posteriors[task, 0]
            for k in range(1, n_classes):
                highest = max(highest, posteriors[task, k])
            total = 0.0
            for k in range(n_classes):
                posteriors[task, k] -= highest
                likelihood[k] = math.exp(posteriors[task, k])
                total += likelihood[k]
            log_total = math.log(total)
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
            right[cells[r] // n_classes] += posteriors[task, cells[r] % n_classes]
    return entropy
