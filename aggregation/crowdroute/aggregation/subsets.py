"""Parts of an annotation set, with all the labels of the whole."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.coding import Vocabulary


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


def by_name(annotations: AnnotationSet) -> AnnotationSet:
    """Return the same annotations sorted by the names of task and worker, whatever order they came in."""
    tasks, workers = (
        _ranks(ids)[codes]
        for ids, codes in (
            (annotations.task_ids, annotations.tasks),
            (annotations.worker_ids, annotations.workers),
        )
    )
    return annotations.select(np.lexsort((workers, tasks)))


def some_tasks(
    annotations: AnnotationSet, at_most: int, seed: int, first: Container[Any] = ()
) -> AnnotationSet:
    """Return the set itself, or, if it has more annotations than ``at_most``, those of tasks drawn at random.

    The tasks in ``first`` are drawn before all others.
    """
    if len(annotations) <= at_most:
        return annotations
    sizes = np.bincount(annotations.tasks, minlength=annotations.n_tasks)
    later = np.array([task not in first for task in annotations.task_ids])
    order = np.random.default_rng(seed).permutation(annotations.n_tasks)
    order = order[np.argsort(later[order], kind="stable")]
    drawn = np.zeros(annotations.n_tasks, dtype=bool)
    # The first task always comes, however many annotations it has.
    drawn[order[: max(int(np.searchsorted(np.cumsum(sizes[order]), at_most, side="right")), 1)]] = True
    return annotations.select(drawn[annotations.tasks])


def _ranks(ids: Vocabulary) -> NDArray[np.intp]:
    # Numbers do not compare with text: each kind stands by itself.
    order = sorted(range(len(ids)), key=lambda code: (isinstance(ids[code], str), ids[code]))
    ranks = np.empty(len(ids), dtype=np.intp)
    ranks[order] = np.arange(len(ids))
    return ranks
