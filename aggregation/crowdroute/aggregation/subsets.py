"""Parts of an annotation set, with all the labels of the whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet


def subset(annotations: AnnotationSet, places: NDArray[np.intp]) -> AnnotationSet:
    """Return the annotations at these places, in their order; tasks and workers without any are left out.

    The ids of tasks and workers in the part are their codes in the whole, its labels the codes of the labels.
    """
    return AnnotationSet.from_sequences(
        annotations.tasks[places],
        annotations.workers[places],
        annotations.labels[places],
        label_ids=range(annotations.n_classes),
    )


def some_tasks(annotations: AnnotationSet, at_most: int, seed: int) -> AnnotationSet:
    """Return the set itself, or, if it has more annotations than ``at_most``, those of tasks drawn at
    random."""
    if len(annotations) <= at_most:
        return annotations
    sizes = np.bincount(annotations.tasks, minlength=annotations.n_tasks)
    order = np.random.default_rng(seed).permutation(annotations.n_tasks)
    drawn = np.zeros(annotations.n_tasks, dtype=bool)
    # The first task always comes, however many annotations it has.
    drawn[order[: max(int(np.searchsorted(np.cumsum(sizes[order]), at_most, side="right")), 1)]] = True
    return subset(annotations, np.flatnonzero(drawn[annotations.tasks]))
