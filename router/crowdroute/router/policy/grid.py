"""Posterior cells: tasks whose posteriors look alike are worth the same to a worker, so they share a
bucket."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.online import OnlineDawidSkene

CELLS = 64
"""Cells per signature and priority: one bit each in a 64-bit word."""

PRIORITIES = 4
"""Classes from 0, normal, to 3, first."""

FRESH = 63
"""The cell of tasks without label and lease."""
SETTLING = 62
"""The cell of tasks that are sure enough once the answers on their way are in, should good workers agree: to
ask for more before would most often buy a surplus answer."""
REGULAR = 62

MOST_BINS = 16
"""Steps of confidence at most; finer ones than a third of a nat would tell apart what the model itself
cannot."""
MOST_GROUPS = 8
CLASSES_APART = 4
"""Labels of a field up to which cells tell the most probable label; above, only its probability."""

HIGHEST = 0.995
"""Confidence at which the last bin begins to take everything."""

FIRST_CELL, BINS, LOW, WIDTH, DRIFT, AGREEING = range(6)
"""Columns of `Grid.groups`; the last four in nats of logit(confidence)."""


def logit(probability: float) -> float:
    """Give the log odds of a probability, in nats."""
    return float(np.log(probability / (1.0 - probability)))


class Grid:
    """Cuts posteriors into at most 62 cells: a group per field (and label, where labels are few), bins of
    confidence in each.

    `groups` (G, 6) holds, per group, the first cell, the number of bins, logit of the confidence at which the
    first bin begins, the width of a bin, and how far one label moves a task's logit on average. A group
    stands for one field, unless there are more fields than groups.
    """

    def __init__(self, models: Sequence[OnlineDawidSkene]) -> None:
        """Cut the posteriors of these fields' models."""
        sizes = [model.n_classes if model.n_classes <= CLASSES_APART else 1 for model in models]
        apart = sum(sizes) <= MOST_GROUPS
        self.by_class = [apart and model.n_classes <= CLASSES_APART for model in models]
        per_field = [
            model.n_classes if split else 1 for model, split in zip(models, self.by_class, strict=True)
        ]
        starts = np.concatenate([[0], np.cumsum(per_field)]).tolist()
        #: Per field, its first group.
        self.group_of = [min(int(start), MOST_GROUPS - 1) for start in starts[:-1]]
        count = max(min(int(starts[-1]), MOST_GROUPS), 1)
        bins = min(MOST_BINS, REGULAR // count)
        self.groups: NDArray[np.float64] = np.zeros((count, 6))
        for field, model in enumerate(models):
            end = min(self.group_of[field] + per_field[field], count)
            self.groups[self.group_of[field] : end, LOW:] = _scale(model, bins)
        self.groups[:, FIRST_CELL] = np.arange(count) * bins
        self.groups[:, BINS] = bins


def _scale(model: OnlineDawidSkene, bins: int) -> tuple[float, float, float, float]:
    """Give low end, width, drift and the weight of an agreeing answer for one field.

    The drift is what one answer of an average worker, as the prior sees them, adds on average to the log odds
    of the truth against another label: (a - b) ln(a / b), a being the chance of the right answer and b of one
    wrong answer. An answer that agrees adds ln(a / b); the one taken here is of a good worker, who errs half
    as often as the average.
    """
    n_classes = model.n_classes
    low = logit(1.0 / n_classes) if n_classes > 1 else 0.0
    width = (logit(HIGHEST) - low) / bins
    right = model.prior.accuracy_for(n_classes)
    if right == 1.0:
        return low, width, 0.0, 0.0
    wrong = (1.0 - right) / (n_classes - 1)
    drift = (right - wrong) * float(np.log(right / wrong))
    return low, width, drift, float(np.log((1.0 + right) / wrong))
