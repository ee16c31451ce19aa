"""Each rule that `check` verifies is broken once, by one cell where that is enough, and found by its name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.desk import EXPERT, NO, YES, Desk

from crowdroute.router.commands.project import CancelTask, DiscountWorker, ReopenTask, RequestNext
from crowdroute.router.errors import InvariantBroken
from crowdroute.router.model.rules import GoldPlan, Overlap, Stopping
from crowdroute.router.model.states import AssignmentState, Payment, Receipt, Review, Revision, TaskState
from crowdroute.router.state.project import Project

FINISHED, OPEN, CANCELLED, LISTED, GOLD = range(5)
"""The tasks' rows, as they are opened below."""


@pytest.fixture
def desk() -> Desk:
    """A project with a result of two revisions, a held task, a cancelled one, one with lists, and gold."""
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(0.34), gold=GoldPlan(1.0, 1))
    ann, bob, cid, dan = desk.workers(4)
    task = desk.task()
    desk.answer(ann, YES)
    desk.send(ReopenTask(task, "again"))
    desk.answer(bob, YES)
    desk.task()
    desk.take(cid)
    task = desk.task(priority=1)
    desk.take(dan)
    desk.send(CancelTask(task, "not needed"))
    desk.task(allow=(ann, bob), deny=(cid,), priority=2)
    desk.take(bob)
    desk.gold()
    desk.answer(ann, NO)
    desk.shard.check()
    return desk


def first_of(state: Project, task: int) -> int:
    """Give a task's newest assignment."""
    return state.tasks.first_assignment[task]


def a_lease_more(state: Project) -> None:
    state.tasks.live_crowd[OPEN] += 1


def an_answer_more(state: Project) -> None:
    state.tasks.counted_crowd[FINISHED] += 1


def an_answer_kept(state: Project) -> None:
    state.tasks.kept_senior[FINISHED] += 1


def a_lease_of_gold(state: Project) -> None:
    state.tasks.live_crowd[GOLD] += 1


def fewer_slots_than_taken(state: Project) -> None:
    state.tasks.planned_crowd[FINISHED] = 1


def a_review_nobody_asked_for(state: Project) -> None:
    state.tasks.in_review[OPEN] += 1


def one_person_twice(state: Project) -> None:
    rows = list(state.assignments_of_task(FINISHED))
    one, other = (state.assignments.worker[row] for row in rows)
    state.workers.person[one] = state.workers.person[other]


def a_lease_on_a_cancelled_task(state: Project) -> None:
    row = first_of(state, CANCELLED)
    state.assignments.state[row] = AssignmentState.ACTIVE
    state.tasks.live_crowd[CANCELLED] = 1


def a_grant_to_somebody_denied(state: Project) -> None:
    state.listed.cells[state.tasks.deny_start[LISTED], 0] = state.assignments.worker[first_of(state, LISTED)]


def a_grant_to_somebody_not_allowed(state: Project) -> None:
    state.listed.cells[state.tasks.allow_start[LISTED] + 1, 0] = 0


def a_result_without_revision(state: Project) -> None:
    state.tasks.revision[FINISHED] = 0


def finished_without_result(state: Project) -> None:
    state.tasks.state[OPEN] = TaskState.FINALISED


def finished_while_in_review(state: Project) -> None:
    state.assignments.review[first_of(state, FINISHED)] = Review.REQUESTED
    state.tasks.in_review[FINISHED] = 1


def gold_without_its_answer(state: Project) -> None:
    state.tasks.known[GOLD] = -1


def a_result_of_another_task(state: Project) -> None:
    state.results.task[state.tasks.result[FINISHED]] = OPEN


def a_revision_left_out(state: Project) -> None:
    state.tasks.revision[FINISHED] = 3


def a_chain_of_results_cut(state: Project) -> None:
    state.results.previous[state.tasks.result[FINISHED]] = -1


def a_grant_more(state: Project) -> None:
    state.workers.granted[0] += 1


def a_worker_at_work_who_is_not(state: Project) -> None:
    state.workers.live[0] += 1


def an_answer_nobody_gave(state: Project) -> None:
    state.workers.answered[0] += 1


def gold_nobody_answered(state: Project) -> None:
    state.workers.gold_checked[0] += 1


def money_from_nowhere(state: Project) -> None:
    state.workers.earned_micros[0] += 1


def more_gold_right_than_checked(state: Project) -> None:
    state.workers.gold_correct[0] = 2


def more_reviews_passed_than_made(state: Project) -> None:
    state.workers.review_correct[0] = 1


def a_receipt_without_answer(state: Project) -> None:
    state.assignments.state[first_of(state, FINISHED)] = AssignmentState.SKIPPED


def a_refusal_that_was_counted(state: Project) -> None:
    state.assignments.state[first_of(state, FINISHED)] = AssignmentState.REFUSED


def an_answer_not_paid(state: Project) -> None:
    state.assignments.price_micros[first_of(state, CANCELLED)] = 0
    state.assignments.payment[first_of(state, CANCELLED)] = Payment.DUE


def an_id_of_another_row(state: Project) -> None:
    for half in (state.items.id_low, state.items.id_high):
        half[1] = half[0]


def a_deadline_that_moved(state: Project) -> None:
    state.assignments.deadline_us[first_of(state, OPEN)] -= 1


def a_posterior_that_is_no_number(state: Project) -> None:
    state.models.fields[0].posteriors[0, 0] = float("nan")


def a_posterior_that_sums_to_more(state: Project) -> None:
    state.models.fields[0].posteriors[0] *= 1.1


def a_count_that_is_negative(state: Project) -> None:
    state.models.fields[0].confusion[0, 0, 0] = -1.0


def a_refit_that_no_rules_want(state: Project) -> None:
    state.refits.due = 1


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (a_lease_more, "columns say"),
        (an_answer_more, "columns say"),
        (an_answer_kept, "columns say"),
        (a_lease_of_gold, "columns say"),
        (fewer_slots_than_taken, "planned slots"),
        (a_review_nobody_asked_for, "in review"),
        (one_person_twice, "one person twice"),
        (a_lease_on_a_cancelled_task, "cancelled with a live lease"),
        (a_grant_to_somebody_denied, "denied worker"),
        (a_grant_to_somebody_not_allowed, "not allowed"),
        (a_result_without_revision, "revision and result disagree"),
        (finished_without_result, "finalised without a result"),
        (finished_while_in_review, "while an answer is in review"),
        (gold_without_its_answer, "needs no result"),
        (a_result_of_another_task, "another task's result"),
        (a_revision_left_out, "not contiguous"),
        (a_chain_of_results_cut, "chain of results is cut"),
        (a_grant_more, "the assignments say"),
        (a_worker_at_work_who_is_not, "the assignments say"),
        (an_answer_nobody_gave, "the assignments say"),
        (gold_nobody_answered, "the assignments say"),
        (money_from_nowhere, "entries sum to"),
        (more_gold_right_than_checked, "gold_correct is not within"),
        (more_reviews_passed_than_made, "review_correct is not within"),
        (a_receipt_without_answer, "with receipt"),
        (a_refusal_that_was_counted, "with receipt"),
        (an_answer_not_paid, "pay does not fit"),
        (an_id_of_another_row, "leads to another row"),
        (a_deadline_that_moved, "earliest deadline"),
        (a_posterior_that_is_no_number, "posterior"),
        (a_posterior_that_sums_to_more, "posterior"),
        (a_count_that_is_negative, "confusion count"),
        (a_refit_that_no_rules_want, "schedule of refits"),
    ],
)
def test_a_damaged_cell_is_found_and_named(desk: Desk, damage: Callable[[Project], None], words: str) -> None:
    damage(desk.state)
    with pytest.raises(InvariantBroken, match=words):
        desk.shard.check()


def test_a_sound_project_passes_at_every_turn() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(1.0, True))
    desk.task()
    ann = desk.worker()
    desk.answer(ann)
    desk.answer(desk.worker(EXPERT))
    desk.send(DiscountWorker(ann, "answers at random"))
    desk.wait()
    row = desk.state.assignments_of_worker(desk.state.workers.find(ann))
    assert desk.state.assignments.revision[next(row)] == Revision.DISCOUNTED
    assert desk.state.assignments.receipt[0] == Receipt.COUNTED
    desk.send(RequestNext(desk.worker()))
    desk.shard.check()
