"""Preferences as scores of items: Bradley-Terry with a prior, and with workers who differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crowdroute.aggregation.base import Estimator, check_iteration
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.comparison_set import ComparisonSet
from crowdroute.aggregation.errors import InvalidParameterError, NotFittedError
from crowdroute.aggregation.newton import Vector, minimise


class ScoreEstimator(Estimator[ComparisonSet]):
    """Infers a score of every item, the greater the more it is preferred; ``task_ids_`` are the items."""

    scores_: NDArray[np.float64]
    """(items,): logarithms of strengths; differences are log-odds of a win."""

    def predict(self) -> dict[Identifier, float]:
        """Return the score of each item; raises ``NotFittedError`` before ``fit``."""
        if not hasattr(self, "scores_"):
            raise NotFittedError(f"this {type(self).__name__} has no result yet; call fit first")
        return dict(zip(self.task_ids_, self.scores_.tolist(), strict=True))

    def predict_proba(self, first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
        """Return P(first is preferred to second) of pairs of item codes, no side and no worker favoured.

        A tie counts as half of either.
        """
        self.predict()
        return _sigmoid(self.scores_[np.asarray(first)] - self.scores_[np.asarray(second)])

    def _refuse_gold(self, gold: Mapping[Any, Any] | None) -> None:
        if gold:
            raise InvalidParameterError(
                f"{type(self).__name__} has no place for gold; add it as comparisons of a worker of its own"
            )


class BradleyTerry(ScoreEstimator):
    """P(left wins) = 1 / (1 + exp(s_right - s_left)), s ~ N(0, ``score_scale``^2): the likeliest scores.

    R. A. Bradley and M. E. Terry, "Rank Analysis of Incomplete Block Designs", Biometrika 39 (1952). The
    prior makes the scores exist and be unique, also for an item that always wins and for groups never
    compared; F. Caron and A. Doucet, JCGS 21 (2012). A tie is half a win of each. ``tol`` bounds the
    gradient. ``loss_history_`` is the log-posterior per comparison up to a constant; it never falls.
    """

    def __init__(self, score_scale: float = 1.5, n_iter: int = 200, tol: float = 1e-9) -> None:
        self.score_scale = score_scale
        self.n_iter = n_iter
        self.tol = tol

    def fit(
        self,
        annotations: ComparisonSet,
        gold: Mapping[Any, Any] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> Self:
        """Find the mode. O(comparisons) per Newton step and direction.

        ``weights`` (comparisons,) say how many comparisons each counts for, one by default. Raises
        ``InvalidParameterError`` for a scale that is not positive, for weights that are negative, not finite
        or not one per comparison, and for gold.
        """
        self._refuse_gold(gold)
        check_iteration(self.n_iter, self.tol)
        times = _checked_weights(annotations, weights)
        start, precisions = self._prior(annotations)

        def value_and_gradient(place: Vector) -> tuple[float, Vector]:
            log_odds = self._log_odds(annotations, place)
            off = place - start
            value = float(times @ (np.logaddexp(0.0, log_odds) - annotations.outcomes * log_odds))
            pull = times * (_sigmoid(log_odds) - annotations.outcomes)
            return value + float(precisions @ off**2) / 2, self._gather(
                annotations, place, pull
            ) + precisions * off

        def curvature(place: Vector) -> Any:
            chances = _sigmoid(self._log_odds(annotations, place))
            bends = times * chances * (1.0 - chances)

            def product(along: Vector) -> Vector:
                moved = bends * self._move(annotations, place, along)
                return self._gather(annotations, place, moved) + precisions * along

            return product

        found = minimise(value_and_gradient, curvature, start, self.n_iter, self.tol)
        self.task_ids_ = annotations.item_ids
        self.scores_ = found.place[: annotations.n_items].copy()
        self.converged_, self.n_iter_ = found.converged, len(found.history)
        self.loss_history_ = tuple(-value / len(annotations) for value in found.history)
        self._keep(annotations, found.place)
        return self

    def _prior(self, comparisons: ComparisonSet) -> tuple[Vector, Vector]:
        """Return mean and precision of every parameter; the scores come first."""
        n = comparisons.n_items
        return np.zeros(n), np.full(n, precision_of("score_scale", self.score_scale))

    def _log_odds(self, comparisons: ComparisonSet, place: Vector) -> Vector:
        """Return ln P(left wins) / P(right wins) of every comparison."""
        return np.asarray(place[comparisons.left] - place[comparisons.right])

    def _move(self, comparisons: ComparisonSet, place: Vector, along: Vector) -> Vector:
        """Return how the log-odds change along a direction of the parameters."""
        return np.asarray(along[comparisons.left] - along[comparisons.right])

    def _gather(self, comparisons: ComparisonSet, place: Vector, pull: Vector) -> Vector:
        """Return the transpose of ``_move``: what pulls at log-odds as it pulls at the parameters."""
        n = comparisons.n_items
        return np.asarray(np.bincount(comparisons.left, pull, n) - np.bincount(comparisons.right, pull, n))

    def _keep(self, comparisons: ComparisonSet, place: Vector) -> None:
        """Keep what else was found."""


class WorkerBradleyTerry(BradleyTerry):
    """Bradley-Terry where workers heed the items more or less, and lean to a side.

    ln P(left wins) / P(right wins) = a_w (s_left - s_right) + lean + b_w, with a_w ~ N(1, ``heed_scale``^2),
    b_w ~ N(0, ``lean_scale``^2), lean ~ N(0, 1): a logistic form of the mixtures of X. Chen et al., "Pairwise
    Ranking Aggregation in a Crowdsourced Setting", WSDM 2013 (a worker who answers the wrong way round has
    a_w below 0), and of position bias by E. Bugakova et al., "Aggregation of pairwise comparisons with
    reduction of biases", 2019. Its log-posterior may have several modes; the one found is that nearest to
    workers who are all alike.

    ``heed_`` (workers,): a_w; ``lean_`` (workers,): lean + b_w, log-odds of left where items are equal;
    ``side_lean_``: the lean of everybody.
    """

    heed_: NDArray[np.float64]
    lean_: NDArray[np.float64]
    side_lean_: float

    def __init__(
        self,
        score_scale: float = 1.5,
        heed_scale: float = 0.5,
        lean_scale: float = 0.3,
        n_iter: int = 200,
        tol: float = 1e-9,
    ) -> None:
        super().__init__(score_scale, n_iter, tol)
        self.heed_scale = heed_scale
        self.lean_scale = lean_scale

    def _prior(self, comparisons: ComparisonSet) -> tuple[Vector, Vector]:
        means, precisions = super()._prior(comparisons)
        n = comparisons.n_workers
        heeds = np.full(n, precision_of("heed_scale", self.heed_scale))
        leans = np.full(n, precision_of("lean_scale", self.lean_scale))
        return (
            np.concatenate([means, np.ones(n), np.zeros(n + 1)]),
            np.concatenate([precisions, heeds, leans, [1.0]]),
        )

    def _parts(self, comparisons: ComparisonSet, place: Vector) -> tuple[Vector, Vector, Vector, float]:
        n, w = comparisons.n_items, comparisons.n_workers
        return place[:n], place[n : n + w], place[n + w : n + 2 * w], float(place[-1])

    def _log_odds(self, comparisons: ComparisonSet, place: Vector) -> Vector:
        scores, heed, lean, side = self._parts(comparisons, place)
        apart = super()._log_odds(comparisons, scores)
        return np.asarray(heed[comparisons.workers] * apart + lean[comparisons.workers] + side)

    def _move(self, comparisons: ComparisonSet, place: Vector, along: Vector) -> Vector:
        scores, heed, _, _ = self._parts(comparisons, place)
        to_scores, to_heed, to_lean, to_side = self._parts(comparisons, along)
        workers = comparisons.workers
        moved = heed[workers] * super()._move(comparisons, scores, to_scores)
        moved += to_heed[workers] * super()._log_odds(comparisons, scores)
        return np.asarray(moved + to_lean[workers] + to_side)

    def _gather(self, comparisons: ComparisonSet, place: Vector, pull: Vector) -> Vector:
        scores, heed, _, _ = self._parts(comparisons, place)
        workers, w = comparisons.workers, comparisons.n_workers
        apart = super()._log_odds(comparisons, scores)
        return np.concatenate(
            [
                super()._gather(comparisons, scores, heed[workers] * pull),
                np.bincount(workers, apart * pull, w),
                np.bincount(workers, pull, w),
                [pull.sum()],
            ]
        )

    def _keep(self, comparisons: ComparisonSet, place: Vector) -> None:
        _, heed, lean, self.side_lean_ = self._parts(comparisons, place)
        self.heed_, self.lean_ = heed.copy(), lean + self.side_lean_


def precision_of(name: str, scale: float) -> float:
    """Return 1 / scale^2; refuse a scale that is not positive and finite."""
    if not 0.0 < scale < float("inf"):
        raise InvalidParameterError(f"{name} is {scale}; it must be positive and finite")
    return 1.0 / scale**2


def _checked_weights(comparisons: ComparisonSet, weights: NDArray[np.float64] | None) -> Vector:
    if weights is None:
        return np.ones(len(comparisons))
    times = np.asarray(weights, dtype=np.float64)
    if times.shape != (len(comparisons),) or not np.isfinite(times).all() or (times < 0.0).any():
        raise InvalidParameterError(
            f"weights has shape {times.shape} for {len(comparisons)} comparisons, or a negative or infinite"
            " one in it; give each comparison a number, 0 or more"
        )
    return times


def _sigmoid(log_odds: Vector) -> Vector:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)))
