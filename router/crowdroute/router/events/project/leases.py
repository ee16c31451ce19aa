"""Who was given which task, and how that ended without an answer."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import (
    Stage,
)


class LeaseGranted(Fact, tag=10):
    """A worker was given a task; everything shown and promised with it is written down."""

    assignment: Id
    task: Id
    worker: Id
    stage: Stage
    fence: int
    """Names this lease; every use of the lease must bring it."""
    deadline_us: int
    price_micros: int
    rules_version: int
    policy: str
    """Which policy chose, or `gold`, `explore`, `allowed`, `stage`."""
    value: float
    """What the policy expected of it (bits of information for information gain)."""
    propensity: float
    """Probability with which this task was chosen, given the policy and its chance."""
    locale: str = ""
    prelabel_visible: bool = False


class LeaseExtended(Fact, tag=11):
    """The worker is still at it."""

    assignment: Id
    deadline_us: int


class LeaseExpired(Fact, tag=12):
    """The deadline passed; the slot is free again, a late answer may still come."""

    assignment: Id


class LeaseReleased(Fact, tag=13):
    """The worker gave the task back unanswered."""

    assignment: Id


class AssignmentSkipped(Fact, tag=14):
    """The worker would not answer, and said why."""

    assignment: Id
    reason: str
    problem: bool = False
    """The worker reports that the task itself is broken."""
    comment: bytes = b""
    """Keyed digest of the comment, whose text lies in the content store."""


class LeaseRevoked(Fact, tag=15):
    """The right was taken away; the answer, should it come, is not counted."""

    assignment: Id
    reason: str


class DraftSaved(Fact, tag=20):
    """Unfinished work was kept, in the content store under the assignment's id."""

    assignment: Id
    digest: bytes


class ProblemReported(Fact, tag=35):
    """A worker says that a task is broken without giving it back."""

    assignment: Id
    reason: str
    comment: bytes = b""
