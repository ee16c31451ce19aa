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
from crowdroute.router.model.states import AssignmentState, Receipt, Revision, Stage, TaskState
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

# Looking up an enum's member is slow, and every answer asks for these.
_NOT_ANSWERED, _COUNTED, _REFUSED = Receipt.NONE, Receipt.COUNTED, Receipt.REFUSED
_ACTIVE, _OPEN, _CROWD, _EXPERT = AssignmentState.ACTIVE, TaskState.OPEN, Stage.CROWD, Stage.EXPERT
_GIVEN_BACK = (AssignmentState.SKIPPED, AssignmentState.RELEASED)
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
    receipt, reason = _receipt(state, row, now)
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


def _receipt(state: Project, row: int, now: int) -> tuple[Receipt, str]:
    """Say how an answer is taken in, and why not counted if it is not."""
    task, stage = state.assignments.task[row], state.assignments.stage[row]
    worker = state.assignments.worker[row]
    standing = state.tasks.state[task]
    if now == _ACTIVE:
        return (_COUNTED, "") if standing == _OPEN else (Receipt.SURPLUS, "TASK_DECIDED")
    if now == AssignmentState.REVOKED or is_barred(state, worker):
        return Receipt.REFUSED, "LEASE_REVOKED"
    if standing not in (_OPEN, TaskState.PARKED):
        return Receipt.REFUSED, "TASK_CLOSED"
    if state.tasks.purpose[task] in WITH_KNOWN_ANSWER or state.has_room(task, stage):
        return Receipt.COUNTED, ""
    return Receipt.REFUSED, "SLOT_TAKEN"


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
    """Put another answer in the place of a counted one; the result follows if there is one already."""
    row = open_annotation(state, wish.worker, wish.assignment, wish.fence, now_us)
    full_answer(state, wish.answer, state.assignments.rules_version[row])
    yield facts.AnswerAmended(wish.assignment, Revision.AMENDED, wish.answer)
    yield from repair(state, state.assignments.task[row], CHANGED)
    return _received(state, row)


def withdraw(state: Project, wish: wishes.WithdrawAnswer, now_us: int) -> Decision:
    """Take a counted answer back, and its pay with it; the result follows if there is one already."""
    row = open_annotation(state, wish.worker, wish.assignment, wish.fence, now_us)
    reason = given_reason(wish.reason)
    yield facts.AnswerWithdrawn(wish.assignment, reason)
    yield from take_back(state, row)
    yield from repair(state, state.assignments.task[row], CHANGED)
    return _received(state, row)
