"""Compiled sums of the counts that agreement is computed from: all at once, or one label more or less.

``counts`` (tasks, K) are the labels of each task and ``sizes`` (tasks,) their number; by size, ``pairs``
(sizes, K, K) are the ordered pairs of labels of one task, ``labels`` (sizes, K) the labels, and ``tasks``
(sizes,) the tasks.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_CODES = numba.types.Array(numba.int32, 1, "C", readonly=True)
"""The columns of an annotation set cannot be written to, which numba counts as a type of its own."""


@numba.njit(
    numba.void(_CODES, _CODES, numba.int64[:, ::1], numba.int64[::1]),
    cache=True,
    nogil=True,
)
def count(
    tasks: NDArray[np.int32], labels: NDArray[np.int32], counts: NDArray[np.int64], sizes: NDArray[np.int64]
) -> None:
    """Add every annotation to ``counts`` and ``sizes``."""
    for place in range(len(tasks)):
        counts[tasks[place], labels[place]] += 1
        sizes[tasks[place]] += 1


@numba.njit("int64(int64[:, ::1], int64[::1])", cache=True, nogil=True)
def measure(counts: NDArray[np.int64], sizes: NDArray[np.int64]) -> int:
    """Fill ``sizes`` from ``counts`` and return the smallest count."""
    least = np.int64(0)
    for task in range(len(counts)):
        size = np.int64(0)
        for k in range(counts.shape[1]):
            size += counts[task, k]
            least = min(least, counts[task, k])
        sizes[task] = size
    return int(least)


@numba.njit(
    "void(int64[:, ::1], int64[::1], int64[:, :, ::1], int64[:, ::1], int64[::1])", cache=True, nogil=True
)
def sum_by_size(
    counts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    pairs: NDArray[np.int64],
    labels: NDArray[np.int64],
    tasks: NDArray[np.int64],
) -> None:
    """Add every task to the last three. O(tasks K + tasks (distinct labels)^2)."""
    n_classes = counts.shape[1]
    for task in range(len(counts)):
        size = sizes[task]
        tasks[size] += 1
        for a in range(n_classes):
            n = counts[task, a]
            if n > 0:
                labels[size, a] += n
                pairs[size, a, a] += n * (n - 1)
                for b in range(a + 1, n_classes):
                    together = n * counts[task, b]
                    pairs[size, a, b] += together
                    pairs[size, b, a] += together


@numba.njit(
    "void(int64[:, ::1], int64[::1], int64[:, :, ::1], int64[:, ::1], int64[::1], int64, int64, int64)",
    cache=True,
    nogil=True,
)
def move(
    counts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    pairs: NDArray[np.int64],
    labels: NDArray[np.int64],
    tasks: NDArray[np.int64],
    task: int,
    label: int,
    step: int,
) -> None:
    """Take a task out of the sums of its size, change one of its counts by ``step``, add it to the next.
    O(K^2)."""
    n_classes = counts.shape[1]
    for sign in (-1, 1):
        size = sizes[task]
        tasks[size] += sign
        for a in range(n_classes):
            n = counts[task, a]
            if n > 0:
                labels[size, a] += sign * n
                for b in range(n_classes):
                    pairs[size, a, b] += sign * n * counts[task, b]
                pairs[size, a, a] -= sign * n
        if sign < 0:
            counts[task, label] += step
            sizes[task] += step
