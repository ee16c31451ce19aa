"""The models of preferences by name, each giving the probability of every answer about a pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.bradley_terry import BradleyTerry, ScoreEstimator, WorkerBradleyTerry
from crowdroute.aggregation.evalica_reference import EvalicaBradleyTerry
from crowdroute.aggregation.pair_consensus import FIRST_WINS, NEITHER, SECOND_WINS, PairConsensus
from crowdroute.aggregation.pairs import EQUAL, FIRST, SECOND, Comparisons


@dataclass(frozen=True, slots=True, eq=False)
class PairFindings:
    """What a model of preferences found."""

    posteriors: NDArray[np.float64]
    """P(answer) in the order of the annotations' tasks and labels: (pairs, labels), rows sum to 1."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Of each item, the greater the more it is preferred; empty where the model has none."""
    of_workers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What the model says of each worker, by name."""


PairModel = Callable[[Comparisons], PairFindings]

_COLUMN = {FIRST: FIRST_WINS, SECOND: SECOND_WINS, EQUAL: NEITHER}


def _consensus(comparisons: Comparisons) -> PairFindings:
    posteriors = PairConsensus().fit(comparisons.shown).predict_proba()
    return PairFindings(posteriors[:, [_COLUMN[str(label)] for label in comparisons.annotations.label_ids]])


def _of_scores(make: Callable[[], ScoreEstimator]) -> PairModel:
    """Return the model that foretells pairs by the scores of their items; none of them is equal."""

    def model(comparisons: Comparisons) -> PairFindings:
        shown = comparisons.shown
        fitted = make().fit(shown)
        first = fitted.predict_proba(shown.pairs[:, 0], shown.pairs[:, 1])
        chance = {FIRST: first, SECOND: 1.0 - first, EQUAL: np.zeros_like(first)}
        names = [str(worker) for worker in shown.worker_ids]
        return PairFindings(
            np.column_stack([chance[str(label)] for label in comparisons.annotations.label_ids]),
            {str(item): score for item, score in fitted.predict().items()},
            {
                name[:-1]: dict(zip(names, getattr(fitted, name).tolist(), strict=True))
                for name in ("heed_", "lean_")
                if hasattr(fitted, name)
            },
        )

    return model


PAIR_MODELS: Mapping[str, PairModel] = {
    "pair-consensus": _consensus,
    "bradley-terry": _of_scores(BradleyTerry),
    "worker-bradley-terry": _of_scores(WorkerBradleyTerry),
    "evalica-bradley-terry": _of_scores(EvalicaBradleyTerry),
}
