"""evalica's Bradley-Terry as an estimator: the likelihood's own maximum, without a prior."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from crowdroute.aggregation.base import check_iteration
from crowdroute.aggregation.bradley_terry import ScoreEstimator
from crowdroute.aggregation.comparison_set import LEFT, RIGHT, ComparisonSet
from crowdroute.aggregation.errors import InvalidAnnotationsError, MissingExtraError


class EvalicaBradleyTerry(ScoreEstimator):
    """Bradley-Terry by evalica (D. Ustalov, "Reliable, Reproducible, and Really Fast Leaderboards with
    Evalica", COLING 2025).

    ``tol`` and ``n_iter`` are evalica's. Scores are logarithms of its strengths, with mean 0. Raises
    ``MissingExtraError`` from ``fit`` without the extra ``models``.
    """

    def __init__(self, n_iter: int = 10_000, tol: float = 1e-10) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, annotations: ComparisonSet, gold: Mapping[Any, Any] | None = None) -> Self:
        """Let evalica find the scores. O(items^2) per iteration.

        Raises ``InvalidAnnotationsError`` where the likelihood has no maximum: where some items never lose,
        not even by a tie, to the others.
        """
        self._refuse_gold(gold)
        check_iteration(self.n_iter, self.tol)
        try:
            evalica = importlib.import_module("evalica")
        except ImportError as error:
            raise MissingExtraError(
                f"evalica cannot be imported ({error}); install it with: pip install 'crowdroute[models]'"
            ) from error
        _check_connected(annotations)
        winner = {LEFT: evalica.Winner.X, RIGHT: evalica.Winner.Y}
        found = evalica.bradley_terry(
            annotations.left.tolist(),
            annotations.right.tolist(),
            [winner.get(outcome, evalica.Winner.Draw) for outcome in annotations.outcomes.tolist()],
            tolerance=self.tol,
            limit=self.n_iter,
        )
        strengths = found.scores.reindex(range(annotations.n_items)).to_numpy(dtype=np.float64)
        self.scores_ = np.log(strengths) - np.log(strengths).mean()
        self.task_ids_, self.n_iter_ = annotations.item_ids, int(found.iterations)
        self.converged_, self.loss_history_ = self.n_iter_ < self.n_iter, ()
        return self


def _check_connected(comparisons: ComparisonSet) -> None:
    """Refuse items that cannot be reached from each other along wins (L. R. Ford, 1957)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    lost = comparisons.outcomes < LEFT, comparisons.outcomes > RIGHT
    losers = np.concatenate([comparisons.left[lost[0]], comparisons.right[lost[1]]])
    winners = np.concatenate([comparisons.right[lost[0]], comparisons.left[lost[1]]])
    n = comparisons.n_items
    parts, of_item = connected_components(
        coo_matrix((np.ones(len(losers)), (losers, winners)), (n, n)), directed=True, connection="strong"
    )
    if parts > 1:
        one = comparisons.item_ids[int(np.argmax(of_item != of_item[0]))]
        raise InvalidAnnotationsError(
            f"the comparisons leave the scores of {one!r} and {comparisons.item_ids[0]!r} without a maximum:"
            " no wins or ties lead from each to the other; use BradleyTerry, which has a prior"
        )
