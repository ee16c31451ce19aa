"""The compiled loop that groups annotations by task."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

_CODES = numba.types.Array(numba.int32, 1, "C", readonly=True)
"""The columns of an annotation set cannot be written to, which numba counts as a type of its own."""


@numba.njit(
    numba.void(_CODES, _CODES, _CODES, numba.int64, numba.int64[::1], numba.uint32[::1]),
    cache=True,
    nogil=True,
)
def group_by_task(
    tasks: NDArray[np.int32],
    workers: NDArray[np.int32],
    labels: NDArray[np.int32],
    n_classes: int,
    starts: NDArray[np.int64],
    cells: NDArray[np.uint32],
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
