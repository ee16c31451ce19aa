"""Answers, and whether they were right."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import (
    Mode,
    Receipt,
    Review,
    Revision,
)


class AnswerSubmitted(Fact, tag=16):
    """An answer came in and was counted, taken as surplus, or refused and kept."""

    assignment: Id
    answer: Answer
    receipt: Receipt
    reason: str = ""
    """Why it was refused or surplus, as a code; empty when counted."""
    late: bool = False
    active_ms: int = 0
    """Time the front-end says the worker was active, in milliseconds."""
    comment: bytes = b""
    flags: tuple[str, ...] = ()


class AnswerAmended(Fact, tag=17):
    """The worker changed an answer; the new one is the head of the annotation's chain."""

    assignment: Id
    revision: Revision
    answer: Answer
    checked: bool = False
    """Somebody had checked the answer before this one: that one goes on counting, this one is only kept."""


class AnswerWithdrawn(Fact, tag=18):
    """The worker took an answer back; its slot is free again."""

    assignment: Id
    reason: str


class AnswerDiscounted(Fact, tag=19):
    """An answer no longer counts because its worker does not; it keeps its slot and a new one is planned."""

    assignment: Id
    reason: str


class ReviewRequested(Fact, tag=21):
    """An annotation is to be checked at the senior stage (or would be, when only recommended)."""

    assignment: Id
    mode: Mode
    reason: str
    """`threshold` or `sample`."""
    lower_bound: float
    correct: int
    checked: int
    threshold: float
    share: float
    draw: float


class ReviewConcluded(Fact, tag=22):
    """A senior or expert answer settled whether a reviewed annotation was right."""

    assignment: Id
    verdict: Review
    by: Id
    """The assignment that settled it."""
    evidence: bool = True
    """Whether it says something of the worker's accuracy: false when the annotation was picked for what it
    looked like."""
