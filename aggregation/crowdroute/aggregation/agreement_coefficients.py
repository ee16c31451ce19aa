"""Coefficients of agreement as functions of sums over tasks; the leading axes, if any, count variants."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError

Level = Literal["nominal", "ordinal", "interval"]
"""What labels mean: names, ranks in the order of their codes, or numbers."""

Weighting = Literal["identity", "linear", "quadratic"]
"""Credit for labels that differ: none, or falling with their distance or its square."""

_NOTHING = 1e-9
"""Expected disagreement, as a share, that is a rounding error of none."""


class Moments(NamedTuple):
    """What the coefficients are functions of; the leading axis, if any, counts variants."""

    coincidences: NDArray[np.float64]
    """(..., K, K): per task of two labels or more, its ordered pairs / (labels - 1)."""
    pair_shares: NDArray[np.float64]
    """(..., K, K): per such task, its pairs as shares that sum to 1."""
    label_shares: NDArray[np.float64]
    """(..., K): per task with a label, its labels as shares that sum to 1."""


def agreement_weights(weighting: Weighting, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the credit (K, K) for each pair of labels: 1 where they are equal, least for the farthest."""
    if weighting == "identity":
        return np.eye(len(values))
    apart = np.abs(values[:, np.newaxis] - values)
    if weighting == "quadratic":
        apart = apart**2
    elif weighting != "linear":
        raise InvalidParameterError(
            f"there is no weighting {weighting!r}; choose identity, linear or quadratic"
        )
    widest = apart.max()
    return np.asarray(1.0 - apart / widest) if widest > 0.0 else np.ones_like(apart)


def moments_of_rows(rows: NDArray[np.int64]) -> Moments:
    """Return the moments of each task by itself, from its labels' counts (tasks, K)."""
    counts = rows.astype(np.float64)
    sizes = counts.sum(axis=1)
    pairs = counts[:, :, np.newaxis] * counts[:, np.newaxis, :]
    diagonal = np.arange(rows.shape[1])
    pairs[:, diagonal, diagonal] -= counts
    scale = 1.0 / np.maximum(sizes - 1.0, 1.0)
    return Moments(
        pairs * scale[:, np.newaxis, np.newaxis],
        pairs * (scale / sizes)[:, np.newaxis, np.newaxis],
        counts / sizes[:, np.newaxis],
    )


def difference(whole: Moments, parts: Moments) -> Moments:
    """Return the moments of a whole without each of its parts."""
    return Moments(*(one - part for one, part in zip(whole, parts, strict=True)))


def distances(
    coincidences: NDArray[np.float64], level: Level, values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the difference of every two labels, (..., K, K)."""
    if level == "nominal":
        return 1.0 - np.eye(len(values))
    if level == "interval":
        return np.asarray((values[:, np.newaxis] - values) ** 2)
    if level != "ordinal":
        raise InvalidParameterError(f"there is no level {level!r}; choose nominal, ordinal or interval")
    totals = coincidences.sum(axis=-1)
    # The rank of a label is the number of labels below it and half of its own; ranks differ as labels do.
    ranks = np.cumsum(totals, axis=-1) - totals / 2.0
    return np.asarray((ranks[..., :, np.newaxis] - ranks[..., np.newaxis, :]) ** 2)


def alpha(coincidences: NDArray[np.float64], distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Krippendorff's alpha of coincidences (..., K, K), given the difference of every two labels."""
    totals = coincidences.sum(axis=-1)
    count = totals.sum(axis=-1)
    observed = (coincidences * distances).sum(axis=(-2, -1))
    products = totals[..., :, np.newaxis] * totals[..., np.newaxis, :]
    expected = (products * distances).sum(axis=(-2, -1))
    largest = distances.max(axis=(-2, -1)) * count**2
    return _quotient(expected - (count - 1.0) * observed, expected, largest)


def fleiss(moments: Moments) -> NDArray[np.float64]:
    """Return Fleiss' kappa."""
    return _corrected(moments, np.eye(moments.label_shares.shape[-1]), (_shares(moments) ** 2).sum(axis=-1))


def gwet(moments: Moments, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Gwet's AC1, or AC2 where weights (K, K) give credit to labels that differ."""
    shares = _shares(moments)
    k = len(weights)
    chance = weights.sum() / (k * (k - 1)) * (shares * (1.0 - shares)).sum(axis=-1)
    return _corrected(moments, weights, chance)


def _shares(moments: Moments) -> NDArray[np.float64]:
    tasks = moments.label_shares.sum(axis=-1, keepdims=True)
    return moments.label_shares / np.where(tasks > _NOTHING, tasks, 1.0)


def _corrected(
    moments: Moments, weights: NDArray[np.float64], chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (agreed - chance) / (1 - chance), where agreed is the mean over tasks of their pairs' credit."""
    tasks = moments.pair_shares.sum(axis=(-2, -1))
    agreed = (moments.pair_shares * weights).sum(axis=(-2, -1)) / np.where(tasks > _NOTHING, tasks, 1.0)
    return _quotient(agreed - chance, np.where(tasks > _NOTHING, 1.0 - chance, 0.0), 1.0)


def _quotient(
    above: NDArray[np.float64], below: NDArray[np.float64], scale: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Divide; infinite, which callers tell apart, where the divisor is a rounding error of none on its
    scale."""
    sound = below > _NOTHING * scale
    return np.asarray(np.where(sound, above / np.where(sound, below, 1.0), np.inf))
