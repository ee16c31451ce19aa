"""Facts of one project's stream (tags 1 to 99)."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.model.answers import Answer, FieldResult
from crowdroute.router.model.facts import Requirement, WorkerFacts
from crowdroute.router.model.fitted import FittedField
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import (
    Account,
    EntryKind,
    FinalReason,
    Mode,
    Purpose,
    Receipt,
    Review,
    Revision,
    Stage,
)


class ProjectCreated(Fact, tag=1):
    """The stream begins; nothing comes before this."""

    project: Id
    name: str


class RulesApplied(Fact, tag=2):
    """From here on these rules hold; live leases keep the price and terms they were granted with."""

    rules: ProjectRules


class ProjectPaused(Fact, tag=3):
    """No task is handed out until the project is resumed; live leases go on."""

    reason: str


class ProjectResumed(Fact, tag=4):
    """Tasks are handed out again."""


class WorkerFactApplied(Fact, tag=5):
    """A worker's facts arrived from the organisation stream, at a higher version than before."""

    facts: WorkerFacts


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


class DraftSaved(Fact, tag=20):
    """Unfinished work was kept, in the content store under the assignment's id."""

    assignment: Id
    digest: bytes


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


class WorkerDiscounted(Fact, tag=29):
    """None of a worker's answers counts any more; each is taken out in bounded steps that follow."""

    worker: Id
    reason: str


class ItemErased(Fact, tag=30):
    """The item's content and everything written about it is gone; ids and codes remain."""

    item: Id
    reason: str


class PersonSevered(Fact, tag=31):
    """Nothing that a person wrote remains, and no worker of the project is theirs by name."""

    person: Id


class EntryPosted(Fact, tag=32):
    """Money moved between two accounts; never changed, only corrected by another entry."""

    entry: Id
    """Unique: derived from what the entry is for, so the same thing cannot be posted twice."""
    kind: EntryKind
    worker: Id
    debit: Account
    credit: Account
    micros: int
    """Amount in micro-units; negative in a correction."""
    currency: str
    assignment: Id = NO_ID
    rule: str = ""
    period: int = 0


class BonusDecided(Fact, tag=33):
    """A bonus rule was evaluated for one worker and period, with the numbers it went by."""

    worker: Id
    rule: str
    period: int
    """Number of the period since the epoch."""
    mode: Mode
    micros: int
    lower_bound: float
    correct: int
    checked: int
    least_checked: int


class OutageNoted(Fact, tag=34):
    """The engine was away for so long; every live lease is extended by it."""

    length_us: int


class ProblemReported(Fact, tag=35):
    """A worker says that a task is broken without giving it back."""

    assignment: Id
    reason: str
    comment: bytes = b""


class ModelInstalled(Fact, tag=36):
    """What a refit found takes the place of what the models had learnt; every annotation that counts at this
    moment is applied to it again."""

    version: int
    """1 for the first, then always one more."""
    fitted_through: int
    """Sequence of the batch through which the annotations were those that it was fitted to."""
    discounted: int
    """Workers whose answers did not count, then and now."""
    annotations: int
    """How many labels it was fitted to, of all fields."""
    digest: bytes
    """Names the numbers."""
    fields: tuple[FittedField, ...]


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
)

PROJECT_EVENTS: tuple[type[Fact], ...] = ProjectEvent.__args__
