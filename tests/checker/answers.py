"""What becomes of answers: receipts, revisions, discounts and reviews."""

from __future__ import annotations

from typing import Any

from tests.checker.layout import (
    COUNTED,
    EXPERT,
    MODE_ENFORCE,
    OPEN,
    PARKED,
    RECEIPT_NAMES,
    REFUSED,
    SENIOR,
    SURPLUS,
    TASK_STATE_NAMES,
    label_by_field,
)
from tests.checker.project import (
    ACTIVE,
    EXPIRED,
    KEPT,
    REVOKED,
    SUBMITTED,
    Assignment,
    Project,
    Task,
    short,
)

RECEIPTS_FROM = {
    ACTIVE: {COUNTED, SURPLUS},
    EXPIRED: {COUNTED, SURPLUS, REFUSED},
    REVOKED: {REFUSED},
}
"""Which receipts an answer may get, by what the assignment is when it comes; nothing else takes an answer."""

VERDICTS = {2: "passed", 3: "returned", 4: "failed"}


def answer_submitted(project: Project, event: Any) -> None:
    """An answer comes in once per assignment and is counted only while the task is open and its slot free; a
    late one also while the task is set aside."""
    receipt = RECEIPT_NAMES.get(event.receipt, "without receipt")
    project.counters["answers"] += 1
    project.counters[receipt] += 1
    assignment = project.assignment(event.assignment)
    if assignment is None:
        return
    if assignment.receipt:
        project.complain("answered-twice", f"assignment {short(assignment.id)} has an answer already")
    elif event.receipt not in RECEIPTS_FROM.get(assignment.state, set()):
        project.complain(
            "receipt",
            f"an answer for assignment {short(assignment.id)}, which is {assignment.state}, is {receipt}",
        )
    late = assignment.state in (EXPIRED, REVOKED)
    if bool(event.late) != late:
        project.complain(
            "receipt", f"an answer for a lease that is {assignment.state} is noted with late={event.late}"
        )
    check_answer(project, event.answer)
    task = project.tasks[assignment.task]
    state = TASK_STATE_NAMES[task.state]
    if event.receipt == COUNTED and task.state != OPEN and not (event.late and task.state == PARKED):
        project.complain(
            "counted-when-closed", f"an answer is counted although task {short(task.id)} is {state}"
        )
    if event.receipt == SURPLUS and (task.exempt or _takes_another(task, assignment, late)):
        project.complain(
            "surplus-when-open", f"an answer is surplus although task {short(task.id)} is {state}"
        )
    if event.receipt == REFUSED and not event.reason:
        project.complain(
            "receipt", f"the answer for assignment {short(assignment.id)} is refused without a reason"
        )
    project.end_lease(assignment, KEPT if event.receipt == REFUSED else SUBMITTED)
    assignment.receipt = event.receipt
    assignment.answer = label_by_field(event.answer)
    if event.receipt == COUNTED:
        project.counted_of_worker.setdefault(assignment.worker, []).append(assignment)
    project.check_slots(task, assignment.stage)


def _takes_another(task: Task, assignment: Assignment, late: bool) -> bool:
    """Say whether the task still takes this answer: it is open and, for a late one, a slot free."""
    if not late:
        return task.state == OPEN
    stage = assignment.stage
    reached = task.escalated == (stage == EXPERT)
    return task.state in (OPEN, PARKED) and reached and task.held(stage) < task.planned[stage]


def answer_amended(project: Project, event: Any) -> None:
    """An answer that was accepted is changed; one that was checked goes on counting as it was."""
    assignment = _accepted(project, event.assignment, "amended")
    if assignment is None:
        return
    check_answer(project, event.answer)
    if bool(event.checked) != assignment.checked:
        project.complain(
            "amended-when-checked",
            f"the answer of assignment {short(assignment.id)} is amended with checked={event.checked}",
        )
    if not event.checked:
        assignment.answer = label_by_field(event.answer)


def answer_withdrawn(project: Project, event: Any) -> None:
    """An answer that was accepted is taken back; the slot of one that counted is free again."""
    assignment = _accepted(project, event.assignment, "withdrawn")
    if assignment is not None:
        assignment.withdrawn = True
        assignment.review_open = False


def answer_discounted(project: Project, event: Any) -> None:
    """An answer no longer counts, keeps its slot, and a new one is planned for it."""
    assignment = _counted(project, event.assignment, "discounted")
    if assignment is None:
        return
    if assignment.worker not in project.discounted_workers:
        project.complain(
            "discount", f"an answer of worker {short(assignment.worker)} is discounted, but the worker is not"
        )
    assignment.discounted = True
    assignment.review_open = False
    project.tasks[assignment.task].planned[assignment.stage] += 1


def worker_discounted(project: Project, event: Any) -> None:
    """From here on nothing of the worker's may count in the end."""
    project.discounted_workers.add(event.worker)


def review_requested(project: Project, event: Any) -> None:
    """An answer is to be checked; when only recommended, nothing follows."""
    assignment = project.assignment(event.assignment)
    if assignment is None:
        return
    if not assignment.receipt:
        project.complain("review", f"assignment {short(assignment.id)} is to be reviewed and has no answer")
    if event.mode == MODE_ENFORCE:
        assignment.review_open = True
        assignment.checked = False


def review_concluded(project: Project, event: Any) -> None:
    """A review that was asked for is settled by a senior or expert answer to the same task."""
    assignment = project.assignment(event.assignment)
    by = project.assignment(event.by)
    if assignment is None or by is None:
        return
    if not assignment.review_open:
        project.complain("review", f"nobody asked for the review of assignment {short(assignment.id)}")
    if event.verdict not in VERDICTS:
        project.complain("review", f"{event.verdict} is no verdict")
    if by.task != assignment.task or by.stage not in (SENIOR, EXPERT) or not by.counted:
        project.complain(
            "review",
            f"assignment {short(by.id)} cannot settle the review of assignment {short(assignment.id)}",
        )
    assignment.review_open = False
    assignment.checked = True


def check_answer(project: Project, answer: Any) -> None:
    """Complain about fields and labels that the schema does not have, and fields answered twice."""
    if project.rules is None:
        return
    labels = project.rules.labels()
    if len(label_by_field(answer)) != len(answer):
        project.complain("answer", "one field is answered twice")
    for field, label in label_by_field(answer).items():
        if not (0 <= field < len(labels) and 0 <= label < len(labels[field])):
            project.complain("answer", f"the schema has no label {label} of field {field}")


def _accepted(project: Project, identity: bytes, what: str) -> Assignment | None:
    """Give an assignment whose answer was taken in and stands."""
    assignment = project.assignment(identity)
    if assignment is None:
        return None
    accepted = assignment.receipt in (COUNTED, SURPLUS) and not assignment.discounted
    if not accepted or assignment.withdrawn:
        project.complain(
            "not-accepted", f"the answer of assignment {short(identity)} is {what} and was not accepted"
        )
        return None
    return assignment


def _counted(project: Project, identity: bytes, what: str) -> Assignment | None:
    assignment = project.assignment(identity)
    if assignment is None:
        return None
    if not assignment.counted:
        project.complain(
            "not-counted", f"the answer of assignment {short(identity)} is {what} and does not count"
        )
        return None
    return assignment
