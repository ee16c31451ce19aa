"""Facts of one project's stream (tags 1 to 99)."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.events.project.answers import (
    AnswerAmended,
    AnswerDiscounted,
    AnswerSubmitted,
    AnswerWithdrawn,
    ReviewConcluded,
    ReviewRequested,
)
from crowdroute.router.events.project.leases import (
    AssignmentSkipped,
    DraftSaved,
    LeaseExpired,
    LeaseExtended,
    LeaseGranted,
    LeaseReleased,
    LeaseRevoked,
    ProblemReported,
)
from crowdroute.router.events.project.money import BonusDecided, EntryPosted
from crowdroute.router.events.project.operating import (
    ModelInstalled,
    OutageNoted,
    ProjectCreated,
    ProjectPaused,
    ProjectResumed,
    RefitFellDue,
    RulesApplied,
)
from crowdroute.router.events.project.people import PersonSevered, WorkerDiscounted, WorkerFactApplied
from crowdroute.router.events.project.tasks import (
    ItemAdded,
    ItemErased,
    ResultCorrected,
    SlotsPlanned,
    TaskCancelled,
    TaskEscalated,
    TaskFinalised,
    TaskOpened,
    TaskParked,
    TaskReopened,
)

ProjectEvent = (
    ProjectCreated
    | RulesApplied
    | ProjectPaused
    | ProjectResumed
    | WorkerFactApplied
    | ItemAdded
    | TaskOpened
    | SlotsPlanned
    | LeaseGranted
    | LeaseExtended
    | LeaseExpired
    | LeaseReleased
    | AssignmentSkipped
    | LeaseRevoked
    | AnswerSubmitted
    | AnswerAmended
    | AnswerWithdrawn
    | AnswerDiscounted
    | DraftSaved
    | ReviewRequested
    | ReviewConcluded
    | TaskEscalated
    | TaskFinalised
    | ResultCorrected
    | TaskReopened
    | TaskParked
    | TaskCancelled
    | WorkerDiscounted
    | ItemErased
    | PersonSevered
    | EntryPosted
    | BonusDecided
    | OutageNoted
    | ProblemReported
    | ModelInstalled
    | RefitFellDue
)

PROJECT_EVENTS: tuple[type[Fact], ...] = ProjectEvent.__args__

__all__ = [
    "PROJECT_EVENTS",
    "AnswerAmended",
    "AnswerDiscounted",
    "AnswerSubmitted",
    "AnswerWithdrawn",
    "AssignmentSkipped",
    "BonusDecided",
    "DraftSaved",
    "EntryPosted",
    "ItemAdded",
    "ItemErased",
    "LeaseExpired",
    "LeaseExtended",
    "LeaseGranted",
    "LeaseReleased",
    "LeaseRevoked",
    "ModelInstalled",
    "OutageNoted",
    "PersonSevered",
    "ProblemReported",
    "ProjectCreated",
    "ProjectEvent",
    "ProjectPaused",
    "ProjectResumed",
    "RefitFellDue",
    "ResultCorrected",
    "ReviewConcluded",
    "ReviewRequested",
    "RulesApplied",
    "SlotsPlanned",
    "TaskCancelled",
    "TaskEscalated",
    "TaskFinalised",
    "TaskOpened",
    "TaskParked",
    "TaskReopened",
    "WorkerDiscounted",
    "WorkerFactApplied",
]
