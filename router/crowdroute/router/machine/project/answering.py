"""Decide about answers: submit, amend, withdraw, and what follows for reviews, pay and the task."""

from __future__ import annotations

from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.replies import Received
from crowdroute.router.errors import KeyReused, LeaseEnded
from crowdroute.router.events import project as facts
from crowdroute.router.machine.project.fold_answers import answer_hash
from crowdroute.router.machine.project.guards import (
    full_answer,
    given_reason,
    is_barred,
    open_annotation,
    own_assignment,
)
from crowdroute.router.machine.project.money import piece_entry, take_back
from crowdroute.router.machine.project.reviewing import conclude_reviews, consider_review
from crowdroute.router.machine.project.settling import CHANGED, consequence, repair
from crowdroute.router.machine.stream import Decision
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.model.states import AssignmentState, Receipt, Review, Revision, Stage, TaskState
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

# Looking up an enum's member is slow, and every answer asks for these.
_NOT_ANSWERED, _COUNTED, _REFUSED = Receipt.NONE, Receipt.COUNTED, Receipt.REFUSED
_ACTIVE, _OPEN, _CROWD, _EXPERT = AssignmentState.ACTIVE, TaskState.OPEN, Stage.CROWD, Stage.EXPERT
_GIVEN_BACK = (AssignmentState.SKIPPED, AssignmentState.RELEASED)
_CHECKED = frozenset({int(Review.PASSED), int(Review.FAILED)})
_RECEIPTS = {int(receipt): receipt for receipt in Receipt}


def submit(state: Project, wish: wishes.SubmitAnswer, now_us: int, entropy: Id) -> Decision:
    """Take an answer in, once per assignment; the same answer again gets the same reply."""
    row = own_assignment(state, wish.worker, wish.assignment, wish.fence)
    table = state.assignments
    if table.receipt[row] != _NOT_ANSWERED:
        return _repeated(state, row, wish)
    now = table.state[row]
    if now in _GIVEN_BACK:
        text, name = to_text(Kind.ASSIGNMENT, wish.assignment), AssignmentState(now).name
        raise LeaseEnded(f"{text} was {name.lower()}; its answer is not wanted any more", {"state": name})
    full_answer(state, wish.answer, table.rules_version[row])
    receipt, reason = _receipt(state, row, now, now_us)
    yield facts.AnswerSubmitted(
        assignment=wish.assignment,
        answer=wish.answer,
        receipt=receipt,
        reason=reason,
        late=now != _ACTIVE,
        active_ms=wish.active_ms,
        comment=wish.comment,
        flags=wish.flags,
    )
    if receipt is not _REFUSED:
        entry = piece_entry(state, row, wish.assignment, wish.worker)
        if entry is not None:
            yield entry
    if receipt is _COUNTED:
        if table.stage[row] != _CROWD:
            yield from conclude_reviews(state, row)
        elif state.rules.review.threshold or state.rules.review.share:
            yield from consider_review(state, row, entropy)
    follows = consequence(state, table.task[row])
    if follows is not None:
        yield follows
    return _received(state, row)


def _receipt(state: Project, row: int, now: int, now_us: int) -> tuple[Receipt, str]:
    """Say how an answer is taken in, and why not counted if it is not.

    Whether a late answer is accepted depends on when it comes, and on nothing that is different for a task
    with a known answer, which has no slots and is never decided: a refusal would tell what is gold.
    """
    table = state.assignments
    task, worker = table.task[row], table.worker[row]
    standing = state.tasks.state[task]
    if now == _ACTIVE:
        return (_COUNTED, "") if standing == _OPEN else (Receipt.SURPLUS, "TASK_DECIDED")
    if now == AssignmentState.REVOKED or is_barred(state, worker):
        return _REFUSED, "LEASE_REVOKED"
    if standing == TaskState.CANCELLED:
        return _REFUSED, "TASK_CLOSED"
    if now_us > table.deadline_us[row] + state.rules_at(table.rules_version[row]).lease.duration_us:
        return _REFUSED, "TOO_LATE"
    if state.tasks.purpose[task] in WITH_KNOWN_ANSWER:
        return _COUNTED, ""
    if standing not in (_OPEN, TaskState.PARKED):
        return Receipt.SURPLUS, "TASK_DECIDED"
    if state.has_room(task, table.stage[row]):
        return _COUNTED, ""
    return Receipt.SURPLUS, "SLOT_TAKEN"


def _repeated(state: Project, row: int, wish: wishes.SubmitAnswer) -> Received:
    if state.assignments.submitted[row] != answer_hash(wish.answer):
        text = to_text(Kind.ASSIGNMENT, wish.assignment)
        raise KeyReused(
            f"{text} was answered before with another answer; use Amend to change it", {"assignment": text}
        )
    return _received(state, row)


def _received(state: Project, row: int) -> Received:
    table = state.assignments
    receipt = _RECEIPTS[table.receipt[row]]
    return Received(
        receipt=receipt,
        reason=state.reasons.values[table.reason[row]],
        price_micros=0 if receipt is _REFUSED else table.price_micros[row],
    )


def amend(state: Project, wish: wishes.AmendAnswer, now_us: int) -> Decision:
    """Put another answer in the place of an accepted one; the result follows if there is one already.

    Where somebody has checked the answer before, theirs goes on counting and the new one is only kept.
    """
    row = open_annotation(state, wish.worker, wish.assignment, wish.fence, now_us)
    table = state.assignments
    full_answer(state, wish.answer, table.rules_version[row])
    checked = table.review[row] in _CHECKED
    yield facts.AnswerAmended(wish.assignment, Revision.AMENDED, wish.answer, checked)
    if table.receipt[row] == _COUNTED and not checked:
        yield from repair(state, table.task[row], CHANGED)
    return _received(state, row)


def withdraw(state: Project, wish: wishes.WithdrawAnswer, now_us: int) -> Decision:
    """Take an accepted answer back, and its pay with it; the result follows if there is one already."""
    row = open_annotation(state, wish.worker, wish.assignment, wish.fence, now_us)
    reason = given_reason(wish.reason)
    yield facts.AnswerWithdrawn(wish.assignment, reason)
    yield from take_back(state, row)
    if state.assignments.receipt[row] == _COUNTED:
        yield from repair(state, state.assignments.task[row], CHANGED)
    return _received(state, row)
