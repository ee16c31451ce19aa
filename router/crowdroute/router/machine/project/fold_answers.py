"""Apply what happens to answers: slots, the models behind the posteriors, evidence about workers, payment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import msgspec

from crowdroute.router.events import project as facts
from crowdroute.router.lifecycle import assignment_after
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.states import (
    EntryKind,
    Mode,
    Payment,
    Purpose,
    Receipt,
    Review,
    Revision,
    Stage,
)
from crowdroute.router.quality.reward import period_of
from crowdroute.router.state.models import Change
from crowdroute.router.state.project import IN_POSTERIOR, WITH_KNOWN_ANSWER, Project
from crowdroute.router.state.tables import NONE

# Looking up an enum's member is slow, and every answer asks for these.
_SUBMITTED, _REFUSED, _COUNTED = Revision.SUBMITTED, Receipt.REFUSED, Receipt.COUNTED
_PIECE, _DUE, _EXPERT = EntryKind.PIECE, Payment.DUE, Stage.EXPERT

FREQUENT_ANSWERS = 4096
"""Answers whose hash is remembered: people choose from a few labels, so most answers were given before."""


@lru_cache(maxsize=FREQUENT_ANSWERS)
def answer_hash(answer: Answer) -> int:
    """Give 63 bits that tell one submitted answer from another."""
    digest = blake2b(msgspec.msgpack.encode(answer), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def submitted(state: Project, row: int, event: facts.AnswerSubmitted, at_us: int) -> int:
    """Take an answer in; the lease is already over."""
    table, workers = state.assignments, state.workers
    task, worker = table.task[row], table.worker[row]
    table.answered_us[row] = at_us
    table.receipt[row] = event.receipt
    table.revision[row] = _SUBMITTED
    table.revisions[row] = 1
    table.submitted[row] = answer_hash(event.answer)
    if event.late:
        table.late[row] = 1
    if event.comment:
        table.has_comment[row] = 1
    if event.reason:
        table.reason[row] = state.reasons.code(event.reason)
    for value in event.answer:
        state.answers.cells[row, value.field] = value.label
    workers.seen_us[worker] = at_us
    if event.receipt != _REFUSED and state.rules.bonuses:
        _await_bonus(state, worker, at_us)
    if event.receipt == _COUNTED:
        workers.answered[worker] += 1
        state.tasks.attempts[task] = 0
        if state.tasks.purpose[task] in WITH_KNOWN_ANSWER:
            _check_known(state, row, 1)
        else:
            state.tasks.counted[table.stage[row]][task] += 1
            if state.tasks.purpose[task] in IN_POSTERIOR:
                _teach_one_more(state, task, row)
                if state.rules.refit.every_us:
                    state.refits.answers += 1
    return task


def amended(state: Project, event: facts.AnswerAmended, at_us: int) -> int:
    """Put another answer at the head of an annotation's chain."""
    table = state.assignments
    row = table.find(event.assignment)
    assignment_after(table.state[row], facts.AnswerAmended)
    task = table.task[row]
    if event.checked:
        table.revisions[row] += 1
        return task
    before = state.answer_codes(row)
    known = state.tasks.purpose[task] in WITH_KNOWN_ANSWER
    if known:
        _check_known(state, row, -1)
    for field in range(len(before)):
        state.answers.cells[row, field] = NONE
    for value in event.answer:
        state.answers.cells[row, value.field] = value.label
    table.revision[row] = event.revision
    table.revisions[row] += 1
    if known:
        _check_known(state, row, 1)
    elif table.receipt[row] == _COUNTED:
        _teach(state, task, changed=row, before=before)
    return task


def withdrawn(state: Project, event: facts.AnswerWithdrawn, at_us: int) -> int:
    """Take an annotation out; its slot is free again."""
    table = state.assignments
    row = table.find(event.assignment)
    assignment_after(table.state[row], facts.AnswerWithdrawn)
    task = table.task[row]
    _close_review(state, row)
    table.revisions[row] += 1
    if table.receipt[row] != _COUNTED:
        table.revision[row] = Revision.WITHDRAWN
        return task
    if state.tasks.purpose[task] in WITH_KNOWN_ANSWER:
        _check_known(state, row, -1)
        table.revision[row] = Revision.WITHDRAWN
        return task
    state.tasks.counted[table.stage[row]][task] -= 1
    table.revision[row] = Revision.WITHDRAWN
    _teach(state, task, gone=row)
    return task


def discounted(state: Project, event: facts.AnswerDiscounted, at_us: int) -> int:
    """Take an annotation out because its worker does not count; the slot stays used and a new one is
    planned."""
    table = state.assignments
    row = table.find(event.assignment)
    assignment_after(table.state[row], facts.AnswerDiscounted)
    task, stage = table.task[row], table.stage[row]
    if state.repairs and state.repairs[0] == row:
        state.repairs.popleft()
    _close_review(state, row)
    if state.tasks.purpose[task] in WITH_KNOWN_ANSWER:
        _check_known(state, row, -1)
        table.revision[row] = Revision.DISCOUNTED
        return task
    state.tasks.counted[stage][task] -= 1
    state.tasks.kept[stage][task] += 1
    state.tasks.planned[stage][task] += 1
    table.revision[row] = Revision.DISCOUNTED
    _teach(state, task, gone=row)
    return task


def review_requested(state: Project, event: facts.ReviewRequested, at_us: int) -> int:
    """Mark an annotation for review; the result waits for it when the review is enforced."""
    table = state.assignments
    row = table.find(event.assignment)
    assignment_after(table.state[row], facts.ReviewRequested)
    state.workers.reviews[table.worker[row]] += 1
    if event.mode == Mode.ENFORCE:
        table.review[row] = Review.REQUESTED
        table.fair_review[row] = event.reason != "operator"
        state.tasks.in_review[table.task[row]] += 1
    return table.task[row]


def review_concluded(state: Project, event: facts.ReviewConcluded, at_us: int) -> int:
    """Note the verdict, on the annotation and on its worker's record."""
    table = state.assignments
    row = table.find(event.assignment)
    assignment_after(table.state[row], facts.ReviewConcluded)
    _close_review(state, row)
    table.review[row] = event.verdict
    if event.evidence:
        worker = table.worker[row]
        state.workers.review_checked[worker] += 1
        passed = event.verdict == Review.PASSED
        state.workers.review_correct[worker] += passed
        if not state.workers.discounted[worker]:
            _await_bonus(state, worker, at_us)
            _note_checked(state, worker, at_us, int(passed), 1)
    return table.task[row]


def paid(state: Project, row: int, event: facts.EntryPosted) -> None:
    """Note that an annotation's pay is due, or was taken back."""
    state.assignments.payment[row] = _DUE if event.kind == _PIECE else Payment.ADJUSTED


def _close_review(state: Project, row: int) -> None:
    table = state.assignments
    if table.review[row] == Review.REQUESTED:
        table.review[row] = Review.NONE
        state.tasks.in_review[table.task[row]] -= 1


def _await_bonus(state: Project, worker: int, at_us: int) -> None:
    """Have the worker's bonuses decided for the periods around a moment, unless they are already."""
    for plan in state.rules.bonuses:
        period = period_of(plan, at_us)
        if (worker, plan.id, period) not in state.bonuses:
            state.active.setdefault((plan.id, period), {}).setdefault(worker, (0, 0))


def _note_checked(state: Project, worker: int, at_us: int, right: int, checked: int) -> None:
    """Add checked answers to what the worker's bonuses for the periods around a moment are decided by.

    What changes after its period was decided adds nothing: a decided bonus stands.
    """
    for plan in state.rules.bonuses:
        key = plan.id, period_of(plan, at_us)
        if worker in state.active.get(key, ()):
            right_before, checked_before = state.active[key][worker]
            total = max(0, checked_before + checked)
            state.active[key][worker] = (min(total, max(0, right_before + right)), total)


def _check_known(state: Project, row: int, weight: int) -> None:
    """Compare an answer with the known one, and let the worker's matrices learn from it."""
    table, tasks = state.assignments, state.tasks
    task, worker = table.task[row], table.worker[row]
    known = {value.field: value.label for value in state.known[tasks.known[task]]}
    given = state.answer_codes(row)
    if tasks.purpose[task] == Purpose.GOLD:
        right = all(given[field] == label for field, label in known.items())
        state.workers.gold_checked[worker] += weight
        state.workers.gold_correct[worker] += weight if right else 0
        if not state.workers.discounted[worker]:
            _note_checked(state, worker, table.answered_us[row], weight if right else 0, weight)
    matrix = state.models.matrix(worker, tasks.capability[task])
    for field, label in known.items():
        if given[field] >= 0:
            state.models.learn(field, matrix, given[field], label, float(weight))


def _teach_one_more(state: Project, task: int, newest: int) -> None:
    """Let the task's posteriors rest on one annotation more."""
    tasks, table, models = state.tasks, state.assignments, state.models
    if table.stage[newest] != _EXPERT:
        table.matrix[newest] = models.matrix(table.worker[newest], tasks.capability[task])
    if tasks.counted_expert[task]:
        _teach(state, task, without=newest)
    else:
        models.extend(table.rows, state.answers, task, tasks.first_assignment[task], newest)


def _teach(
    state: Project,
    task: int,
    without: int = NONE,
    gone: int = NONE,
    changed: int = NONE,
    before: Sequence[int] = (),
) -> None:
    """Replace what the task's posteriors rest on.

    `without` is the annotation that was not there before, `gone` the one that no longer is, `changed` the one
    that had the codes `before`.
    """
    tasks = state.tasks
    if tasks.purpose[task] not in IN_POSTERIOR:
        return
    table, cells, models = state.assignments, state.answers.cells, state.models
    speaking = [(row, table.matrix[row]) for row in state.counted_annotations(task)]
    expert = _expert_answer(state, task) if tasks.counted_expert[task] else []
    for field in range(len(models.fields)):
        changes: list[Change] = []
        for row, matrix in speaking:
            label = cells[row, field]
            earlier = NONE if row == without else before[field] if row == changed else label
            changes.append((matrix, earlier, label))
        if gone >= 0 and table.stage[gone] != _EXPERT:
            changes.append((table.matrix[gone], cells[gone, field], NONE))
        models.replace(field, task, changes, expert[field] if expert else NONE)


def _expert_answer(state: Project, task: int) -> list[int]:
    """Give the label codes of the newest counted expert answer."""
    for row in state.assignments_of_task(task):
        if state.assignments.stage[row] == Stage.EXPERT and state.counts(row):
            return state.answer_codes(row)
    return []
