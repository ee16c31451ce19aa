"""Whose answers a senior checks, and what the check does."""

from __future__ import annotations

import pytest
from tests.support.desk import NO, SENIOR, YES, Desk, make_rules
from tests.support.engine import MINUTE

from crowdroute.router.commands.project import (
    AmendAnswer,
    ApplyRules,
    RequestNext,
    RequestReview,
    WithdrawAnswer,
)
from crowdroute.router.errors import WrongState
from crowdroute.router.events.project import (
    ReviewConcluded,
    ReviewRequested,
    SlotsPlanned,
    TaskFinalised,
)
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.rules import GoldPlan, Overlap, ReviewPlan, Routing, Stopping
from crowdroute.router.model.states import Mode, Review, Stage, TaskState

EVERYTHING = ReviewPlan(Mode.ENFORCE, 0.5, 0.0)


def test_a_new_workers_answers_are_reviewed_with_the_numbers_behind_it() -> None:
    desk = Desk(review=EVERYTHING)
    desk.task()
    desk.answer(desk.worker())
    (asked,) = desk.events(ReviewRequested)
    assert (asked.reason, asked.correct, asked.checked, asked.threshold) == ("threshold", 0, 0, 0.5)
    assert asked.lower_bound < 0.2
    assert desk.events(SlotsPlanned)


def test_a_result_waits_for_the_review() -> None:
    desk = Desk(review=EVERYTHING, overlap=Overlap(1, 2), stopping=Stopping(0.34))
    desk.task()
    desk.answer(desk.worker())
    assert not desk.events(TaskFinalised)
    desk.answer(desk.worker(SENIOR))
    assert desk.events(TaskFinalised)


def test_a_recommended_review_is_written_down_and_not_waited_for() -> None:
    desk = Desk(review=ReviewPlan(Mode.RECOMMEND, 0.5, 0.0), overlap=Overlap(1, 2), stopping=Stopping(0.34))
    desk.task()
    ann = desk.worker()
    desk.answer(ann)
    assert desk.events(ReviewRequested)
    assert desk.events(TaskFinalised)
    assert desk.state.workers.reviews[desk.state.workers.find(ann)] == 1
    assert desk.send(RequestNext(desk.worker(SENIOR))).reason == "NO_TASK"


def test_the_seniors_answer_passes_or_fails_what_it_checks_and_counts_as_evidence() -> None:
    desk = Desk(review=EVERYTHING)
    desk.task()
    ann, bob = desk.workers(2)
    right, wrong = desk.answer(ann, YES), desk.answer(bob, NO)
    desk.answer(desk.worker(SENIOR), YES)
    assert [event.verdict for event in desk.events(ReviewConcluded)] == [Review.FAILED, Review.PASSED]
    table = desk.state.assignments
    assert (table.review[desk.row_of(right)], table.review[desk.row_of(wrong)]) == (
        Review.PASSED,
        Review.FAILED,
    )
    workers = desk.state.workers
    assert (workers.review_correct[workers.find(ann)], workers.review_checked[workers.find(ann)]) == (1, 1)
    assert (workers.review_correct[workers.find(bob)], workers.review_checked[workers.find(bob)]) == (0, 1)


def test_one_senior_is_enough_however_many_answers_come_after_theirs() -> None:
    desk = Desk(review=EVERYTHING, overlap=Overlap(4, 4), stopping=Stopping(0.9))
    task = desk.task()
    early, right, wrong = desk.workers(3)
    desk.answer(early, YES)
    check = desk.answer(desk.worker(SENIOR), YES)
    planned = desk.tasks.planned_senior[desk.task_row(task)]
    later = [desk.answer(right, YES), desk.answer(wrong, NO)]
    assert [desk.state.assignments.review[desk.row_of(lease)] for lease in later] == [
        Review.PASSED,
        Review.FAILED,
    ]
    assert {event.by for event in desk.events(ReviewConcluded)} == {check.assignment}
    assert all(event.evidence for event in desk.events(ReviewConcluded))
    assert desk.tasks.planned_senior[desk.task_row(task)] == planned
    assert desk.tasks.in_review[desk.task_row(task)] == 0
    assert desk.events(TaskFinalised)


@pytest.mark.parametrize("policy", ["fifo", "random", "information_gain"])
@pytest.mark.parametrize("said", [YES, NO])
def test_while_only_a_check_is_waited_for_the_crowd_is_not_asked(policy: str, said: Answer) -> None:
    desk = Desk(review=EVERYTHING, overlap=Overlap(1, 9), stopping=Stopping(0.6), routing=Routing(policy))
    task = desk.task()
    ann, bob = desk.workers(2)
    desk.answer(ann, YES)
    row = desk.state.task(task)
    assert desk.state.models.confidence(row) >= 0.6

    assert desk.send(RequestNext(bob)).reason == "NO_TASK"
    assert not desk.state.wanted(row, Stage.CROWD)
    desk.answer(desk.worker(SENIOR), said)

    finalised = desk.tasks.state[row] == TaskState.FINALISED
    assert finalised == (said == YES)
    # The senior disagreed, so it is open between two labels, and the crowd is asked again.
    assert bool(desk.send(RequestNext(bob)).leases) == (not finalised)


def test_while_a_check_is_waited_for_the_crowd_goes_on_where_it_has_not_said_enough() -> None:
    desk = Desk(review=EVERYTHING, overlap=Overlap(2, 9), stopping=Stopping(0.6))
    desk.task()
    desk.answer(desk.worker(), YES)
    assert desk.send(RequestNext(desk.worker())).leases


def test_new_rules_that_want_more_end_the_rest() -> None:
    desk = Desk(review=EVERYTHING, overlap=Overlap(1, 9), stopping=Stopping(0.6))
    desk.task()
    desk.answer(desk.worker(), YES)
    bob = desk.worker()
    assert not desk.send(RequestNext(bob)).leases
    desk.send(ApplyRules(make_rules(version=2, review=EVERYTHING, overlap=Overlap(2, 9))))
    assert desk.send(RequestNext(bob)).leases


def test_an_answer_that_was_checked_counts_as_it_was_whatever_its_author_says_later() -> None:
    desk = Desk(review=EVERYTHING, overlap=Overlap(4, 4), stopping=Stopping(0.9))
    desk.task()
    ann = desk.worker()
    lease = desk.answer(ann, YES)
    own = ann, lease.assignment, lease.fence
    desk.send(AmendAnswer(*own, NO))
    desk.answer(desk.worker(SENIOR), NO)
    assert desk.state.assignments.review[desk.row_of(lease)] == Review.PASSED
    desk.send(AmendAnswer(*own, YES))
    assert desk.state.answer_codes(desk.row_of(lease)) == [NO[0].label]
    desk.send(WithdrawAnswer(*own, "slip"))
    row = desk.state.workers.find(ann)
    assert (desk.state.workers.review_correct[row], desk.state.workers.review_checked[row]) == (1, 1)
    desk.refuses(WithdrawAnswer(*own, "again"), WrongState)


def test_a_seniors_answer_that_was_withdrawn_settles_nothing_more() -> None:
    desk = Desk(review=EVERYTHING, overlap=Overlap(4, 4), stopping=Stopping(0.9))
    task = desk.task()
    desk.answer(desk.worker(), YES)
    senior = desk.worker(SENIOR)
    check = desk.answer(senior, YES)
    desk.send(WithdrawAnswer(senior, check.assignment, check.fence, "slip"))
    desk.answer(desk.worker(), NO)
    assert desk.tasks.in_review[desk.task_row(task)] == 1
    desk.answer(desk.worker(SENIOR), NO)
    assert desk.tasks.in_review[desk.task_row(task)] == 0


def test_a_worker_with_a_proven_record_is_reviewed_by_chance_only() -> None:
    desk = Desk(review=ReviewPlan(Mode.ENFORCE, 0.5, 0.0), gold=GoldPlan(1.0, 12))
    ann = desk.worker()
    for _ in range(12):
        desk.gold(YES)
    for _ in range(12):
        desk.answer(ann, YES)
    assert desk.state.workers.gold_correct[0] == 12
    desk.task()
    desk.answer(ann, YES)
    assert not desk.events(ReviewRequested)


def test_a_sampled_review_records_its_draw() -> None:
    desk = Desk(review=ReviewPlan(Mode.ENFORCE, 0.0, 1.0))
    desk.task()
    desk.answer(desk.worker())
    (asked,) = desk.events(ReviewRequested)
    assert asked.reason == "sample"
    assert 0.0 <= asked.draw < 1.0 == asked.share


def test_an_operators_review_is_no_evidence_of_the_workers_accuracy() -> None:
    desk = Desk(overlap=Overlap(2, 3))
    desk.task()
    ann = desk.worker()
    lease = desk.answer(ann)
    desk.send(RequestReview(lease.assignment, "looks odd"))
    desk.refuses(RequestReview(lease.assignment, "again"), WrongState)
    desk.answer(desk.worker(SENIOR), NO)
    (concluded,) = desk.events(ReviewConcluded)
    assert not concluded.evidence
    assert desk.state.workers.review_checked[desk.state.workers.find(ann)] == 0


def test_a_withdrawn_answer_is_waited_for_no_longer() -> None:
    desk = Desk(review=EVERYTHING, overlap=Overlap(1, 3), stopping=Stopping(0.34))
    task = desk.task()
    ann = desk.worker()
    lease = desk.answer(ann)
    desk.send(WithdrawAnswer(ann, lease.assignment, lease.fence, "mistaken"))
    desk.wait(MINUTE)
    assert desk.tasks.in_review[desk.task_row(task)] == 0
