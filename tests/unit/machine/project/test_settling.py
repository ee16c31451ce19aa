"""What follows for tasks: finalise, go on, escalate, park, correct, re-open."""

from __future__ import annotations

import pytest
from tests.support.desk import EXPERT, NO, SENIOR, YES, Desk
from tests.support.engine import MINUTE

from crowdroute.router.commands.project import DiscountWorker, ReopenTask, RequestNext
from crowdroute.router.events.project import (
    AnswerDiscounted,
    ResultCorrected,
    SlotsPlanned,
    TaskEscalated,
    TaskFinalised,
    TaskParked,
    TaskReopened,
)
from crowdroute.router.model.rules import LeaseTerms, Overlap, ReviewPlan, Stopping
from crowdroute.router.model.states import FinalReason, Mode, Purpose, Receipt, TaskState


def test_a_task_is_finalised_as_soon_as_the_posterior_reaches_the_target() -> None:
    desk = Desk(overlap=Overlap(2, 9), stopping=Stopping(0.8))
    desk.task()
    for worker in desk.workers(9):
        if desk.events(TaskFinalised):
            break
        desk.answer(worker, YES)
    (finalised,) = desk.events(TaskFinalised)
    assert finalised.reason is FinalReason.CONFIDENT
    assert finalised.confidence >= 0.8
    assert finalised.counted < 9
    assert finalised.results[0].label == YES[0].label
    assert abs(sum(finalised.results[0].probabilities) - 1.0) < 1e-9


def test_a_task_is_never_finalised_below_the_minimum() -> None:
    desk = Desk(overlap=Overlap(3, 5), stopping=Stopping(0.34))
    desk.task()
    for worker in desk.workers(2):
        desk.answer(worker)
    assert not desk.events(TaskFinalised)
    desk.answer(desk.worker())
    assert desk.events(TaskFinalised)


def test_at_the_maximum_the_most_probable_label_is_taken() -> None:
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(1.0, False))
    desk.task()
    ann, bob = desk.workers(2)
    desk.answer(ann, YES)
    desk.answer(bob, NO)
    (finalised,) = desk.events(TaskFinalised)
    assert finalised.reason is FinalReason.MAXIMUM


def test_at_the_maximum_an_expert_is_asked_when_the_rules_say_so() -> None:
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(1.0, True))
    task = desk.task()
    ann, bob, cid = desk.workers(3)
    desk.answer(ann, YES)
    desk.answer(bob, NO)
    (escalated,) = desk.events(TaskEscalated)
    assert escalated.counted == 2
    assert desk.send(RequestNext(cid)).reason == "NO_TASK"
    desk.answer(desk.worker(EXPERT), NO)
    assert desk.events(TaskFinalised)[-1].reason is FinalReason.EXPERT
    assert desk.tasks.state[desk.state.task(task)] == TaskState.FINALISED


def test_a_task_that_comes_back_unanswered_too_often_is_parked_and_listed_with_the_reason() -> None:
    desk = Desk(lease=LeaseTerms(attempts=2))
    task = desk.task()
    for worker in desk.workers(2):
        desk.take(worker)
        desk.wait(11 * MINUTE)
    assert desk.events(TaskParked)[-1].attempts == 2
    assert desk.state.parked == {desk.state.task(task): "TOO_MANY_UNANSWERED_LEASES"}
    assert desk.send(RequestNext(desk.worker())).reason == "NO_TASK"
    desk.send(ReopenTask(task, "looked at"))
    assert desk.send(RequestNext(desk.worker())).leases


def test_an_answer_forgives_earlier_unanswered_leases() -> None:
    desk = Desk(lease=LeaseTerms(attempts=2), overlap=Overlap(3, 5), stopping=Stopping(1.0))
    desk.task()
    ann, bob, cid = desk.workers(3)
    desk.take(ann)
    desk.wait(11 * MINUTE)
    desk.answer(bob)
    desk.take(cid)
    desk.wait(11 * MINUTE)
    assert not desk.events(TaskParked)


def test_discounting_a_worker_opens_a_slot_for_each_answer_and_keeps_the_one_used() -> None:
    desk = Desk(overlap=Overlap(2, 3), stopping=Stopping(1.0))
    task = desk.state.task(desk.task())
    ann = desk.worker()
    desk.answer(ann)
    desk.send(DiscountWorker(ann, "answers at random"))
    desk.wait(MINUTE)
    assert len(desk.events(AnswerDiscounted)) == 1
    tasks = desk.tasks
    assert (tasks.planned_crowd[task], tasks.counted_crowd[task], tasks.kept_crowd[task]) == (4, 0, 1)


def test_a_result_that_rested_on_a_discounted_worker_re_opens() -> None:
    desk = Desk(overlap=Overlap(1, 3), stopping=Stopping(0.5))
    task = desk.task()
    ann = desk.worker()
    desk.answer(ann)
    desk.send(DiscountWorker(ann, "answers at random"))
    desk.wait(MINUTE)
    (reopened,) = desk.events(TaskReopened)
    assert (reopened.reason, reopened.counted) == ("WORKER_DISCOUNTED", 0)
    assert reopened.confidence == pytest.approx(1 / 3)
    desk.answer(desk.worker(), NO)
    assert [event.revision for event in desk.events(TaskFinalised)] == [1, 2]
    assert desk.tasks.revision[desk.state.task(task)] == 2


def test_a_result_that_stands_without_the_discounted_worker_is_left_alone() -> None:
    desk = Desk(overlap=Overlap(3, 3), stopping=Stopping(0.5))
    desk.task()
    ann, bob, cid = desk.workers(3)
    for worker in (ann, bob, cid):
        desk.answer(worker, YES)
    before = len(desk.events(TaskFinalised))
    desk.send(DiscountWorker(cid, "left"))
    desk.wait(MINUTE)
    corrected = desk.events((ResultCorrected, TaskReopened))
    assert before == 1
    # Two answers are below the minimum of three, so it must take one more.
    assert [type(event) for event in corrected] == [TaskReopened]


def test_calibration_tasks_end_with_vote_shares_and_never_touch_the_matrices() -> None:
    desk = Desk(overlap=Overlap(1, 3), stopping=Stopping(0.34))
    desk.task(purpose=Purpose.CALIBRATION)
    for worker, answer in zip(desk.workers(3), (YES, YES, NO), strict=True):
        desk.answer(worker, answer)
    (finalised,) = desk.events(TaskFinalised)
    assert finalised.results[0].probabilities == (2 / 3, 1 / 3, 0.0)
    assert desk.state.models.fields[0].n_matrices == 0


def test_calibration_tasks_take_all_their_answers_even_when_they_agree() -> None:
    desk = Desk(overlap=Overlap(1, 3), stopping=Stopping(0.34, True))
    task = desk.task(purpose=Purpose.CALIBRATION)
    for number, worker in enumerate(desk.workers(3)):
        assert desk.tasks.counted_crowd[desk.task_row(task)] == number
        desk.answer(worker, YES)
    (finalised,) = desk.events(TaskFinalised)
    assert (finalised.reason, finalised.confidence) == (FinalReason.MAXIMUM, 1.0)


def test_a_task_with_too_few_slots_for_the_minimum_is_given_more_before_it_ends() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.99), lease=LeaseTerms(attempts=1))
    task = desk.task()
    desk.skip(desk.worker())
    desk.change_rules(overlap=Overlap(3, 4), stopping=Stopping(0.34))
    desk.send(ReopenTask(task, "looked at", 0))
    desk.answer(desk.worker())
    (planned,) = desk.events(SlotsPlanned)
    assert (planned.added, planned.reason) == (2, "MINIMUM")
    for worker in desk.workers(2):
        assert not desk.events(TaskFinalised)
        desk.answer(worker)
    assert desk.events(TaskFinalised)[-1].counted == 3


def test_a_task_is_not_parked_while_a_senior_holds_it() -> None:
    desk = Desk(
        overlap=Overlap(3, 3),
        stopping=Stopping(1.0),
        lease=LeaseTerms(attempts=1),
        review=ReviewPlan(Mode.ENFORCE, 0.5),
    )
    task = desk.task_row(desk.task())
    desk.answer(desk.worker())
    senior = desk.worker(SENIOR)
    lease = desk.take(senior)
    desk.skip(desk.worker())
    assert desk.tasks.state[task] == TaskState.OPEN
    assert desk.submit(senior, lease).receipt is Receipt.COUNTED
    desk.skip(desk.worker())
    assert desk.tasks.state[task] == TaskState.PARKED


def test_the_attempts_at_an_experts_task_are_counted_anew() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(1.0, True), lease=LeaseTerms(attempts=2))
    task = desk.task_row(desk.task())
    desk.skip(desk.worker())
    desk.answer(desk.worker())
    desk.skip(desk.worker(EXPERT))
    assert desk.tasks.state[task] == TaskState.OPEN
    desk.skip(desk.worker(EXPERT))
    assert desk.tasks.state[task] == TaskState.PARKED
