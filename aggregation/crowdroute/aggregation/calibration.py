"""Whether probabilities mean what they say: errors, the reliability diagram, and maps that mend them.

A posterior is calibrated when, of all tasks with confidence p, a share p is right. Raw posteriors of
Dawid-Skene are over-confident, because workers are not independent given the truth; tasks with gold show by
how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError, NotFittedError
from crowdroute.aggregation.intervals import (
    CONFIDENCE,
    Estimate,
    bootstrap_interval,
    check_confidence,
    share_interval,
)

BINS = 15
"""Bins of equal width, as in C. Guo et al., "On calibration of modern neural networks" (ICML 2017)."""

LEAST_PROBABILITY = 1e-12
"""What a probability counts as at least in a log loss, so that one certain error cannot outweigh all else."""

_TEMPERATURES = (0.05, 100.0)
"""Where the temperature is sought: sharper or flatter than these, a posterior is certain or uniform."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The tasks whose confidence lies in ``above`` < confidence <= ``up_to``."""

    above: float
    up_to: float
    count: int
    confidence: float
    """Their mean."""
    accuracy: Estimate
    """Their share that is right, with Wilson's interval."""


def expected_calibration_error(
    posteriors: NDArray[np.float64],
    truth: NDArray[np.integer],
    bins: int = BINS,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Return the mean gap between confidence and accuracy over bins, weighted by their tasks.

    ECE = sum_b |right_b - confidence_b| / n (Guo et al. 2017); of few tasks it is biased upwards, and so is
    the interval, by bootstrap over tasks. ``posteriors`` (tasks, K) with rows that sum to 1, ``truth``
    (tasks,) codes; this and all below raise ``InvalidParameterError`` for anything else.
    """
    confidences, right = _told_and_right(*_checked(posteriors, truth))
    places = _bin_of(confidences, _checked_bins(bins))
    gaps = right - confidences

    def error(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        by_bin = np.stack(
            [(weights[:, places == b] * gaps[places == b]).sum(axis=1) for b in np.unique(places)]
        )
        return np.asarray(np.abs(by_bin).sum(axis=0) / weights.sum(axis=1))

    return bootstrap_interval(error, len(gaps), confidence, seed=seed)


def brier_score(
    posteriors: NDArray[np.float64],
    truth: NDArray[np.integer],
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Return the mean over tasks of sum_k (p_k - [k is true])^2, from 0 (perfect) to 2, with its interval.

    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78
    (1950). Bootstrap over tasks.
    """
    told, codes = _checked(posteriors, truth)
    hit = told[np.arange(len(codes)), codes]
    return _mean((told**2).sum(axis=1) - 2.0 * hit + 1.0, confidence, seed)


def log_loss(
    posteriors: NDArray[np.float64],
    truth: NDArray[np.integer],
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Estimate:
    """Return the mean over tasks of -ln P(truth), in nats, with its interval by bootstrap over tasks.

    A probability counts as at least ``LEAST_PROBABILITY``.
    """
    told, codes = _checked(posteriors, truth)
    return _mean(-np.log(np.maximum(told[np.arange(len(codes)), codes], LEAST_PROBABILITY)), confidence, seed)


def reliability_diagram(
    posteriors: NDArray[np.float64],
    truth: NDArray[np.integer],
    bins: int = BINS,
    confidence: float = CONFIDENCE,
) -> tuple[ReliabilityBin, ...]:
    """Return the bins that hold a task, by rising confidence: what was told beside what was right."""
    confidences, right = _told_and_right(*_checked(posteriors, truth))
    places = _bin_of(confidences, _checked_bins(bins))
    check_confidence(confidence)
    return tuple(
        ReliabilityBin(
            place / bins,
            (place + 1) / bins,
            int(inside.sum()),
            float(confidences[inside].mean()),
            share_interval(float(right[inside].sum()), int(inside.sum()), confidence),
        )
        for place in np.unique(places).tolist()
        for inside in [places == place]
    )


class IsotonicCalibration:
    """Maps a confidence to the share that is right among tasks as confident, never falling.

    Least squares under monotonicity (B. Zadrozny and C. Elkan, "Transforming classifier scores into accurate
    multiclass probability estimates", KDD 2002), linear between the fitted points. A map from n tasks never
    says more than (n + 1) / (n + 2) or less than 1 / (n + 2): n tasks without an error do not prove
    certainty.
    """

    confidences_: NDArray[np.float64]
    shares_: NDArray[np.float64]

    def fit(self, confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> Self:
        """Learn from tasks with gold: their confidence in 0..1 and whether the label was right; (tasks,)."""
        told = np.asarray(confidences, dtype=np.float64)
        if told.ndim != 1 or np.shape(right) != told.shape or len(told) == 0:
            raise InvalidParameterError(
                f"{told.shape} confidences and {np.shape(right)} results: give one of each for at least one"
                " task"
            )
        _check_probabilities(told)
        from scipy.optimize import isotonic_regression

        points, place, counts = np.unique(told, return_inverse=True, return_counts=True)
        shares = np.bincount(place, weights=np.asarray(right, dtype=np.float64)) / counts
        fitted = isotonic_regression(shares, weights=counts.astype(np.float64)).x
        least = 1.0 / (len(told) + 2.0)
        self.confidences_, self.shares_ = points, np.clip(fitted, least, 1.0 - least)
        return self

    def transform(self, confidences: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated confidences of the same shape; raises ``NotFittedError`` before ``fit``."""
        if not hasattr(self, "shares_"):
            raise NotFittedError("this IsotonicCalibration has no map yet; call fit first")
        told = np.asarray(confidences, dtype=np.float64)
        _check_probabilities(told)
        return np.interp(told, self.confidences_, self.shares_)


class TemperatureScaling:
    """Flattens or sharpens whole posteriors by one number: p_k^(1/T), normalised.

    T minimises the log loss on tasks with gold (Guo et al. 2017). The order of labels stays as it is; a
    probability counts as at least ``LEAST_PROBABILITY`` first. T above 1 says that posteriors were too sure.
    """

    temperature_: float

    def fit(self, posteriors: NDArray[np.float64], truth: NDArray[np.integer]) -> Self:
        """Learn from posteriors (tasks, K) and the codes of the truth (tasks,)."""
        told, codes = _checked(posteriors, truth)
        from scipy.optimize import minimize_scalar

        logs = np.log(np.maximum(told, LEAST_PROBABILITY))
        place = np.arange(len(codes))

        def loss(log_temperature: float) -> float:
            scaled = _scaled(logs, float(np.exp(log_temperature)))
            return -float(np.log(np.maximum(scaled[place, codes], LEAST_PROBABILITY)).mean())

        found = minimize_scalar(loss, bounds=tuple(np.log(_TEMPERATURES)), method="bounded")
        # Where every temperature is as good, none is the plainest.
        self.temperature_ = float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0
        return self

    def transform(self, posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return calibrated posteriors (tasks, K); raises ``NotFittedError`` before ``fit``."""
        if not hasattr(self, "temperature_"):
            raise NotFittedError("this TemperatureScaling has no temperature yet; call fit first")
        return _scaled(
            np.log(np.maximum(_checked_posteriors(posteriors), LEAST_PROBABILITY)), self.temperature_
        )


def _scaled(logs: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    scaled = logs / temperature
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _mean(losses: NDArray[np.float64], confidence: float, seed: int) -> Estimate:
    def mean(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(weights @ losses / weights.sum(axis=1))

    return bootstrap_interval(mean, len(losses), confidence, seed=seed)


def _told_and_right(
    told: NDArray[np.float64], codes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return told.max(axis=1), (told.argmax(axis=1) == codes).astype(np.float64)


def _bin_of(confidences: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    return np.clip(np.ceil(confidences * bins).astype(np.int64) - 1, 0, bins - 1)


def _checked(
    posteriors: NDArray[np.float64], truth: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    told, codes = _checked_posteriors(posteriors), np.asarray(truth)
    if codes.shape != (len(told),) or codes.dtype.kind not in "iu" or len(told) == 0:
        raise InvalidParameterError(
            f"truth is a {codes.dtype} array of shape {codes.shape} for {len(told)} posteriors; give the code"
            " of one label for each of at least one task"
        )
    if codes.min() < 0 or codes.max() >= told.shape[1]:
        raise InvalidParameterError(
            f"truth has codes from {codes.min()} to {codes.max()}, but there are {told.shape[1]} labels;"
            " leave tasks without gold out"
        )
    return told, codes.astype(np.int64)


def _checked_posteriors(posteriors: NDArray[np.float64]) -> NDArray[np.float64]:
    told = np.asarray(posteriors, dtype=np.float64)
    if told.ndim != 2 or told.shape[1] == 0:
        raise InvalidParameterError(f"posteriors have shape {told.shape}; give (tasks, labels)")
    _check_probabilities(told)
    if len(told) > 0 and np.abs(told.sum(axis=1) - 1.0).max() > 1e-6:
        raise InvalidParameterError("posteriors have rows that do not sum to 1; normalise them first")
    return told


def _check_probabilities(told: NDArray[np.float64]) -> None:
    if told.size > 0 and not (told.min() >= 0.0 and told.max() <= 1.0 + 1e-9):
        raise InvalidParameterError("probabilities must lie in 0..1 and be numbers")


def _checked_bins(bins: int) -> int:
    if bins < 1:
        raise InvalidParameterError(f"bins is {bins}; there must be at least one")
    return bins
