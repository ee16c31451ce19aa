"""The shape of estimators that repeat a step until it gains nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, check_iteration, checked_log_odds
from crowdroute.aggregation.coding import Identifier


class Known(NamedTuple):
    """What is known of the tasks besides their annotations, checked."""

    gold: NDArray[np.int32]
    """The label code of each task's gold, negative where it has none: (tasks,)."""
    log_odds: NDArray[np.float64] | None
    """What was believed before anybody labelled: (tasks, labels)."""


class Climb(NamedTuple):
    """How an iteration went."""

    history: tuple[float, ...]
    """The objective after each step, per annotation."""
    converged: bool


def climb(step: Callable[[], float], n_iter: int, tol: float) -> Climb:
    """Call ``step``, which returns the objective, until it gains less than ``tol`` or ``n_iter`` are done."""
    history: list[float] = []
    converged = False
    while not converged and len(history) < n_iter:
        history.append(step())
        converged = len(history) > 1 and history[-1] - history[-2] < tol
    return Climb(tuple(history), converged)


class IterativeEstimator(CategoricalEstimator):
    """A categorical estimator that climbs an objective; subclasses say in ``_fit`` how."""

    n_iter: int
    tol: float

    _least_iterations = 1
    """Of none, the result is what the iteration begins with; only crowd-kit's classes have a use for that."""

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Iterate until the objective gains less than ``tol``; what an iteration costs, the class tells.

        The posterior of a task with gold is certain in every iteration. Raises ``InvalidParameterError`` for
        a bad parameter, ``InvalidAnnotationsError`` for an unknown gold label or log-odds that do not fit.
        """
        check_iteration(self.n_iter, self.tol, self._least_iterations)
        known = Known(annotations.gold_codes(gold), checked_log_odds(annotations, prior_log_odds))
        self._fit(annotations, known)
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        return self

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        """Find every result but the ids."""
        raise NotImplementedError

    def _iterate(self, step: Callable[[], float]) -> None:
        """Call ``step``, which returns the objective per annotation, until it rests; keep the history."""
        self._keep_climb(climb(step, self.n_iter, self.tol))

    def _keep_climb(self, way: Climb) -> None:
        self.converged_, self.n_iter_, self.loss_history_ = way.converged, len(way.history), way.history
