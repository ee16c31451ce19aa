"""A preference for every pair that was compared, whichever way it was shown, and leanings to a side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.base import Estimator, check_iteration
from crowdroute.aggregation.comparison_set import LEFT, RIGHT, ComparisonSet
from crowdroute.aggregation.errors import InvalidAnnotationsError, NotFittedError
from crowdroute.aggregation.prior import ConfusionPrior

FIRST_WINS, SECOND_WINS, NEITHER = 0, 1, 2
"""Columns of the posteriors: of a pair's items, as they were shown the first time."""

_SWAPPED = np.array([SECOND_WINS, FIRST_WINS, NEITHER])
"""What each truth is called where the pair is shown the other way round."""


class PairConsensus(Estimator[ComparisonSet]):
    """Dawid-Skene over sides: who is right about a pair, by what each worker says of left and right.

    The truth of a pair is that its first item, its second or neither is preferred; a worker's confusion
    matrix is of left, right and neither, as the pair was shown to that worker, so that a lean to a side is
    seen and undone. EM with the priors of ``SmoothedDawidSkene``, Dirichlet on every row; sides begin alike.
    Without any tie there are two outcomes.

    ``posteriors_`` (pairs, 3): P(first, second, neither preferred), rows sum to 1; ``pairs_`` the item ids of
    each pair, ``task_ids_`` its place; ``confusion_`` (workers, truth, answer), left, right, neither;
    ``loss_history_`` the log-posterior per comparison up to a constant, which never falls.
    """

    posteriors_: NDArray[np.float64]
    confusion_: NDArray[np.float64]

    def __init__(self, prior: ConfusionPrior | None = None, n_iter: int = 200, tol: float = 1e-8) -> None:
        self.prior = prior
        self.n_iter = n_iter
        self.tol = tol

    def fit(self, annotations: ComparisonSet, gold: Mapping[Any, Any] | None = None) -> Self:
        """Run EM from the shares of the votes. O(comparisons) per iteration.

        ``gold`` maps a pair of item ids, either way round, to the item preferred, or None for neither. Raises
        ``InvalidAnnotationsError`` for gold that names a third item.
        """
        check_iteration(self.n_iter, self.tol)
        prior = ConfusionPrior() if self.prior is None else self.prior
        pair, workers, n_pairs = annotations.pair_of, annotations.workers, len(annotations.pairs)
        answers = np.where(annotations.outcomes == LEFT, 0, np.where(annotations.outcomes == RIGHT, 1, 2))
        k = 3 if (answers == NEITHER).any() else 2
        swapped = annotations.left != annotations.pairs[pair, 0]
        known = _gold_codes(annotations, gold, k)
        about_pair = np.where(swapped, _SWAPPED[answers], answers)
        posteriors = np.zeros((n_pairs, k))
        np.add.at(posteriors, (pair, about_pair), 1.0)
        posteriors = _certain(posteriors / posteriors.sum(axis=1, keepdims=True), known)
        start: NDArray[np.float64] | None = None
        losses, converged = list[float](), False
        while not converged and len(losses) < self.n_iter:
            counts = self._counts(annotations, posteriors, answers, swapped)
            if start is None:
                # Once, from the votes: drawn anew each time it would chase its own confidence.
                start = prior.pooled_matrix(counts.sum(axis=0))
            confusion = counts + start
            confusion /= confusion.sum(axis=2, keepdims=True)
            shares = posteriors.sum(axis=0) + prior.class_count
            shares[:2] = shares[:2].mean()
            shares /= shares.sum()
            seen = np.log(confusion[workers, :, answers])
            seen[swapped] = seen[swapped][:, _SWAPPED[:k]]
            logs = np.tile(np.log(shares), (n_pairs, 1))
            np.add.at(logs, pair, seen)
            most = logs.max(axis=1, keepdims=True)
            weights = np.exp(logs - most)
            sums = weights.sum(axis=1, keepdims=True)
            told = (most + np.log(sums))[:, 0]
            at = np.flatnonzero(known >= 0)
            told[at] = logs[at, known[at]]
            posteriors = _certain(weights / sums, known)
            log_prior = float((start * np.log(confusion)).sum() + prior.class_count * np.log(shares).sum())
            losses.append((float(told.sum()) + log_prior) / len(annotations))
            converged = len(losses) > 1 and losses[-1] - losses[-2] < self.tol
        items = annotations.item_ids
        self.pairs_ = tuple((items[one], items[other]) for one, other in annotations.pairs.tolist())
        self.posteriors_ = np.pad(posteriors, ((0, 0), (0, 3 - k)))
        self.confusion_, self.task_ids_ = confusion, tuple(range(n_pairs))
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self

    def predict_proba(self) -> NDArray[np.float64]:
        """Return ``posteriors_`` (pairs, 3); raises ``NotFittedError`` before ``fit``."""
        if not hasattr(self, "posteriors_"):
            raise NotFittedError("this PairConsensus has no result yet; call fit first")
        return self.posteriors_

    def predict(self) -> dict[Any, Any]:
        """Return the item preferred of each pair, None for neither; of equals the first."""
        winners = self.predict_proba().argmax(axis=1).tolist()
        return {
            pair: None if winner == NEITHER else pair[winner]
            for pair, winner in zip(self.pairs_, winners, strict=True)
        }

    def _counts(
        self,
        comparisons: ComparisonSet,
        posteriors: NDArray[np.float64],
        answers: NDArray[np.int64],
        swapped: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """Return the soft counts (workers, truth, answer) of sides."""
        k = posteriors.shape[1]
        truth = posteriors[comparisons.pair_of]
        truth[swapped] = truth[swapped][:, _SWAPPED[:k]]
        counts = np.zeros((comparisons.n_workers, k, k))
        for outcome in range(k):
            given = answers == outcome
            np.add.at(counts[:, :, outcome], comparisons.workers[given], truth[given])
        return counts


def _gold_codes(comparisons: ComparisonSet, gold: Mapping[Any, Any] | None, k: int) -> NDArray[np.int64]:
    """Return what gold says of each pair, -1 where it says nothing."""
    codes = np.full(len(comparisons.pairs), -1)
    for place, (one, other) in enumerate(comparisons.pairs.tolist() if gold else ()):
        first, second = comparisons.item_ids[one], comparisons.item_ids[other]
        for key in ((first, second), (second, first)):
            if gold is None or key not in gold:
                continue
            winner = gold[key]
            if winner not in (first, second, None) or (winner is None and k == 2):
                raise InvalidAnnotationsError(
                    f"the gold of the pair {key!r} is {winner!r}, which nobody could have said; leave it out"
                )
            codes[place] = NEITHER if winner is None else FIRST_WINS if winner == first else SECOND_WINS
    return codes


def _certain(posteriors: NDArray[np.float64], known: NDArray[np.int64]) -> NDArray[np.float64]:
    at = np.flatnonzero(known >= 0)
    posteriors[at] = 0.0
    posteriors[at, known[at]] = 1.0
    return posteriors
