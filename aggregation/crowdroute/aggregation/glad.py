"""GLAD: workers have abilities, and tasks are easy or hard."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, check_iteration, checked_log_odds
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.grouping import group_by_task

_PRIOR_MEAN = 1.0
"""Of abilities and of logarithms of ease, with variance 1; crowd-kit's and the authors'."""

_LOG_NORMAL = -0.5 * math.log(2.0 * math.pi)


class GLAD(CategoricalEstimator):
    """Generative model of labels, abilities and difficulties, by EM with a prior on each of the two.

    P(label right) = 1 / (1 + exp(-ability exp(log ease))), errors spread evenly over the other labels, all
    classes equally frequent; abilities (negative ones are of workers who err on purpose) and logarithms of
    ease are normal around 1. J. Whitehill et al., "Whose Vote Should Count More", NIPS 2009.

    The M-step is a guarded Newton step per worker and then per task, so that ``loss_history_``, the logarithm
    of the posterior density of both per annotation, never falls. ``abilities_`` (workers,) are the authors'
    alpha, ``log_ease_`` (tasks,) their beta.
    """

    abilities_: NDArray[np.float64]
    log_ease_: NDArray[np.float64]

    def __init__(self, n_iter: int = 100, tol: float = 1e-5) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Run EM until the objective gains less than ``tol``; O(annotations + tasks K) per iteration.

        The posterior of a task with gold is certain in every iteration. Raises ``InvalidParameterError`` for
        a bad ``n_iter`` or ``tol``, ``InvalidAnnotationsError`` for an unknown gold label.
        """
        check_iteration(self.n_iter, self.tol)
        from crowdroute.aggregation import ability_kernels as kernels

        gold_codes = annotations.gold_codes(gold)
        log_odds = checked_log_odds(annotations, prior_log_odds)
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
        losses: list[float] = []
        converged = False

        def expect() -> float:
            return kernels.expect(
                *grouped, gold_codes, log_odds, log_shares, abilities, log_ease, posteriors, believed
            )

        expect()
        while not converged and len(losses) < self.n_iter:
            kernels.raise_abilities(
                worker_starts, by_worker, task_of, believed, log_ease, _PRIOR_MEAN, abilities
            )
            kernels.raise_ease(*grouped, n_classes, believed, abilities, _PRIOR_MEAN, log_ease)
            density = expect() + _log_normal(abilities) + _log_normal(log_ease)
            losses.append(density / len(annotations))
            converged = len(losses) > 1 and losses[-1] - losses[-2] < self.tol
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        self.posteriors_ = posteriors
        self.abilities_, self.log_ease_ = abilities, log_ease
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self


def _log_normal(values: NDArray[np.float64]) -> float:
    return float(len(values) * _LOG_NORMAL - 0.5 * ((values - _PRIOR_MEAN) ** 2).sum())
