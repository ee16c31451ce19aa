"""Majority vote: every worker counts the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, refuse_log_odds, vote_counts, vote_shares
from crowdroute.aggregation.coding import Identifier


class MajorityVote(CategoricalEstimator):
    """The label that most workers gave.

    ``posteriors_`` are the shares of the votes: how sure they look says little about how often they are
    right. ``ties_`` (tasks,) is True where several labels share the lead: there the first in sorted order
    wins, which is as arbitrary as any other rule, so that an honest accuracy counts such a task by chance. A
    task with gold is no tie.
    """

    ties_: NDArray[np.bool_]

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Count the votes; the posterior of a task with gold is certain. O(annotations + tasks K)."""
        refuse_log_odds("majority vote", prior_log_odds)
        gold_codes = annotations.gold_codes(gold)
        counts = vote_counts(annotations)
        leaders = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1)
        self.ties_ = (leaders > 1) & (gold_codes < 0)
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        self.posteriors_ = vote_shares(annotations, gold_codes)
        self.converged_, self.n_iter_, self.loss_history_ = True, 1, ()
        return self
