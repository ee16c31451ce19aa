"""Votes that weigh by how often their worker agrees with the outcome: Wawa and zero-based skill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import UNKNOWN, AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, check_iteration, refuse_log_odds, vote_shares
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.errors import InvalidParameterError

_STEPS_PER_RATE = 20
"""Iterations of zero-based skill after which its learning rate halves; crowd-kit's."""

_JITTER = 1e-5
"""How far above chance zero-based skill begins; crowd-kit's."""

_TIE = 1e-12
"""Shares nearer than that are one: the same weights, added in another order."""


class WeightedVote(CategoricalEstimator):
    """What the two have in common: a weight per worker, and the shares of the weights as the result.

    ``skills_`` (workers,) is the weight in 0..1; ``ties_`` (tasks,) is True where several labels share the
    lead: there the first in sorted order wins. A task whose voters all weigh nothing counts them alike.
    """

    skills_: NDArray[np.float64]
    ties_: NDArray[np.bool_]

    def _keep(
        self, annotations: AnnotationSet, gold_codes: NDArray[np.int32], skills: NDArray[np.float64]
    ) -> None:
        posteriors = weighted_shares(annotations, gold_codes, skills)
        leads = posteriors >= posteriors.max(axis=1, keepdims=True) - _TIE
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        self.skills_, self.posteriors_ = skills, posteriors
        self.ties_ = (leads.sum(axis=1) > 1) & (gold_codes == UNKNOWN)


class Wawa(WeightedVote):
    """Worker agreement with aggregate: a second vote, in which each worker weighs as the first one agreed.

    Where a task has gold, agreement is with that. Appen's Wawa; the results are crowd-kit 1.4.2's.
    """

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Vote twice; the posterior of a task with gold is certain. O(annotations + tasks K)."""
        refuse_log_odds("Wawa", prior_log_odds)
        gold_codes = annotations.gold_codes(gold)
        leaders = vote_shares(annotations, gold_codes).argmax(axis=1)
        self._keep(annotations, gold_codes, agreement_with(annotations, leaders))
        self.converged_, self.n_iter_, self.loss_history_ = True, 1, ()
        return self


class ZeroBasedSkill(WeightedVote):
    """Votes and weights in turn, the weights following agreement with the votes at a falling rate.

    Everybody begins a little above chance; the rate ``learning_rate`` halves every 20 iterations. The results
    are crowd-kit 1.4.2's, which always does all ``n_iter``; here no weight moving at all ends it, which
    changes nothing. ``loss_history_`` is minus the largest change of a weight.
    """

    def __init__(self, n_iter: int = 100, learning_rate: float = 1.0) -> None:
        self.n_iter = n_iter
        self.learning_rate = learning_rate

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Iterate; the posterior of a task with gold is certain. O(annotations + tasks K) per iteration.

        Raises ``InvalidParameterError`` for a bad ``n_iter``, or a rate outside 0..1.
        """
        check_iteration(self.n_iter, 0.0)
        if not 0.0 < self.learning_rate <= 1.0:
            raise InvalidParameterError(
                f"learning_rate is {self.learning_rate}; it must be above 0 and at most 1"
            )
        refuse_log_odds("zero-based skill", prior_log_odds)
        gold_codes = annotations.gold_codes(gold)
        skills = first_skills(annotations)
        rate, changes = self.learning_rate, list[float]()
        converged = False
        while not converged and len(changes) < self.n_iter:
            if (len(changes) + 1) % _STEPS_PER_RATE == 0:
                rate *= 0.5
            leaders = weighted_shares(annotations, gold_codes, skills).argmax(axis=1)
            moved = rate * (agreement_with(annotations, leaders) - skills)
            skills = skills + moved
            changes.append(-float(np.abs(moved).max()))
            converged = changes[-1] == 0.0
        self._keep(annotations, gold_codes, skills)
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(changes), tuple(changes)
        return self


def first_skills(annotations: AnnotationSet) -> NDArray[np.float64]:
    """Return what ``ZeroBasedSkill`` begins with: a little above chance among the labels used, (workers,)."""
    used = np.count_nonzero(np.bincount(annotations.labels))
    return np.full(annotations.n_workers, min(1.0 / used + _JITTER, 1.0))


def weighted_shares(
    annotations: AnnotationSet, gold_codes: NDArray[np.int32], skills: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each label's share of the weights of a task's workers, one-hot where it has gold.

    ``skills`` (workers,) are not negative. (tasks, labels), rows sum to 1.
    """
    n_tasks, n_classes = annotations.n_tasks, annotations.n_classes
    cells = annotations.tasks.astype(np.int64) * n_classes + annotations.labels
    sums = np.bincount(cells, skills[annotations.workers], n_tasks * n_classes).reshape(n_tasks, n_classes)
    weightless = sums.sum(axis=1) <= 0.0
    if weightless.any():
        sums[weightless] = vote_shares(annotations, gold_codes)[weightless]
    known = np.flatnonzero(gold_codes != UNKNOWN)
    sums[known] = 0.0
    sums[known, gold_codes[known]] = 1.0
    return np.asarray(sums / sums.sum(axis=1, keepdims=True))


def agreement_with(annotations: AnnotationSet, labels: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Return the share of each worker's annotations that equal their task's label: (workers,)."""
    agree = labels[annotations.tasks] == annotations.labels
    n_workers = annotations.n_workers
    given = np.bincount(annotations.workers, minlength=n_workers)
    return np.asarray(np.bincount(annotations.workers[agree], minlength=n_workers) / given)
