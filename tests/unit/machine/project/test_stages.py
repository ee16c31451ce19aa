"""A lease is the same at every stage: crowd, senior and expert work is fenced, ended, taken late and paid."""

from __future__ import annotations

import pytest
from tests.support.desk import CROWD, EXPERT, NO, SENIOR, YES, Desk
from tests.support.engine import MINUTE

from crowdroute.router.commands.project import (
    EscalateTask,
    ExtendLease,
    ReleaseLease,
    RequestNext,
    RequestReview,
    SkipAssignment,
    SubmitAnswer,
    WithdrawAnswer,
)
from crowdroute.router.errors import LeaseEnded, NotYourLease, StaleLease
from crowdroute.router.events.project import EntryPosted, LeaseExpired, TaskFinalised, TaskParked
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import LeaseTerms, Overlap, Stopping
from crowdroute.router.model.states import AssignmentState, Receipt, Stage, TaskState

STAGES = [Stage.CROWD, Stage.SENIOR, Stage.EXPERT]
PRICES = {Stage.CROWD: 20_000, Stage.SENIOR: 50_000, Stage.EXPERT: 90_000}
MAY = {Stage.CROWD: CROWD, Stage.SENIOR: SENIOR, Stage.EXPERT: EXPERT}

at_every_stage = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name.lower())


def desk_at(stage: Stage) -> tuple[Desk, Id]:
    """Give a project whose one task has one free slot at this stage."""
    overlap = Overlap(1, 1) if stage is Stage.CROWD else Overlap(2, 3)
    desk = Desk(overlap=overlap, stopping=Stopping(0.99), lease=LeaseTerms(attempts=2))
    task = desk.task()
    if stage is Stage.SENIOR:
        lease = desk.answer(desk.worker(), YES)
        desk.send(RequestReview(lease.assignment, "odd"))
    elif stage is Stage.EXPERT:
        desk.send(EscalateTask(task, "hard"))
    return desk, task


def paid(desk: Desk, worker: Id) -> int:
    return sum(entry.micros for entry in desk.events(EntryPosted) if entry.worker == worker)


@at_every_stage
def test_a_lease_has_its_stages_price_and_its_own_fence(stage: Stage) -> None:
    desk, _ = desk_at(stage)
    worker, thief = desk.worker(MAY[stage]), desk.worker(MAY[stage])
    lease = desk.take(worker)
    desk.send(RequestNext(thief))
    assert (lease.stage, lease.price_micros) == (stage, PRICES[stage])
    for command in (SubmitAnswer, ExtendLease, ReleaseLease, SkipAssignment, WithdrawAnswer):
        more = {
            SubmitAnswer: (YES,),
            SkipAssignment: ("unclear",),
            WithdrawAnswer: ("slip",),
        }.get(command, ())
        desk.refuses(command(worker, lease.assignment, lease.fence + 1, *more), StaleLease)
        desk.refuses(command(thief, lease.assignment, lease.fence, *more), NotYourLease)
    desk.submit(worker, lease)
    assert paid(desk, worker) == PRICES[stage]


@at_every_stage
def test_nobody_else_is_given_a_slot_that_is_held(stage: Stage) -> None:
    desk, _ = desk_at(stage)
    desk.take(desk.worker(MAY[stage]))
    assert desk.send(RequestNext(desk.worker(MAY[stage]))).leases == ()


@at_every_stage
def test_a_late_answer_counts_and_is_paid_while_its_slot_is_free(stage: Stage) -> None:
    desk, _ = desk_at(stage)
    worker = desk.worker(MAY[stage])
    lease = desk.take(worker)
    desk.wait(11 * MINUTE)
    assert len(desk.events(LeaseExpired)) == 1
    assert desk.submit(worker, lease).receipt is Receipt.COUNTED
    assert paid(desk, worker) == PRICES[stage]
    assert desk.submit(worker, lease).receipt is Receipt.COUNTED
    assert paid(desk, worker) == PRICES[stage]


@at_every_stage
def test_a_late_answer_is_surplus_and_paid_when_its_slot_was_taken(stage: Stage) -> None:
    desk, _ = desk_at(stage)
    slow, quick = desk.worker(MAY[stage]), desk.worker(MAY[stage])
    lease = desk.take(slow)
    desk.wait(11 * MINUTE)
    held = desk.take(quick)
    received = desk.submit(slow, lease)
    assert (received.receipt, received.reason) == (Receipt.SURPLUS, "SLOT_TAKEN")
    assert paid(desk, slow) == PRICES[stage]
    assert desk.submit(quick, held).receipt is Receipt.COUNTED


@at_every_stage
def test_a_skipped_slot_goes_to_somebody_else_and_never_back(stage: Stage) -> None:
    desk, _ = desk_at(stage)
    worker = desk.worker(MAY[stage])
    lease = desk.skip(worker)
    assert desk.send(RequestNext(worker)).leases == ()
    desk.refuses(SubmitAnswer(worker, lease.assignment, lease.fence, YES), LeaseEnded)
    assert desk.take(desk.worker(MAY[stage])).stage is stage


@pytest.mark.parametrize("stage", [Stage.CROWD, Stage.EXPERT], ids=lambda stage: stage.name.lower())
def test_a_task_that_nobody_answers_is_parked_with_the_number_of_tries(stage: Stage) -> None:
    desk, task = desk_at(stage)
    for _ in range(2):
        desk.skip(desk.worker(MAY[stage]))
    (parked,) = desk.events(TaskParked)
    assert (parked.task, parked.attempts) == (task, 2)
    assert desk.state.parked == {desk.task_row(task): parked.reason}


def test_a_seniors_answer_after_the_experts_decision_is_surplus_and_paid() -> None:
    desk, task = desk_at(Stage.SENIOR)
    senior = desk.worker(SENIOR)
    lease = desk.take(senior)
    desk.send(EscalateTask(task, "hard"))
    desk.answer(desk.worker(EXPERT), NO)
    (final,) = desk.events(TaskFinalised)
    assert final.results[0].label == NO[0].label
    assert desk.submit(senior, lease, YES).receipt is Receipt.SURPLUS
    assert paid(desk, senior) == PRICES[Stage.SENIOR]
    assert desk.state.assignments.state[desk.row_of(lease)] == AssignmentState.SUBMITTED
    assert desk.tasks.state[desk.task_row(task)] == TaskState.FINALISED
    assert desk.events(TaskFinalised) == [final]
