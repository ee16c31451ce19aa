"""How sure an estimate is: intervals over tasks, by the jackknife, the bootstrap, or a formula for shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError

CONFIDENCE = 0.95
"""Probability with which an interval is meant to hold the estimated quantity."""

RESAMPLES = 1_000
"""Bootstrap samples: the bounds of a 95 % percentile interval then move by about a twentieth of its width."""

_RESAMPLED_AT_ONCE = 4_000_000
"""Numbers drawn at once by the bootstrap: 32 MB."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its two-sided interval; ``lower <= value <= upper``, all finite."""

    value: float
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.lower:.3f} to {self.upper:.3f})"


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is not strictly between 0 and 1."""
    if not 0.0 < confidence < 1.0:
        raise InvalidParameterError(f"confidence is {confidence}; it must lie strictly between 0 and 1")


def jackknife_interval(
    value: float,
    left_out: NDArray[np.float64],
    repeats: NDArray[np.int64],
    confidence: float = CONFIDENCE,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """Return the value with the interval of the delete-one jackknife.

    ``left_out`` holds the value without one task, for each kind of task, and ``repeats`` how many tasks are
    of that kind. Standard error: sqrt((n - 1) / n sum (v_i - mean)^2) (B. Efron, "Nonparametric estimates of
    standard error: the jackknife, the bootstrap and other methods", Biometrika 68, 1981); the bounds are
    Student's with n - 1 degrees of freedom, cut to ``bounds``. Where a task alone decides whether the value
    exists (a ``left_out`` that is not finite), or with one task only, nothing is known: the bounds are
    ``bounds``.
    """
    check_confidence(confidence)
    n = int(repeats.sum())
    if n < 2 or not np.isfinite(left_out).all():
        return Estimate(value, min(bounds[0], value), max(bounds[1], value))
    from scipy.special import stdtrit

    mean = float(left_out @ repeats) / n
    variance = (n - 1) / n * float(((left_out - mean) ** 2) @ repeats)
    reach = float(stdtrit(n - 1, 0.5 + confidence / 2)) * math.sqrt(variance)
    return Estimate(
        value, min(max(value - reach, bounds[0]), value), max(min(value + reach, bounds[1]), value)
    )


def bootstrap_interval(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    n_tasks: int,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Return a statistic of weighted tasks with its percentile interval over resampled tasks.

    ``statistic`` takes weights (samples, tasks), how often each task was drawn, and gives one value per
    sample; all ones is the sample itself. B. Efron and R. Tibshirani, An Introduction to the Bootstrap
    (1993), chapter 13. The interval is widened to hold the value where bias would put it outside. The same
    seed gives the same interval.
    """
    check_confidence(confidence)
    value = float(statistic(np.ones((1, n_tasks)))[0])
    generator = np.random.default_rng(seed)
    at_once = max(_RESAMPLED_AT_ONCE // max(n_tasks, 1), 1)
    values = []
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        drawn = generator.multinomial(n_tasks, np.full(n_tasks, 1.0 / n_tasks), size=size)
        values.append(statistic(drawn.astype(np.float64)))
    lower, upper = np.quantile(np.concatenate(values), [0.5 - confidence / 2, 0.5 + confidence / 2]).tolist()
    return Estimate(value, min(lower, value), max(upper, value))


def share_interval(right: float, count: float, confidence: float = CONFIDENCE) -> Estimate:
    """Return ``right`` of ``count`` as a share with Wilson's score interval; 0 of 0 is known to be in 0..1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    ``right`` need not be whole: a tie counts as its chance.
    """
    check_confidence(confidence)
    if not 0.0 <= right <= count:
        raise InvalidParameterError(f"{right} of {count} is no share; the first must lie in 0..{count}")
    if count == 0:
        return Estimate(0.5, 0.0, 1.0)
    share = right / count
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2) / (1 + z * z / count)
    return Estimate(share, min(max(middle - reach, 0.0), share), max(min(middle + reach, 1.0), share))
