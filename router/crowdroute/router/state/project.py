"""Everything a project's stream is folded to, and how to look things up in it; nothing here decides or
folds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NoReturn

from crowdroute.router.errors import NotFound
from crowdroute.router.model.answers import Answer, FieldResult
from crowdroute.router.model.facts import Requirement, WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import (
    AssignmentState,
    ProjectState,
    Purpose,
    Receipt,
    Revision,
    Stage,
    TaskState,
)
from crowdroute.router.state.interned import Interned
from crowdroute.router.state.matrix import Matrix
from crowdroute.router.state.models import Models
from crowdroute.router.state.refits import RefitSchedule
from crowdroute.router.state.tables import NONE, Assignments, Items, Results, Tasks, Workers
from crowdroute.router.timers import Deadlines

WITH_KNOWN_ANSWER = frozenset({Purpose.GOLD, Purpose.TRAINING, Purpose.QUALIFICATION})
"""Purposes whose tasks have a known answer, take any number of workers, once each, and never get a result."""

IN_POSTERIOR = frozenset({Purpose.PRODUCTION, Purpose.AUDIT, Purpose.REVIEW})
"""Purposes whose answers speak about their task and teach the confusion matrices."""

BY_OVERLAP = frozenset({Purpose.PRODUCTION, Purpose.CALIBRATION, Purpose.REVIEW})
"""Purposes whose tasks get the slots of the rules' overlap, when they open and when new rules allow more."""

# Looking up an enum's member costs more than reading a cell; these are compared for every answer.
_ACTIVE, _COUNTED, _WITHDRAWN = AssignmentState.ACTIVE, Receipt.COUNTED, Revision.WITHDRAWN
_EXPERT = Stage.EXPERT

Signature = tuple[Requirement, str]
"""What a task asks of a worker, and the capability it draws on."""


def person_behind(given: WorkerFacts) -> Id:
    """Give whose annotations a worker's are: the person's, or their own where there is none (a model)."""
    return given.worker if given.person == NO_ID else given.person


class Project:
    """One project's state."""

    def __init__(self) -> None:
        """Make the state before the stream's first event."""
        self.project: Id = NO_ID
        self.name = ""
        self.state = ProjectState.ACTIVE
        self.last_us = 0
        self.rules: ProjectRules = ProjectRules(version=0, fields=())
        self.history: list[ProjectRules] = []
        self.items = Items()
        self.tasks = Tasks()
        self.assignments = Assignments()
        self.workers = Workers()
        self.results = Results()
        #: Label code per (assignment, field); -1 where nothing was answered.
        self.answers = Matrix("i2", -1)
        #: Label code per (result, field).
        self.labels = Matrix("i2", -1)
        #: Per field: probability per (result, label).
        self.probabilities: list[Matrix] = []
        self.models = Models()
        self.refits = RefitSchedule()
        self.facts: list[WorkerFacts | None] = []
        self.persons: Interned[Id] = Interned()
        self.batches: Interned[str] = Interned([""])
        self.capabilities: Interned[str] = Interned([""])
        self.signatures: Interned[Signature] = Interned()
        self.reasons: Interned[str] = Interned([""])
        self.known: list[Answer] = []
        #: Worker rows of all allow and deny lists, one list after the other.
        self.listed = Matrix("i4", NONE, width=1)
        self.listed_count = 0
        #: (worker row, rule, period) -> what is due for it: nothing where the rule only recommends.
        self.bonuses: dict[tuple[int, str, int], int] = {}
        #: (rule, period) -> whose bonus is not decided yet, with how many of their answers were right and how
        #: many were checked in it.
        self.active: dict[tuple[str, int], dict[int, tuple[int, int]]] = {}
        #: Why a parked task is parked, for those who look after it.
        self.parked: dict[int, str] = {}
        #: Free text of each correction, by result row.
        self.corrections: dict[int, str] = {}
        self.severed: set[int] = set()
        # Derived: rebuilt from the tables, never saved.
        self.deadlines = Deadlines(self.lease_deadline)
        self.repairs: deque[int] = deque()
        #: Answers that fit the rules as they are, with the version that their worker was shown.
        self.sound_answers: set[tuple[Answer, int]] = set()
        self.reexamine_from = NONE

    # Look-ups that refuse

    def item(self, identity: Id) -> int:
        """Give an item's row.

        Raises:
            NotFound: there is no such item.
        """
        row = self.items.find(identity)
        return row if row >= 0 else _missing(Kind.ITEM, identity)

    def task(self, identity: Id) -> int:
        """Give a task's row.

        Raises:
            NotFound: there is no such task.
        """
        row = self.tasks.find(identity)
        return row if row >= 0 else _missing(Kind.TASK, identity)

    def assignment(self, identity: Id) -> int:
        """Give an assignment's row.

        Raises:
            NotFound: there is no such assignment.
        """
        row = self.assignments.find(identity)
        return row if row >= 0 else _missing(Kind.ASSIGNMENT, identity)

    def worker(self, identity: Id) -> int:
        """Give the row of a worker whose facts are known here.

        Raises:
            NotFound: the worker's facts never reached this project.
        """
        row = self.workers.find(identity)
        return row if row >= 0 and self.workers.version[row] else _missing(Kind.WORKER, identity)

    # Reading

    def wanted(self, task: int, stage: int) -> bool:
        """Say whether the task takes another worker at this stage."""
        tasks = self.tasks
        if tasks.state[task] != TaskState.OPEN:
            return False
        if tasks.purpose[task] in WITH_KNOWN_ANSWER:
            return stage == Stage.CROWD
        if stage == Stage.CROWD and self.awaits_check(task):
            return False
        return self.has_room(task, stage)

    def awaits_check(self, task: int) -> bool:
        """Say whether the crowd has said enough, and only a check of an answer keeps the task open: one more
        answer before it is through would be bought for nothing."""
        tasks = self.tasks
        if not tasks.in_review[task]:
            return False
        counted = tasks.counted_crowd[task] + tasks.counted_senior[task]
        enough = counted >= max(self.rules.overlap.minimum, tasks.least[task])
        return enough and self.models.confidence(task) >= self.rules.stopping.target

    def has_room(self, task: int, stage: int) -> bool:
        """Say whether a slot of the stage that the task has reached is free."""
        escalated = self.tasks.stage[task] == _EXPERT
        return escalated == (stage == _EXPERT) and self.tasks.free(task, stage) > 0

    def lease_deadline(self, assignment: int) -> int:
        """Give the deadline of a live lease in microseconds, or -1 when the lease is over."""
        if self.assignments.state[assignment] == _ACTIVE:
            return self.assignments.deadline_us[assignment]
        return NONE

    def assignments_of_task(self, task: int) -> Iterator[int]:
        """Yield the task's assignments, newest first."""
        row = self.tasks.first_assignment[task]
        while row >= 0:
            yield row
            row = self.assignments.next_of_task[row]

    def assignments_of_worker(self, worker: int) -> Iterator[int]:
        """Yield the worker's assignments, newest first."""
        row = self.workers.first_assignment[worker]
        while row >= 0:
            yield row
            row = self.assignments.next_of_worker[row]

    def has_seen(self, worker: int, task: int) -> bool:
        """Say whether the worker's person was ever granted the task, through any of their workers."""
        person = self.workers.person[worker]
        return any(
            self.workers.person[self.assignments.worker[row]] == person
            for row in self.assignments_of_task(task)
        )

    def counts(self, assignment: int) -> bool:
        """Say whether the annotation is counted as it stands."""
        table = self.assignments
        return (
            table.receipt[assignment] == Receipt.COUNTED and table.revision[assignment] < Revision.WITHDRAWN
        )

    def allowed(self, task: int) -> list[int]:
        """Give the worker rows of the task's allow list; empty when everybody may."""
        return self._listed(self.tasks.allow_start[task], self.tasks.allow_count[task])

    def denied(self, task: int) -> list[int]:
        """Give the worker rows of the task's deny list."""
        return self._listed(self.tasks.deny_start[task], self.tasks.deny_count[task])

    def _listed(self, start: int, count: int) -> list[int]:
        return [int(row) for row in self.listed.values[start : start + count, 0]]

    def may_work_at(self, worker: int, stage: int) -> bool:
        """Say whether the worker's facts allow the stage."""
        return bool(self.workers.stages[worker] >> stage & 1)

    def price_micros(self, stage: int) -> int:
        """Give what an answer at this stage earns under the current rules."""
        prices = self.rules.prices
        return (prices.crowd_micros, prices.senior_micros, prices.expert_micros)[stage]

    def rules_at(self, version: int) -> ProjectRules:
        """Give the rules of an earlier version."""
        return self.history[version - 1]

    def answer_codes(self, assignment: int) -> list[int]:
        """Give the label code per field of an annotation."""
        return [int(code) for code in self.answers.values[assignment, : len(self.rules.fields)]]

    def counted_annotations(self, task: int) -> list[int]:
        """Give the assignments whose annotations speak about the task, newest first, experts apart."""
        table, rows = self.assignments, []
        row = self.tasks.first_assignment[task]
        while row >= 0:
            if (
                table.receipt[row] == _COUNTED
                and table.revision[row] < _WITHDRAWN
                and table.stage[row] != _EXPERT
            ):
                rows.append(row)
            row = table.next_of_task[row]
        return rows

    def result_fields(self, result: int) -> tuple[FieldResult, ...]:
        """Give label and probabilities, per field of the schema then, of a published result."""
        schema = self.rules_at(self.results.rules_version[result]).fields
        return tuple(
            FieldResult(
                place,
                int(self.labels.values[result, place]),
                tuple(self.probabilities[place].values[result, : len(field.labels)].tolist()),
            )
            for place, field in enumerate(schema)
        )


def _missing(kind: Kind, identity: Id) -> NoReturn:
    text, name = to_text(kind, identity), kind.name.lower()
    raise NotFound(f"{text} is not {'an' if name[0] in 'ai' else 'a'} {name} of this project", {name: text})
