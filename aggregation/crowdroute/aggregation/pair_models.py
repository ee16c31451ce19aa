"""The models of preferences by name, each giving the probability of every answer about every pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.bradley_terry import BradleyTerry, ScoreEstimator, WorkerBradleyTerry
from crowdroute.aggregation.evalica_reference import EvalicaBradleyTerry
from crowdroute.aggregation.pair_consensus import FIRST_WINS, NEITHER, SECOND_WINS, PairConsensus
from crowdroute.aggregation.pairs import EQUAL, FIRST, SECOND, Comparisons

PairModel = Callable[[Comparisons], NDArray[np.float64]]
"""Gives P(answer) in the order of the annotations' tasks and labels: (pairs, labels), rows sum to 1."""

_COLUMN = {FIRST: FIRST_WINS, SECOND: SECOND_WINS, EQUAL: NEITHER}


def _consensus(comparisons: Comparisons) -> NDArray[np.float64]:
    posteriors = PairConsensus().fit(comparisons.shown).predict_proba()
    return np.asarray(posteriors[:, [_COLUMN[str(label)] for label in comparisons.annotations.label_ids]])


def _of_scores(make: Callable[[], ScoreEstimator]) -> PairModel:
    """Return the model that foretells pairs by the scores of their items; none of them is equal."""

    def model(comparisons: Comparisons) -> NDArray[np.float64]:
        shown = comparisons.shown
        first = make().fit(shown).predict_proba(shown.pairs[:, 0], shown.pairs[:, 1])
        chance = {FIRST: first, SECOND: 1.0 - first, EQUAL: np.zeros_like(first)}
        return np.column_stack([chance[str(label)] for label in comparisons.annotations.label_ids])

    return model


PAIR_MODELS: Mapping[str, PairModel] = {
    "pair-consensus": _consensus,
    "bradley-terry": _of_scores(BradleyTerry),
    "worker-bradley-terry": _of_scores(WorkerBradleyTerry),
    "evalica-bradley-terry": _of_scores(EvalicaBradleyTerry),
}
