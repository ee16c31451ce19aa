"""One project in a shard, with workers and tasks, and short words for what people do in it."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.engine import ORGANISATION, TENANT, Engine

from crowdroute.router.commands import Reply
from crowdroute.router.commands.organisation import ChangeWorkerStatus, UpsertWorker
from crowdroute.router.commands.project import (
    AddTasks,
    ApplyRules,
    CreateProject,
    NewTask,
    ProjectCommand,
    RequestNext,
    SkipAssignment,
    SubmitAnswer,
)
from crowdroute.router.commands.replies import Granted, Imported, Received
from crowdroute.router.errors import Refusal
from crowdroute.router.events import Event
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.answers import Answer, Choice
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import (
    Field,
    GoldPlan,
    Label,
    LeaseTerms,
    Overlap,
    Prices,
    ProjectRules,
    Routing,
)
from crowdroute.router.model.states import Purpose, Stage, WorkerStatus
from crowdroute.router.state.project import Project
from crowdroute.router.state.tables import Tasks
from crowdroute.workers.status import StatusReason

CROWD, SENIOR, EXPERT = (Stage.CROWD,), (Stage.SENIOR,), (Stage.EXPERT,)
YES, NO, UNSURE = ((Choice(0, code),) for code in range(3))
LABELS = (Label("yes"), Label("no"), Label("unsure"))


def make_rules(**parts: object) -> ProjectRules:
    """One question with three labels, two to three answers, no gold by chance, everything paid."""
    given: dict[str, object] = {
        "version": 1,
        "fields": (Field("label", LABELS),),
        "overlap": Overlap(2, 3),
        "lease": LeaseTerms(attempts=3),
        "gold": GoldPlan(share=0.0, first=0),
        "prices": Prices(20_000, 50_000, 90_000),
        "routing": Routing("fifo"),
        **parts,
    }
    return ProjectRules(**given)  # type: ignore[arg-type]  # fields by name, of many types


class Desk(Engine):
    """An engine whose commands go to one project unless another stream is named."""

    def __init__(self, **rules: object) -> None:
        """Begin a project under these rules (see `make_rules`)."""
        super().__init__()
        self.project = self.new_id()
        self.stream = project_stream(TENANT, self.project)
        self.send_to(self.stream, CreateProject(self.project, "birds", make_rules(**rules)))

    @property
    def machine(self) -> ProjectMachine:
        """The project's machine."""
        return self.shard.project(TENANT, self.project)

    @property
    def state(self) -> Project:
        """What the project's events were folded into."""
        return self.machine.state

    @property
    def tasks(self) -> Tasks:
        """The project's tasks."""
        return self.state.tasks

    def send(self, command: ProjectCommand, **how: object) -> Reply:
        """Carry out a command of the project."""
        return self.send_to(self.stream, command, **how)

    def gives(self, command: ProjectCommand, **how: object) -> list[Event]:
        """Carry out a command and give what it brought about, in all streams."""
        length = len(self.entries)
        self.send(command, **how)
        return [event for entry in self.entries[length:] for event in entry.events]

    def refuses(self, command: ProjectCommand, error: type[Refusal], **how: object) -> Refusal:
        """Give the refusal of a command, sure that it changed nothing."""
        return self.refusal_from(self.stream, command, error, **how)

    # Who and what there is

    def worker(self, stages: Iterable[Stage] = CROWD, person: Id = NO_ID, **fields: object) -> Id:
        """Make a worker known to the organisation; the project hears of them when they ask for work."""
        worker = self.new_id()
        self.send_to(ORGANISATION, UpsertWorker(worker, person, NO_ID, stages=tuple(stages), **fields))
        return worker

    def workers(self, count: int) -> list[Id]:
        """Make several crowd workers known."""
        return [self.worker() for _ in range(count)]

    def ban(self, worker: Id) -> None:
        """Ban a worker in the organisation, for misconduct."""
        reason = StatusReason.MISCONDUCT.value
        self.send_to(ORGANISATION, ChangeWorkerStatus(worker, WorkerStatus.BANNED, reason))

    def task(self, **fields: object) -> Id:
        """Open one task on a new item."""
        return self.send(AddTasks((self.row(**fields),))).rows[0].task

    def gold(self, answer: Answer = YES, **fields: object) -> Id:
        """Open one task with a known answer."""
        return self.task(purpose=Purpose.GOLD, gold=answer, **fields)

    def row(self, **fields: object) -> NewTask:
        """Describe a task on a new item."""
        given = {"item": self.new_id(), "task": self.new_id(), "digest": b"d" * 16, **fields}
        return NewTask(**given)

    def add(self, *rows: NewTask) -> Imported:
        """Open tasks in one import."""
        return self.send(AddTasks(rows))

    # What workers do

    def take(self, worker: Id) -> Granted:
        """Have a worker given one task; there must be one."""
        (lease,) = self.send(RequestNext(worker)).leases
        return lease

    def submit(self, worker: Id, lease: Granted, answer: Answer = YES) -> Received:
        """Answer a lease."""
        return self.send(SubmitAnswer(worker, lease.assignment, lease.fence, answer))

    def answer(self, worker: Id, answer: Answer = YES) -> Granted:
        """Have a worker given one task and answer it."""
        lease = self.take(worker)
        self.submit(worker, lease, answer)
        return lease

    def skip(self, worker: Id) -> Granted:
        """Have a worker given one task and skip it."""
        lease = self.take(worker)
        self.send(SkipAssignment(worker, lease.assignment, lease.fence, "too hard"))
        return lease

    # How things stand

    def row_of(self, lease: Granted) -> int:
        """Give the row of an assignment."""
        return self.state.assignment(lease.assignment)

    def task_row(self, task: Id) -> int:
        """Give the row of a task."""
        return self.state.task(task)

    def change_rules(self, **parts: object) -> list[Event]:
        """Apply the next version of the rules and give all that follows at once."""
        length = len(self.entries)
        self.send(ApplyRules(make_rules(version=self.state.rules.version + 1, **parts)))
        self.wait()
        return [event for entry in self.entries[length:] for event in entry.events]
