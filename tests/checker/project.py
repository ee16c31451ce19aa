"""The checker's own picture of one project: plain dictionaries, and counts made anew each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.checker.layout import (
    COUNTED,
    CROWD,
    EXPERT,
    KNOWN_ANSWER,
    NO_ID,
    OPEN,
    SENIOR,
    Facts,
    Requirement,
    Rules,
)

ACTIVE, SUBMITTED, SKIPPED, RELEASED, EXPIRED, REVOKED, KEPT = (
    "active",
    "submitted",
    "skipped",
    "released",
    "expired",
    "revoked",
    "refused",
)
"""KEPT: the answer was refused and kept, and the assignment is over for good."""

Complain = Callable[[str, str], None]
"""Takes a rule's name and a sentence; the place is known to whoever reads the history."""


KnownFacts = dict[bytes, dict[int, Facts]]
"""By worker, each version of their facts that an organisation's stream held so far; shared by all streams."""


def short(identity: bytes) -> str:
    """Give enough of an id to find it in a log."""
    return identity.hex()[:12]


@dataclass
class Assignment:
    """A right that was given, and what became of it."""

    id: bytes
    task: bytes
    worker: bytes
    person: bytes
    stage: int
    fence: int
    deadline_us: int
    price_micros: int
    rules_version: int
    state: str = ACTIVE
    receipt: int = 0
    """0 until an answer came."""
    answer: dict[int, int] = field(default_factory=dict)
    withdrawn: bool = False
    discounted: bool = False
    review_open: bool = False
    checked: bool = False
    """A senior or expert has looked at its answer."""

    @property
    def live(self) -> bool:
        """Whether the lease runs."""
        return self.state == ACTIVE

    @property
    def counted(self) -> bool:
        """Whether its answer counts towards the result."""
        return self.receipt == COUNTED and not self.withdrawn and not self.discounted

    @property
    def holds_slot(self) -> bool:
        """Whether it occupies a slot: a live lease, a counted answer, or one that was discounted and kept."""
        return (
            self.live or self.counted or (self.discounted and not self.withdrawn and self.receipt == COUNTED)
        )


@dataclass
class Task:
    """One round of work on an item."""

    id: bytes
    item: bytes
    round: int
    purpose: int
    requirement: Requirement
    allow: frozenset[bytes]
    deny: frozenset[bytes]
    planned: Counter[int]
    state: int = OPEN
    revision: int = 0
    escalated: bool = False
    """The crowd is done and an expert was asked; re-opening for more crowd answers ends it."""
    assignments: list[Assignment] = field(default_factory=list)

    @property
    def exempt(self) -> bool:
        """Whether overlap does not bind it."""
        return self.purpose in KNOWN_ANSWER

    def held(self, stage: int) -> int:
        """Count the slots of a stage that are taken."""
        return sum(1 for one in self.assignments if one.stage == stage and one.holds_slot)

    def counted(self, *stages: int) -> int:
        """Count the answers at these stages that count."""
        return sum(1 for one in self.assignments if one.stage in stages and one.counted)


@dataclass
class Project:
    """One project's stream as far as it was read."""

    complain: Complain
    facts: KnownFacts = field(default_factory=dict)
    """What the organisations of the history say of workers."""
    id: bytes = NO_ID
    now_us: int = 0
    paused: bool = False
    model_version: int = 0
    """Of the refit that was installed last."""
    refit_due: int = 0
    """Version of the refit that fell due and was not installed yet."""
    refit_since_us: int = 0
    """When the last one, or the schedule, came into force."""
    rules: Rules | None = None
    rules_by_version: dict[int, Rules] = field(default_factory=dict)
    workers: dict[bytes, Facts] = field(default_factory=dict)
    items: dict[bytes, bool] = field(default_factory=dict)
    """Every item, and whether it was erased."""
    tasks: dict[bytes, Task] = field(default_factory=dict)
    tasks_of_item: dict[bytes, list[Task]] = field(default_factory=dict)
    assignments: dict[bytes, Assignment] = field(default_factory=dict)
    live: dict[bytes, Assignment] = field(default_factory=dict)
    """The assignments whose lease runs, so that an outage and the end of a history need not search."""
    live_of_worker: Counter[bytes] = field(default_factory=Counter)
    counted_of_worker: dict[bytes, list[Assignment]] = field(default_factory=dict)
    """Answers that were counted when they came; some may count no more."""
    discounted_workers: set[bytes] = field(default_factory=set)
    severed: set[bytes] = field(default_factory=set)
    entries: dict[bytes, Any] = field(default_factory=dict)
    """Ledger entries by id."""
    paid_for: Counter[bytes] = field(default_factory=Counter)
    """Sum of a worker's entries by assignment."""
    bonuses: set[tuple[bytes, str, int]] = field(default_factory=set)
    bonuses_decided: dict[tuple[bytes, str, int], Any] = field(default_factory=dict)
    balances: Counter[tuple[bytes, str]] = field(default_factory=Counter)
    counters: Counter[str] = field(default_factory=Counter)

    def task(self, identity: bytes) -> Task | None:
        """Give a task, complaining when it was never opened."""
        task = self.tasks.get(identity)
        if task is None:
            self.complain("unknown-thing", f"task {short(identity)} was never opened")
        return task

    def assignment(self, identity: bytes) -> Assignment | None:
        """Give an assignment, complaining when it was never granted."""
        assignment = self.assignments.get(identity)
        if assignment is None:
            self.complain("unknown-thing", f"assignment {short(identity)} was never granted")
        return assignment

    def end_lease(self, assignment: Assignment, state: str) -> None:
        """Note that a lease does not run any more."""
        if assignment.live:
            self.live.pop(assignment.id, None)
            self.live_of_worker[assignment.worker] -= 1
        assignment.state = state

    def check_slots(self, task: Task, stage: int) -> None:
        """Complain when more of a stage's slots are taken than were planned."""
        held = task.held(stage)
        if not task.exempt and held > task.planned[stage]:
            self.complain(
                "slots",
                f"task {short(task.id)} has {held} live leases, counted and discounted answers at stage"
                f" {stage},"
                f" and {task.planned[stage]} slots planned",
            )

    def raise_planned(self, task: Task, stage: int, added: int) -> None:
        """Plan more slots, complaining about fewer."""
        if added < 0:
            self.complain(
                "planned-falls", f"task {short(task.id)} loses {-added} planned slots at stage {stage}"
            )
        if stage not in (CROWD, SENIOR, EXPERT):
            self.complain("unknown-thing", f"there is no stage {stage}")
        task.planned[stage] += added


def raise_to_maximum(project: Project, maximum: int) -> None:
    """Plan what the rules allow at most for every open task of the crowd that has fewer slots."""
    for task in project.tasks.values():
        if task.state == OPEN and 0 < task.planned[CROWD] < maximum and not task.exempt:
            task.planned[CROWD] = maximum
