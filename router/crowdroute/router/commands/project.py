"""Requests to one project's stream."""

from __future__ import annotations

from crowdroute.router.commands.base import Wish
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.facts import Requirement, WorkerFacts
from crowdroute.router.model.fitted import FittedField
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import Purpose, Stage


class CreateProject(Wish, tag="CreateProject"):
    """Begin a project's stream; its registration in the organisation comes first."""

    project: Id
    name: str
    rules: ProjectRules


class BeginProject(Wish, tag="BeginProject"):
    """Begin a project's stream that the organisation, in another shard, awaits; begun already, it changes
    nothing."""

    project: Id
    name: str
    rules: ProjectRules


class ApplyRules(Wish, tag="ApplyRules"):
    """Make these rules the current ones; the version must be the next."""

    rules: ProjectRules


class PauseProject(Wish, tag="PauseProject"):
    """Hand out nothing for now."""

    reason: str


class ResumeProject(Wish, tag="ResumeProject"):
    """Hand out tasks again."""


class ApplyWorkerFact(Wish, tag="ApplyWorkerFact"):
    """Take over a worker's facts from the organisation stream; an older version than known changes
    nothing."""

    facts: WorkerFacts


class NewTask(Wish, tag="NewTask"):
    """One task to open, with its item when that is new."""

    item: Id
    task: Id
    external: Id = NO_ID
    digest: bytes = b""
    """Keyed digest of the content; empty means that the item exists already."""
    purpose: Purpose = Purpose.PRODUCTION
    batch: str = ""
    priority: int = 0
    deadline_us: int = 0
    capability: str = ""
    requirement: Requirement = Requirement()
    allow: tuple[Id, ...] = ()
    deny: tuple[Id, ...] = ()
    gold: Answer = ()


class AddTasks(Wish, tag="AddTasks"):
    """Open tasks in bulk; rows whose external id is known already are left as they are and told."""

    tasks: tuple[NewTask, ...]


class CancelTask(Wish, tag="CancelTask"):
    """Stop work on a task for good."""

    task: Id
    reason: str


class ReopenTask(Wish, tag="ReopenTask"):
    """Take answers again on a parked or finalised task."""

    task: Id
    reason: str
    added: int = 1
    """Crowd answers wanted in addition."""


class CorrectResult(Wish, tag="CorrectResult"):
    """Publish another result for a finalised task."""

    task: Id
    answer: Answer
    reason: str


class RequestNext(Wish, tag="RequestNext"):
    """Give a worker up to `count` tasks."""

    worker: Id
    count: int = 1
    locale: str = ""


class ExtendLease(Wish, tag="ExtendLease"):
    """Renew a lease: the worker is still at it."""

    worker: Id
    assignment: Id
    fence: int


class ReleaseLease(Wish, tag="ReleaseLease"):
    """Give a task back unanswered."""

    worker: Id
    assignment: Id
    fence: int


class SkipAssignment(Wish, tag="SkipAssignment"):
    """Decline to answer, with a reason."""

    worker: Id
    assignment: Id
    fence: int
    reason: str
    problem: bool = False
    comment: bytes = b""


class ReportProblem(Wish, tag="ReportProblem"):
    """Say that a task is broken and keep the lease."""

    worker: Id
    assignment: Id
    fence: int
    reason: str
    comment: bytes = b""


class SubmitAnswer(Wish, tag="SubmitAnswer"):
    """Answer a task; the assignment itself is the idempotency key, for ever."""

    worker: Id
    assignment: Id
    fence: int
    answer: Answer
    active_ms: int = 0
    comment: bytes = b""
    flags: tuple[str, ...] = ()


class AmendAnswer(Wish, tag="AmendAnswer"):
    """Change an answer that was counted, while its task is open."""

    worker: Id
    assignment: Id
    fence: int
    answer: Answer


class WithdrawAnswer(Wish, tag="WithdrawAnswer"):
    """Take a counted answer back, while its task is open."""

    worker: Id
    assignment: Id
    fence: int
    reason: str


class SaveDraft(Wish, tag="SaveDraft"):
    """Keep unfinished work with the lease."""

    worker: Id
    assignment: Id
    fence: int
    digest: bytes


class RevokeLease(Wish, tag="RevokeLease"):
    """Take a live lease away (an operator's act)."""

    assignment: Id
    reason: str


class DiscountWorker(Wish, tag="DiscountWorker"):
    """Let none of a worker's answers count, and repair every task touched."""

    worker: Id
    reason: str


class RequestReview(Wish, tag="RequestReview"):
    """Have one annotation checked at the senior stage (an operator's act)."""

    assignment: Id
    reason: str


class EscalateTask(Wish, tag="EscalateTask"):
    """Ask an expert now (an operator's act)."""

    task: Id
    reason: str


class EraseItem(Wish, tag="EraseItem"):
    """Delete an item's content and everything written about it."""

    item: Id
    reason: str


class SeverPerson(Wish, tag="SeverPerson"):
    """Delete what a person wrote in this project (follows an erasure in the organisation stream)."""

    person: Id


class NoteOutage(Wish, tag="NoteOutage"):
    """Extend every live lease by the time the engine was away."""

    length_us: int


class InstallModel(Wish, tag="InstallModel"):
    """Take over what a refit found; refused when what it was fitted to no longer holds."""

    version: int
    """The next one after the version that it began from."""
    fitted_through: int
    discounted: int
    """Workers whose answers did not count when it was fitted."""
    annotations: int
    digest: bytes
    fields: tuple[FittedField, ...]


ProjectCommand = (
    CreateProject
    | BeginProject
    | ApplyRules
    | PauseProject
    | ResumeProject
    | ApplyWorkerFact
    | AddTasks
    | CancelTask
    | ReopenTask
    | CorrectResult
    | RequestNext
    | ExtendLease
    | ReleaseLease
    | SkipAssignment
    | ReportProblem
    | SubmitAnswer
    | AmendAnswer
    | WithdrawAnswer
    | SaveDraft
    | RevokeLease
    | DiscountWorker
    | RequestReview
    | EscalateTask
    | EraseItem
    | SeverPerson
    | NoteOutage
    | InstallModel
)

PROJECT_COMMANDS: tuple[type[Wish], ...] = ProjectCommand.__args__

STAGES = (Stage.EXPERT, Stage.SENIOR, Stage.CROWD)
"""The order in which a worker who may work at several stages is served: checks first, since results wait for
them."""
