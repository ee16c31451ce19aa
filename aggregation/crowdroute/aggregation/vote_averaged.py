"""A model's probabilities and the votes' shares, averaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, vote_shares
from crowdroute.aggregation.coding import Identifier


class VoteAveraged(CategoricalEstimator):
    """The mean of what another model finds likely and of the shares of the votes.

    A linear pool of two opinions (M. Stone, "The Opinion Pool", Annals of Mathematical Statistics 32, 1961).
    Models take workers for independent and are too sure of themselves, votes know nothing of workers and are
    not sure enough: their mean is better calibrated than either, and a clear majority yields only to a model
    that is clear itself. Where the model is as good as certain, it decides.

    ``make`` gives the model; ``model_`` is the fitted one.
    """

    model_: CategoricalEstimator

    def __init__(self, make: Callable[[], CategoricalEstimator]) -> None:
        self.make = make

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Fit the model and average; the posterior of a task with gold is certain.

        Raises what the model raises.
        """
        self.model_ = self.make().fit(annotations, gold, prior_log_odds)
        shares = vote_shares(annotations, annotations.gold_codes(gold))
        self.posteriors_ = (self.model_.predict_proba() + shares) / 2.0
        self.task_ids_, self.label_ids_ = self.model_.task_ids_, self.model_.label_ids_
        self.converged_, self.n_iter_ = self.model_.converged_, self.model_.n_iter_
        self.loss_history_ = self.model_.loss_history_
        return self
