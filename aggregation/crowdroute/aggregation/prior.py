"""What is believed about a worker before the first label: Dirichlet pseudo-counts of a confusion matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidParameterError

_DIAGONAL_TWO_CLASSES = 4.0
"""Pseudo-labels: with one per wrong class, an accuracy of .80 worth five labels."""

_DIAGONAL_PER_OTHER_CLASS = 2.5
"""Pseudo-labels per wrong class: an accuracy of .71 at any number of classes above two."""

SMALLEST = 1e-3
"""Pseudo-labels: the least a prior entry may be, far above the rounding errors of adding and taking away
labels."""


@dataclass(frozen=True, slots=True)
class ConfusionPrior:
    """Dirichlet pseudo-counts of every row of a confusion matrix, and of the class shares.

    ``diagonal``: pseudo-labels that agree with the truth, per truth; None takes 4 for two classes and
    2.5 (classes - 1) above. ``off_diagonal``: pseudo-labels per wrong class. ``class_count``: pseudo-tasks
    per class. All must be at least ``SMALLEST``: the leave-one-out estimate takes the logarithm of what is
    left when a task's own labels are taken out. Raises ``InvalidParameterError`` otherwise.
    """

    diagonal: float | None = None
    off_diagonal: float = 1.0
    class_count: float = 1.0

    def __post_init__(self) -> None:
        for name in ("diagonal", "off_diagonal", "class_count"):
            value = getattr(self, name)
            if value is not None and not SMALLEST <= value < float("inf"):
                raise InvalidParameterError(
                    f"prior {name} is {value}; it must be finite and at least {SMALLEST}"
                )

    def diagonal_for(self, n_classes: int) -> float:
        """Return the pseudo-labels of one right answer when there are ``n_classes``."""
        if self.diagonal is not None:
            return self.diagonal
        return _DIAGONAL_TWO_CLASSES if n_classes <= 2 else _DIAGONAL_PER_OTHER_CLASS * (n_classes - 1)

    def matrix(self, n_classes: int) -> NDArray[np.float64]:
        """Return the (truth, label) matrix of pseudo-labels for ``n_classes``."""
        counts = np.full((n_classes, n_classes), self.off_diagonal)
        np.fill_diagonal(counts, self.diagonal_for(n_classes))
        return counts
