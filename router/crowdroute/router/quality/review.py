"""Whose answers a senior checks: by measured accuracy, and a share of everybody's by chance."""

from __future__ import annotations

from typing import NamedTuple

from crowdroute.router.model.rules import ReviewPlan
from crowdroute.workers.reliability import accuracy_interval


class ReviewReason(NamedTuple):
    """Why an answer is checked, with the numbers."""

    reason: str
    """`threshold` or `sample`."""
    lower_bound: float
    draw: float


def needs_review(plan: ReviewPlan, correct: int, checked: int, draw: float) -> ReviewReason | None:
    """Say whether an answer goes to the senior stage, and why.

    `correct` of `checked` answers of the worker were right; `draw` is uniform in [0, 1). The bound is the
    lower end of the 95 % interval under Beta(2, 1), so a new worker's is near 0.16 and everything of theirs
    is checked.
    """
    if not plan.threshold and not plan.share:
        return None
    lower = accuracy_interval(correct, checked).lower
    if lower < plan.threshold:
        return ReviewReason("threshold", lower, draw)
    if draw < plan.share:
        return ReviewReason("sample", lower, draw)
    return None
