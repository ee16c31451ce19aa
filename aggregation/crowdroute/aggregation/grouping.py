"""Annotations grouped by task, as the compiled loops walk them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.errors import InvalidAnnotationsError

_MOST_CELLS = 2**32
"""A cell's number has 32 bits: half the memory and traffic of 64, and no loop need ask whether it is
negative."""


class Grouped(NamedTuple):
    """Task i's cells (worker x classes + label) stand at ``starts[i]`` to ``starts[i + 1]``, in the given
    order."""

    starts: NDArray[np.int64]
    cells: NDArray[np.uint32]


def group_by_task(annotations: AnnotationSet) -> Grouped:
    """Sort the annotations by task, keeping the order within a task. O(annotations).

    Raises ``InvalidAnnotationsError`` where workers times labels exceed 2^32.
    """
    if annotations.n_workers * annotations.n_classes > _MOST_CELLS:
        raise InvalidAnnotationsError(
            f"{annotations.n_workers:,} workers times {annotations.n_classes:,} labels exceed {_MOST_CELLS:,}"
            " cells; fit parts of the workers, or merge labels"
        )
    from crowdroute.aggregation import grouping_kernels

    grouped = Grouped(
        np.zeros(annotations.n_tasks + 1, dtype=np.int64), np.empty(len(annotations), dtype=np.uint32)
    )
    grouping_kernels.group_by_task(
        annotations.tasks, annotations.workers, annotations.labels, annotations.n_classes, *grouped
    )
    return grouped


def worker_truth_label(table: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return a (cells, truth) table with the axes of a confusion matrix: (workers, truth, label)."""
    return np.ascontiguousarray(table.reshape(-1, n_classes, n_classes).transpose(0, 2, 1))


def right_or_wrong(skills: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return the confusion matrices (workers, truth, label) of workers whose errors are all alike."""
    if n_classes == 1:
        return np.ones((len(skills), 1, 1))
    wrong = (1.0 - skills) / (n_classes - 1)
    matrices = np.repeat(wrong, n_classes * n_classes).reshape(-1, n_classes, n_classes)
    classes = np.arange(n_classes)
    matrices[:, classes, classes] = skills[:, np.newaxis]
    return matrices
