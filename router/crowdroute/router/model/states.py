"""States and kinds as small integers, because the tables and the log store them as such.

Values are written to logs for ever: a value is never reused or renumbered, new ones are appended.
"""

from __future__ import annotations

from enum import IntEnum

from crowdroute.workers.profile import Stage, WorkerKind
from crowdroute.workers.status import WorkerStatus

__all__ = [
    "Account",
    "AssignmentState",
    "EntryKind",
    "FinalReason",
    "Mode",
    "Payment",
    "ProjectState",
    "Purpose",
    "Receipt",
    "Review",
    "Revision",
    "Stage",
    "TaskState",
    "WorkerKind",
    "WorkerStatus",
]


class Purpose(IntEnum):
    """Why a task exists; never shown to annotators or vendors."""

    PRODUCTION = 0
    TRAINING = 1
    QUALIFICATION = 2
    CALIBRATION = 3
    GOLD = 4
    AUDIT = 5
    REVIEW = 6


class TaskState(IntEnum):
    """Where a task is in its life; its stage says who works on it while it is open."""

    OPEN = 0
    PARKED = 1
    FINALISED = 2
    CANCELLED = 3


class AssignmentState(IntEnum):
    """What became of the right that a worker was given."""

    ACTIVE = 0
    SUBMITTED = 1
    SKIPPED = 2
    RELEASED = 3
    EXPIRED = 4
    REVOKED = 5
    REFUSED = 6


class Receipt(IntEnum):
    """How an answer was taken in; the first of three separate facts about an annotation."""

    NONE = 0
    COUNTED = 1
    SURPLUS = 2
    REFUSED = 3


class Review(IntEnum):
    """What a reviewer said of an annotation; the second fact."""

    NONE = 0
    REQUESTED = 1
    PASSED = 2
    RETURNED = 3
    FAILED = 4


class Payment(IntEnum):
    """Where an annotation's pay stands; the third fact."""

    NONE = 0
    DUE = 1
    HELD = 2
    PAID = 3
    ADJUSTED = 4


class Revision(IntEnum):
    """What the head of an annotation's chain of revisions is; from WITHDRAWN on it does not count."""

    NONE = 0
    SUBMITTED = 1
    AMENDED = 2
    REWORKED = 3
    WITHDRAWN = 4
    DISCOUNTED = 5


class ProjectState(IntEnum):
    """Whether a project hands out work."""

    ACTIVE = 0
    PAUSED = 1


class Mode(IntEnum):
    """Whether a decision about people is only written down or also carried out."""

    RECOMMEND = 0
    ENFORCE = 1


class FinalReason(IntEnum):
    """Why a task was finalised."""

    CONFIDENT = 0
    EXPERT = 1
    MAXIMUM = 2


class Account(IntEnum):
    """The two sides of a ledger entry."""

    LABELLING_COST = 0
    BONUS_COST = 1
    WORKER_PAYABLE = 2


class EntryKind(IntEnum):
    """What a ledger entry is for."""

    PIECE = 0
    BONUS = 1
    CORRECTION = 2
