"""What is asked, and what came of it."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.model.answers import Answer, FieldResult
from crowdroute.router.model.facts import Requirement
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import (
    FinalReason,
    Purpose,
    Stage,
)


class ItemAdded(Fact, tag=6):
    """Content exists; it lies in the content store under the item's id."""

    item: Id
    external: Id
    """Keyed digest of the external id; NO_ID when there is none."""
    digest: bytes
    """Keyed digest of the content."""


class TaskOpened(Fact, tag=7):
    """One round of work on an item was asked for."""

    task: Id
    item: Id
    round: int
    purpose: Purpose
    batch: str
    planned: int
    """Slots planned for the crowd; a gold task has none, since it is exempt from overlap."""
    priority: int = 0
    """0 is normal; higher goes first, up to 3."""
    deadline_us: int = 0
    """Moment by which a result is wanted; 0 for none."""
    capability: str = ""
    """The key under which confusion matrices are kept; empty means the project itself."""
    requirement: Requirement = Requirement()
    allow: tuple[Id, ...] = ()
    """Only these workers, when not empty."""
    deny: tuple[Id, ...] = ()
    gold: Answer = ()
    """The known answer of a gold task."""


class SlotsPlanned(Fact, tag=8):
    """More answers are wanted at a stage; the planned number never falls."""

    task: Id
    stage: Stage
    added: int
    reason: str


class TaskEscalated(Fact, tag=23):
    """The crowd is done without being sure enough; an expert is asked."""

    task: Id
    stage: Stage
    reason: str
    confidence: float
    counted: int


class TaskFinalised(Fact, tag=24):
    """The task has a result; this revision of it never changes."""

    task: Id
    revision: int
    reason: FinalReason
    results: tuple[FieldResult, ...]
    confidence: float
    counted: int
    rules_version: int
    model_version: int
    calibrator: str = ""


class ResultCorrected(Fact, tag=25):
    """A newer revision of the result supersedes the one before."""

    task: Id
    revision: int
    results: tuple[FieldResult, ...]
    confidence: float
    reason: str
    counted: int = 0
    """Annotations that counted at that moment, whether or not the correction rests on them."""


class TaskReopened(Fact, tag=26):
    """A parked or finalised task takes answers again; an earlier result stands until it is superseded."""

    task: Id
    reason: str
    added: int = 0
    """Crowd slots planned in addition."""
    confidence: float = 0.0
    """What the annotations that counted said at that moment, and how many they were."""
    counted: int = 0


class TaskParked(Fact, tag=27):
    """The task came back unanswered too often; a person must look at it."""

    task: Id
    reason: str
    attempts: int


class TaskCancelled(Fact, tag=28):
    """Nobody needs the task any more."""

    task: Id
    reason: str


class ItemErased(Fact, tag=30):
    """The item's content and everything written about it is gone; ids and codes remain."""

    item: Id
    reason: str
