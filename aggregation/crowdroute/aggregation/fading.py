"""The online model with confusion counts that fade."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.forgetting import Forgetting
from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.prior import ConfusionPrior


class Said(NamedTuple):
    """One annotation of a task, by a matrix."""

    label: int
    moment: float


SaidBy = Mapping[int, Said]
"""A task's annotations by matrix row, in the order in which they came."""


class FadingDawidSkene(OnlineDawidSkene):
    """``OnlineDawidSkene`` where an annotation counts less in its worker's matrix the older it is.

    An annotation of moment m is 2^(-(now - m) / half_life) pseudo-labels of the matrix (``Forgetting``): a
    worker is judged by what they do now. It stays a whole annotation of its task, and a task a whole one of
    the class shares. Each matrix fades when a task that it labelled is re-estimated, and all before the prior
    is drawn anew; ``bring_up_to_date`` does it before matrices are read. With an infinite half-life nothing
    differs, to the last bit.
    """

    def __init__(
        self, n_classes: int, prior: ConfusionPrior | None = None, half_life: float = math.inf
    ) -> None:
        super().__init__(n_classes, prior)
        self.forgetting = Forgetting(half_life)
        self._as_of: list[float] = []

    def add_matrix(self) -> int:
        """Append one matrix that holds the prior and return its row; amortised O(K^2)."""
        self._as_of.append(self.forgetting.now)
        return super().add_matrix()

    def replace(self, task: int, old: SaidBy, new: SaidBy, truth: int = -1) -> None:
        """Replace a task's annotations, from ``old``, which it was last given, to ``new``.

        Re-estimates its posterior, pinned to ``truth`` unless that is negative. O(annotations K^2). Raises
        ``OutOfRangeError``, with nothing replaced, for a matrix or label that the model does not have.
        """
        self.bring_up_to_date({*old, *new})
        outcome = self._kernels.reestimate_weighted(
            self._held, self.n_matrices, task, *self._columns(old), *self._columns(new), truth
        )
        self._replaced(outcome, task, len(old), len(new), truth)

    def _columns(self, said: SaidBy) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Return the matrices, labels and weights of a task's annotations."""
        return (
            np.fromiter(said.keys(), np.int32, len(said)),
            np.fromiter((each.label for each in said.values()), np.int32, len(said)),
            np.fromiter((self.forgetting.weight(each.moment) for each in said.values()), float, len(said)),
        )

    def bring_up_to_date(self, matrices: Collection[int] | None = None) -> None:
        """Let some matrices, or all, fade to what they are now."""
        now = self.forgetting.now
        prior_sums = self.prior_counts.sum(axis=1)
        for row in range(self.n_matrices) if matrices is None else matrices:
            left = self.forgetting.weight(self._as_of[row])
            self._as_of[row] = now
            if left == 1.0:
                continue
            self.confusion[row] = self.prior_counts + left * (self.confusion[row] - self.prior_counts)
            self.row_sums[row] = prior_sums + left * (self.row_sums[row] - prior_sums)
            self.versions[row] += 1

    def _pool(self) -> NDArray[np.float64]:
        self.bring_up_to_date()
        return super()._pool()
