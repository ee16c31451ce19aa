"""Compiled loops of the online model.

Importing this module imports numba and compiles, or loads from numba's cache, every function below for the
one set of types it is used with. That moves the cost of compiling to start-up, and turns an array of the
wrong type into an error instead of a second compilation in the middle of a request.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.addresses import address_of, carray, pointer

SMALLEST_COUNT = 1e-9
"""Pseudo-labels: the floor of a count. Taking away what was added before can leave a rounding error behind;
every prior entry is above this floor, so that it only ever catches such an error, never evidence."""

REESTIMATED = 0
UNKNOWN_MATRIX = 1
UNKNOWN_LABEL = 2
LIST_TOO_SHORT = 3


@numba.njit("int64(int32[::1], int32[::1], int64, int64, int64)", cache=True, nogil=True)
def _check_list(
    matrices: NDArray[np.int32], labels: NDArray[np.int32], count: int, n_matrices: int, n_classes: int
) -> int:
    if count < 0 or count > matrices.shape[0] or count > labels.shape[0]:
        return LIST_TOO_SHORT
    for r in range(count):
        if matrices[r] < 0 or matrices[r] >= n_matrices:
            return UNKNOWN_MATRIX
        if labels[r] < 0 or labels[r] >= n_classes:
            return UNKNOWN_LABEL
    return REESTIMATED


def held(
    posteriors: NDArray[np.float64],
    confusion: NDArray[np.float64],
    row_sums: NDArray[np.float64],
    class_counts: NDArray[np.float64],
    versions: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Give the addresses of a model's arrays, and the numbers of their rows and classes, for
    ``reestimate``."""
    addresses = [address_of(array) for array in (posteriors, confusion, row_sums, class_counts, versions)]
    return np.array([*addresses, len(posteriors), len(confusion), len(class_counts)], np.int64)


@numba.njit(nogil=True)
def _arrays_of(
    model: NDArray[np.int64],
) -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]
]:
    n_tasks, n_rows, n_classes = model[5], model[6], model[7]
    return (
        carray(pointer(model[0]), (n_tasks, n_classes), np.float64),
        carray(pointer(model[1]), (n_rows, n_classes, n_classes), np.float64),
        carray(pointer(model[2]), (n_rows, n_classes), np.float64),
        carray(pointer(model[3]), n_classes, np.float64),
        carray(pointer(model[4]), n_rows, np.int32),
    )


@numba.njit(nogil=True)
def _reestimate(
    model: NDArray[np.int64],
    n_matrices: int,
    task: int,
    old_matrices: NDArray[np.int32],
    old_labels: NDArray[np.int32],
    old_weights: NDArray[np.float64] | None,
    n_old: int,
    new_matrices: NDArray[np.int32],
    new_labels: NDArray[np.int32],
    new_weights: NDArray[np.float64] | None,
    n_new: int,
    truth: int,
) -> int:
    posteriors, confusion, row_sums, class_counts, versions = _arrays_of(model)
    n_classes = len(class_counts)
    outcome = _check_list(old_matrices, old_labels, n_old, n_matrices, n_classes)
    if outcome == REESTIMATED:
        outcome = _check_list(new_matrices, new_labels, n_new, n_matrices, n_classes)
    if outcome != REESTIMATED:
        return outcome
    posterior = posteriors[task]

    for r in range(n_old):
        matrix, label = old_matrices[r], old_labels[r]
        weight = 1.0 if old_weights is None else old_weights[r]
        for k in range(n_classes):
            said = weight * posterior[k]
            confusion[matrix, k, label] = max(confusion[matrix, k, label] - said, SMALLEST_COUNT)
            row_sums[matrix, k] = max(row_sums[matrix, k] - said, SMALLEST_COUNT * n_classes)
        versions[matrix] += 1
    if n_old > 0:
        for k in range(n_classes):
            class_counts[k] = max(class_counts[k] - posterior[k], SMALLEST_COUNT)

    if truth >= 0:
        posterior[:] = 0.0
        posterior[truth] = 1.0
    elif n_new == 0:
        posterior[:] = 1.0 / n_classes
    else:
        # The task's own evidence is out of every count now, so this is the leave-one-out posterior.
        highest = -np.inf
        for k in range(n_classes):
            log_joint = math.log(class_counts[k])
            for r in range(n_new):
                log_joint += math.log(
                    confusion[new_matrices[r], k, new_labels[r]] / row_sums[new_matrices[r], k]
                )
            posterior[k] = log_joint
            highest = max(highest, log_joint)
        total = 0.0
        for k in range(n_classes):
            posterior[k] = math.exp(posterior[k] - highest)
            total += posterior[k]
        for k in range(n_classes):
            posterior[k] /= total

    for r in range(n_new):
        matrix, label = new_matrices[r], new_labels[r]
        weight = 1.0 if new_weights is None else new_weights[r]
        for k in range(n_classes):
            confusion[matrix, k, label] += weight * posterior[k]
            row_sums[matrix, k] += weight * posterior[k]
        versions[matrix] += 1
    if n_new > 0:
        for k in range(n_classes):
            class_counts[k] += posterior[k]
    return REESTIMATED


@numba.njit(
    "int64(int64[::1], int64, int64, int32[::1], int32[::1], int64, int32[::1], int32[::1], int64, int64)",
    cache=True,
    nogil=True,
)
def reestimate(
    model: NDArray[np.int64],
    n_matrices: int,
    task: int,
    old_matrices: NDArray[np.int32],
    old_labels: NDArray[np.int32],
    n_old: int,
    new_matrices: NDArray[np.int32],
    new_labels: NDArray[np.int32],
    n_new: int,
    truth: int,
) -> int:
    """Replace one task's annotations and re-estimate its posterior, as described at
    ``OnlineDawidSkene.reestimate``.

    ``model`` is what ``held`` gives. Returns ``REESTIMATED``, or one of the other outcomes with nothing
    changed. ``task`` and ``truth`` must be in range.
    """
    return _reestimate(
        model,
        n_matrices,
        task,
        old_matrices,
        old_labels,
        None,
        n_old,
        new_matrices,
        new_labels,
        None,
        n_new,
        truth,
    )


@numba.njit(
    "int64(int64[::1], int64, int64, int32[::1], int32[::1], float64[::1], int32[::1], int32[::1],"
    " float64[::1], int64)",
    cache=True,
    nogil=True,
)
def reestimate_weighted(
    model: NDArray[np.int64],
    n_matrices: int,
    task: int,
    old_matrices: NDArray[np.int32],
    old_labels: NDArray[np.int32],
    old_weights: NDArray[np.float64],
    new_matrices: NDArray[np.int32],
    new_labels: NDArray[np.int32],
    new_weights: NDArray[np.float64],
    truth: int,
) -> int:
    """Do what ``reestimate`` does where an annotation counts ``weights[r]`` in its worker's matrix."""
    return _reestimate(
        model,
        n_matrices,
        task,
        old_matrices,
        old_labels,
        old_weights,
        len(old_weights),
        new_matrices,
        new_labels,
        new_weights,
        len(new_weights),
        truth,
    )


@numba.njit("void(int64[::1], int64, int64[::1], int32[::1], int32[::1], int32[::1])", cache=True, nogil=True)
def sweep(
    model: NDArray[np.int64],
    n_matrices: int,
    starts: NDArray[np.int64],
    matrices: NDArray[np.int32],
    labels: NDArray[np.int32],
    truths: NDArray[np.int32],
) -> None:
    """Re-estimate every task once from all others; task t has the annotations ``starts[t]`` to
    ``starts[t + 1]``, which must be those it was last given."""
    for task in range(len(truths)):
        first, end = starts[task], starts[task + 1]
        whose, said = matrices[first:end], labels[first:end]
        count = end - first
        _reestimate(model, n_matrices, task, whose, said, None, count, whose, said, None, count, truths[task])


@numba.njit(
    "void(float64[:, :, ::1], float64[:, ::1], int64, float64[:, ::1], float64[::1])", cache=True, nogil=True
)
def fill_information(
    confusion: NDArray[np.float64],
    row_sums: NDArray[np.float64],
    matrix: int,
    cells: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` with the bits of truth that one label from ``matrix`` is expected to tell about each
    posterior.

    I(truth; label) = H(label) - sum_k q_k H(label | truth k), with P(label | truth) the matrix row over its
    sum.
    """
    n_classes = cells.shape[1]
    row_entropy = np.empty(n_classes)
    for k in range(n_classes):
        entropy = 0.0
        for label in range(n_classes):
            share = confusion[matrix, k, label] / row_sums[matrix, k]
            if share > 0.0:
                entropy -= share * math.log2(share)
        row_entropy[k] = entropy
    label_shares = np.empty(n_classes)
    for c in range(cells.shape[0]):
        label_shares[:] = 0.0
        information = 0.0
        for k in range(n_classes):
            weight = cells[c, k]
            information -= weight * row_entropy[k]
            # Truth outermost walks the matrix along its rows, which are contiguous.
            weight /= row_sums[matrix, k]
            for label in range(n_classes):
                label_shares[label] += weight * confusion[matrix, k, label]
        for label in range(n_classes):
            if label_shares[label] > 0.0:
                information -= label_shares[label] * math.log2(label_shares[label])
        # Information is never negative; the difference of two equal entropies can round to just below zero.
        out[c] = max(information, 0.0)
