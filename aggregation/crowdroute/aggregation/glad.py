"""GLAD: workers have abilities, and tasks are easy or hard."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.grouping import group_by_task
from crowdroute.aggregation.iterative import IterativeEstimator, Known

_PRIOR_MEAN = 1.0
"""Of abilities and of logarithms of ease, with variance 1; crowd-kit's and the authors'."""

_LOG_NORMAL = -0.5 * math.log(2.0 * math.pi)


class GLAD(IterativeEstimator):
    """Generative model of labels, abilities and difficulties, by EM with a prior on each of the two.

    P(label right) = 1 / (1 + exp(-ability exp(log ease))), errors spread evenly over the other labels, all
    classes equally frequent; abilities (negative ones are of workers who err on purpose) and logarithms of
    ease are normal around 1. J. Whitehill et al., "Whose Vote Should Count More", NIPS 2009.

    The M-step is a guarded Newton step per worker and then per task, so that ``loss_history_``, the logarithm
    of the posterior density of both per annotation, never falls. An iteration is O(annotations + tasks K).
    ``abilities_`` (workers,) are the authors' alpha, ``log_ease_`` (tasks,) their beta.
    """

    abilities_: NDArray[np.float64]
    log_ease_: NDArray[np.float64]

    def __init__(self, n_iter: int = 100, tol: float = 1e-5) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        from crowdroute.aggregation import ability_kernels as kernels

        n_classes, n_tasks, n_workers = annotations.n_classes, annotations.n_tasks, annotations.n_workers
        grouped = group_by_task(annotations)
        task_of = np.repeat(np.arange(n_tasks), np.diff(grouped.starts))
        by_worker = np.argsort(grouped.cells // n_classes, kind="stable").astype(np.int64)
        worker_starts = np.zeros(n_workers + 1, dtype=np.int64)
        np.cumsum(np.bincount(annotations.workers, minlength=n_workers), out=worker_starts[1:])
        abilities, log_ease = np.full(n_workers, _PRIOR_MEAN), np.full(n_tasks, _PRIOR_MEAN)
        log_shares = np.full(n_classes, -math.log(n_classes))
        posteriors = np.empty((n_tasks, n_classes))
        believed = np.empty(len(annotations))

        def expect() -> float:
            return kernels.expect(*grouped, *known, log_shares, abilities, log_ease, posteriors, believed)

        def step() -> float:
            kernels.raise_abilities(
                worker_starts, by_worker, task_of, believed, log_ease, _PRIOR_MEAN, abilities
            )
            kernels.raise_ease(*grouped, n_classes, believed, abilities, _PRIOR_MEAN, log_ease)
            return (expect() + _log_normal(abilities) + _log_normal(log_ease)) / len(annotations)

        expect()
        self._iterate(step)
        self.posteriors_, self.abilities_, self.log_ease_ = posteriors, abilities, log_ease


def _log_normal(values: NDArray[np.float64]) -> float:
    return float(len(values) * _LOG_NORMAL - 0.5 * ((values - _PRIOR_MEAN) ** 2).sum())
