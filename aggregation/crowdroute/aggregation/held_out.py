"""How well a model foretells labels it has not seen: cross-validation over annotations, without gold.

A label is hidden, the model is fitted to the others, and the hidden label's probability is

    P(label) = sum_k P(truth = k | the task's other labels) P(label | truth = k, worker).

Both factors are the model's own where it has the second (``Foretelling``). For a model of votes, which says
nothing of single workers, the second is a Dirichlet-smoothed confusion matrix per worker counted under its
posterior (``ConfusionPrior``). A posterior that is wrong, or too sure, foretells badly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.foretelling import Foretelling
from crowdroute.aggregation.prior import ConfusionPrior
from crowdroute.aggregation.subsets import subset

FOLDS = 5
"""Parts that are hidden in turn; each label is then foretold from four fifths of the others."""

LEAST_PROBABILITY = 1e-12
"""What a foretold label has at least: a hidden label then costs at most 27.6 nats."""


class Split(NamedTuple):
    """One fold: the annotations that stay, and codes of those that are hidden.

    ``tasks`` and ``workers`` are codes in ``kept``, or -1 for one that keeps no annotation; ``places`` says
    where the hidden annotations stand in the whole set.
    """

    kept: AnnotationSet
    places: NDArray[np.intp]
    tasks: NDArray[np.int64]
    workers: NDArray[np.int64]
    labels: NDArray[np.int32]


def splits(annotations: AnnotationSet, folds: int = FOLDS, seed: int = 0) -> list[Split]:
    """Hide every annotation once, in ``folds`` parts that take each task's annotations in turn.

    A task's annotations go to different parts as far as there are enough. Raises ``InvalidParameterError``
    for fewer than two folds, or fewer annotations than two.
    """
    n = len(annotations)
    if folds < 2 or n < 2:
        raise InvalidParameterError(f"{folds} folds of {n} annotations: both must be at least 2")
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(n)
    by_task = shuffled[np.argsort(annotations.tasks[shuffled], kind="stable")]
    tasks = annotations.tasks[by_task]
    rank = np.arange(n) - np.searchsorted(tasks, tasks)
    # Each task begins in a part of its own, or the first would hide one label of nearly every task.
    first = generator.integers(folds, size=annotations.n_tasks)
    part = np.empty(n, dtype=np.int64)
    part[by_task] = (rank + first[tasks]) % folds
    return [_split(annotations, part == fold) for fold in range(folds) if (part == fold).any()]


def held_out_log_likelihood(
    annotations: AnnotationSet,
    make: Callable[[], CategoricalEstimator],
    parts: list[Split],
    advance: Callable[[], None] = lambda: None,
) -> NDArray[np.float64]:
    """Return ln P of every annotation when it was hidden, in nats: (annotations,), all finite.

    ``make`` gives a fresh estimator; ``parts`` come from ``splits``; ``advance`` is called after each part.
    """
    told = np.zeros(len(annotations))
    for split in parts:
        model = make().fit(split.kept)
        if isinstance(model, Foretelling):
            chances = model.foretell(split.tasks, split.workers, split.labels)
        else:
            chances = foretold(split, model.predict_proba())
        # A posterior may sum to a little less than 1, and rounding may bring a sum of chances above it.
        told[split.places] = np.log(np.clip(chances, LEAST_PROBABILITY, 1.0))
        advance()
    return told


def foretold(split: Split, posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of each hidden label, given posteriors (tasks, K) of the kept annotations.

    Confusion matrices are counted under the posteriors, with a prior that follows the crowd's.
    """
    kept = split.kept
    k, n_workers = kept.n_classes, kept.n_workers
    counts = np.zeros((n_workers * k, k))
    cells = kept.workers.astype(np.int64) * k + kept.labels
    for truth in range(k):
        counts[:, truth] = np.bincount(cells, weights=posteriors[kept.tasks, truth], minlength=n_workers * k)
    matrices = counts.reshape(n_workers, k, k).transpose(0, 2, 1)
    pool = matrices.sum(axis=0)
    prior = ConfusionPrior().pooled_matrix(pool)
    # The last rows serve workers and tasks of whom nothing was kept.
    smoothed = np.concatenate([matrices + prior, prior[np.newaxis]])
    smoothed /= smoothed.sum(axis=2, keepdims=True)
    shares = posteriors.sum(axis=0) + 1.0
    likely = np.vstack([posteriors, shares / shares.sum()])
    return np.asarray((likely[split.tasks] * smoothed[split.workers, :, split.labels]).sum(axis=1))


def _split(annotations: AnnotationSet, hidden: NDArray[np.bool_]) -> Split:
    stays, places = np.flatnonzero(~hidden), np.flatnonzero(hidden)
    kept = subset(annotations, stays)
    return Split(
        kept,
        places,
        _places_of(kept.task_ids, annotations.n_tasks)[annotations.tasks[places]],
        _places_of(kept.worker_ids, annotations.n_workers)[annotations.workers[places]],
        annotations.labels[places],
    )


def _places_of(ids: tuple[int | str, ...], n: int) -> NDArray[np.int64]:
    place = np.full(n, -1, dtype=np.int64)
    place[np.array(ids, dtype=np.int64)] = np.arange(len(ids))
    return place
