"""Checks that several commands begin with; each refuses or gives the row it looked up."""

from __future__ import annotations

from crowdroute.router.errors import (
    InvalidCommand,
    LeaseEnded,
    NotEligible,
    NotYourLease,
    StaleLease,
    UnknownLabel,
    WrongState,
)
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.ids import ID_BYTES, NO_ID, Id, Kind, to_text
from crowdroute.router.model.states import (
    AssignmentState,
    Receipt,
    Revision,
    Stage,
    TaskState,
    WorkerStatus,
)
from crowdroute.router.state.project import Project
from crowdroute.workers.status import may_lease

FREQUENT_ANSWERS = 4096
"""Answers known to be sound under the rules as they are: people choose from a few labels."""

_ACCEPTED = frozenset({int(Receipt.COUNTED), int(Receipt.SURPLUS)})

AT_WORK = frozenset(int(status) for status in WorkerStatus if may_lease(status))
"""Statuses that may be given work, as the tables hold them."""


def require_id(field: str, identity: Id, optional: bool = False) -> None:
    """See that bytes are an id that something new may have (all zero means none, where that is allowed).

    Raises:
        InvalidCommand: they are not.
    """
    if len(identity) != ID_BYTES or (identity == NO_ID and not optional):
        none = ", all zero for none" if optional else " and not all zero"
        raise InvalidCommand(f"{field} must be {ID_BYTES} bytes{none}", {"field": field})


def own_assignment(state: Project, worker: Id, assignment: Id, fence: int) -> int:
    """Give the row of an assignment that is this worker's and was granted with this fence.

    Raises:
        NotFound: there is no such assignment.
        NotYourLease: it is another worker's.
        StaleLease: the fence is not the one it was granted with.
    """
    row = state.assignment(assignment)
    if state.assignments.worker[row] != state.workers.find(worker):
        text = to_text(Kind.ASSIGNMENT, assignment)
        raise NotYourLease(
            f"{text} was granted to another worker; ask for work of your own with Next", {"assignment": text}
        )
    if state.assignments.fence[row] != fence:
        text = to_text(Kind.ASSIGNMENT, assignment)
        raise StaleLease(
            f"{text} was granted with another fence; send back the one that came with the offer",
            {"assignment": text},
        )
    return row


def live_lease(state: Project, worker: Id, assignment: Id, fence: int) -> int:
    """Give the row of a live lease of this worker.

    Raises:
        LeaseEnded: the lease is over.
        NotFound, NotYourLease, StaleLease: as `own_assignment`.
    """
    row = own_assignment(state, worker, assignment, fence)
    now = AssignmentState(state.assignments.state[row])
    if now is not AssignmentState.ACTIVE:
        text = to_text(Kind.ASSIGNMENT, assignment)
        raise LeaseEnded(
            f"the lease of {text} is over ({now.name.lower()}); ask for other work with Next",
            {"assignment": text, "state": now.name},
        )
    return row


def working(state: Project, worker: Id) -> int:
    """Give the row of a worker who may be given work.

    Raises:
        NotFound: the project does not know the worker.
        NotEligible: the worker is paused, banned or discounted.
    """
    row = state.worker(worker)
    discounted, severed = state.workers.discounted[row], state.workers.person[row] in state.severed
    if discounted or severed or state.workers.status[row] not in AT_WORK:
        status = WorkerStatus(state.workers.status[row])
        standing = "erased" if severed else "discounted" if discounted else status.name.lower()
        raise NotEligible(
            f"{to_text(Kind.WORKER, worker)} is {standing} and is given no work; an operator can change that",
            {"worker": to_text(Kind.WORKER, worker), "state": standing.upper()},
        )
    return row


def is_barred(state: Project, worker: int) -> bool:
    """Say whether nothing that the worker still sends is counted: discounted, banned, or forgotten."""
    workers = state.workers
    return bool(
        workers.discounted[worker]
        or workers.status[worker] == WorkerStatus.BANNED
        or workers.person[worker] in state.severed
    )


def full_answer(state: Project, answer: Answer, shown: int = 0) -> None:
    """See that an answer gives every field one of its labels; only those of rules version `shown`, if given,
    must be there, since nobody answers what they were not asked.

    Raises:
        UnknownLabel: a field or label is not in the schema, or the label was removed.
        InvalidCommand: a field is missing or answered twice.
    """
    sound = state.sound_answers
    if (answer, shown) in sound:
        return
    fields = state.rules.fields
    seen = 0
    for value in answer:
        place = value.field
        if not 0 <= place < len(fields):
            raise UnknownLabel(
                f"the answer names field number {place}, but the schema has {len(fields)} fields",
                {"field": str(place)},
            )
        field = fields[place]
        if not 0 <= value.label < len(field.labels) or field.labels[value.label].removed:
            allowed = ", ".join(label.id for label in field.labels if not label.removed)
            raise UnknownLabel(
                f"field {field.id!r} has no label number {value.label}; its labels are: {allowed}",
                {"field": field.id},
            )
        if seen >> place & 1:
            raise InvalidCommand(f"field {field.id!r} is answered twice", {"field": field.id})
        seen |= 1 << place
    asked = state.rules_at(shown).fields if shown else fields
    every = (1 << len(asked)) - 1
    if seen & every != every:
        missing = ", ".join(repr(field.id) for place, field in enumerate(asked) if not seen >> place & 1)
        raise InvalidCommand(f"not answered: {missing}", {"field": missing})
    if len(sound) >= FREQUENT_ANSWERS:
        sound.clear()
    sound.add((answer, shown))


def open_annotation(state: Project, worker: Id, assignment: Id, fence: int, now_us: int) -> int:
    """Give the row of an accepted annotation of this worker that may still be changed.

    It may for as long after the answer as a lease lasts. Whether it counts, was checked, or its task is
    decided makes no difference to the crowd, who could tell hidden gold from work otherwise: gold always
    counts, and is never checked or decided. A senior's or expert's answer stands once its task is decided.

    Raises:
        WrongState: nothing was accepted, the time is over, nothing of the worker counts any more, or it is a
            check of a task that is closed.
        NotFound, NotYourLease, StaleLease: as `own_assignment`.
    """
    row = own_assignment(state, worker, assignment, fence)
    text = to_text(Kind.ASSIGNMENT, assignment)
    table = state.assignments
    terms = state.rules_at(table.rules_version[row]).lease
    decided = state.tasks.state[table.task[row]] != TaskState.OPEN and table.stage[row] != Stage.CROWD
    if table.receipt[row] not in _ACCEPTED or table.revision[row] == Revision.WITHDRAWN:
        raise WrongState(f"{text} has no accepted answer to change", {"assignment": text})
    over = now_us > table.answered_us[row] + terms.duration_us
    if over or decided or is_barred(state, table.worker[row]):
        raise WrongState(
            f"the answer of {text} can no longer be changed", {"assignment": text, "state": "CLOSED"}
        )
    return row


def given_reason(reason: str) -> str:
    """Give the reason back, when there is one.

    Raises:
        InvalidCommand: it is empty or longer than 200 characters.
    """
    if not reason.strip() or len(reason) > 200:
        raise InvalidCommand("a reason of 1 to 200 characters is needed", {"field": "reason"})
    return reason
