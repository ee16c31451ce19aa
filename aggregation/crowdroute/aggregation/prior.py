"""What is believed about a worker before the first label: Dirichlet pseudo-counts of a confusion matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError

_ACCURACY_OF_TWO = 0.8
_ACCURACY_OF_MANY = 5 / 7

_STRENGTH_OF_TWO = 5.0
_STRENGTH_PER_OTHER_CLASS = 3.5
_STRENGTH_AT_MOST = 10.0
"""Pseudo-labels per truth. A wrong class brings one pseudo-label, up to the limit: without it, the prior of a
hundred classes would outweigh everything a worker ever does."""

_POOL_ACCURACY_WEIGHT = 50.0
"""Labels of the pool at which its accuracy counts as much as the prior's own."""

_POOL_SHAPE_WEIGHT = 1000.0
"""Labels of the pool per truth at which the confusions between classes count as much as their overall
rate."""


@dataclass(frozen=True, slots=True)
class ConfusionPrior:
    """Dirichlet pseudo-counts that every confusion matrix and the class shares begin with.

    ``strength``: pseudo-labels per truth; None takes 5 for two classes, else 3.5 (classes - 1) up to 10.
    ``accuracy``: the share of them that agrees with the truth; None takes 0.8 for two classes, else 5/7.
    ``pool_share``: how much of the prior follows what the labels so far say about workers in general (partial
    pooling: R. J. Passonneau and B. Carpenter, "The Benefits of a Model of Annotation", TACL 2, 2014); the
    rest stays as it began, so that no entry ever gets near zero. 0 gives a fixed prior. ``class_count``:
    pseudo-tasks per class. Raises ``InvalidParameterError`` outside 0.1..1e9 for the two counts, 0.01..0.99
    for the accuracy, 0..0.99 for the share: the bounds keep every entry above the rounding errors of adding
    and taking away labels.
    """

    strength: float | None = None
    accuracy: float | None = None
    pool_share: float = 0.9
    class_count: float = 1.0

    def __post_init__(self) -> None:
        _check("strength", self.strength, 0.1, 1e9)
        _check("accuracy", self.accuracy, 0.01, 0.99)
        _check("pool_share", self.pool_share, 0.0, 0.99)
        _check("class_count", self.class_count, 0.1, 1e9)

    def strength_for(self, n_classes: int) -> float:
        """Return the pseudo-labels per truth when there are ``n_classes``."""
        if self.strength is not None:
            return self.strength
        if n_classes <= 2:
            return _STRENGTH_OF_TWO
        return min(_STRENGTH_PER_OTHER_CLASS * (n_classes - 1), _STRENGTH_AT_MOST)

    def accuracy_for(self, n_classes: int) -> float:
        """Return the share of pseudo-labels that agrees with the truth when there are ``n_classes``."""
        if n_classes == 1:
            return 1.0
        if self.accuracy is not None:
            return self.accuracy
        return _ACCURACY_OF_TWO if n_classes == 2 else _ACCURACY_OF_MANY

    def matrix(self, n_classes: int) -> NDArray[np.float64]:
        """Return the (truth, label) pseudo-labels before anything is known: one accuracy, all errors
        alike."""
        return self.strength_for(n_classes) * _one_coin(self.accuracy_for(n_classes), n_classes)

    def pooled_matrix(self, pool: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the (truth, label) pseudo-labels given the soft counts of all workers together.

        ``pool`` (K, K), axes (truth, label), without any prior. Two steps of shrinkage: the pool's accuracy
        towards the prior's, then the pool's rows towards that one accuracy with all errors alike. A pool
        worse than chance is taken as chance: reading it as inverted would turn every later label around.
        """
        n_classes = len(pool)
        start = self.matrix(n_classes)
        labels = pool.sum()
        right = np.trace(pool) + _POOL_ACCURACY_WEIGHT * self.accuracy_for(n_classes)
        accuracy = max(right / (labels + _POOL_ACCURACY_WEIGHT), 1.0 / n_classes)
        alike = _one_coin(accuracy, n_classes)
        rows = pool.sum(axis=1, keepdims=True)
        shares = (pool + _POOL_SHAPE_WEIGHT * alike) / (rows + _POOL_SHAPE_WEIGHT)
        followed = self.pool_share * self.strength_for(n_classes) * shares
        return np.asarray(followed + (1.0 - self.pool_share) * start)


def _check(name: str, value: float | None, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise InvalidParameterError(f"prior {name} is {value}; it must lie between {least:g} and {most:g}")


def _one_coin(accuracy: float, n_classes: int) -> NDArray[np.float64]:
    shares = np.full((n_classes, n_classes), (1.0 - accuracy) / max(n_classes - 1, 1))
    np.fill_diagonal(shares, accuracy)
    return shares
