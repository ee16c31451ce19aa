"""What operators do to single tasks and items."""

from __future__ import annotations

import pytest
from tests.support.desk import EXPERT, NO, YES, Desk

from crowdroute.router.commands.project import (
    CancelTask,
    CorrectResult,
    EraseItem,
    EscalateTask,
    ReopenTask,
    RequestNext,
    SkipAssignment,
)
from crowdroute.router.errors import InvalidCommand, NotFound, Refusal, UnknownLabel, WrongState
from crowdroute.router.events.project import (
    ItemErased,
    LeaseRevoked,
    ResultCorrected,
    TaskCancelled,
    TaskEscalated,
    TaskFinalised,
)
from crowdroute.router.machine.erasure import contents_to_delete
from crowdroute.router.model import content
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.rules import LeaseTerms, Overlap, Stopping
from crowdroute.router.model.states import Purpose, TaskState


def finished(desk: Desk) -> bytes:
    """Give a task that the crowd has finished."""
    task = desk.task()
    desk.answer(desk.worker(), YES)
    return task


def test_cancelling_takes_live_leases_away_and_a_second_time_changes_nothing() -> None:
    desk = Desk()
    task = desk.task()
    desk.take(desk.worker())
    events = desk.gives(CancelTask(task, "not needed"))
    assert [type(event) for event in events] == [TaskCancelled, LeaseRevoked]
    assert desk.gives(CancelTask(task, "not needed")) == []


def test_a_correction_is_a_new_revision_and_the_old_one_stays() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.34))
    task = finished(desk)
    desk.send(CorrectResult(task, NO, "client says so"))
    (corrected,) = desk.events(ResultCorrected)
    assert (corrected.revision, corrected.counted) == (2, 1)
    newest = desk.tasks.result[desk.task_row(task)]
    older = desk.state.results.previous[newest]
    assert [desk.state.result_fields(row)[0].label for row in (older, newest)] == [0, 1]


def test_a_correction_outside_the_label_set_is_refused() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.34))
    desk.refuses(CorrectResult(finished(desk), (Choice(0, 9),), "slip"), UnknownLabel)


@pytest.mark.parametrize("command", [CancelTask, EscalateTask])
def test_a_finalised_task_is_neither_cancelled_nor_escalated(command: type) -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.34))
    desk.refuses(command(finished(desk), "too late"), WrongState)


def test_a_finalised_task_that_is_re_opened_takes_more_answers_and_gets_another_revision() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.34))
    task = finished(desk)
    desk.refuses(ReopenTask(task, "again", 0), InvalidCommand)
    (reopened,) = desk.gives(ReopenTask(task, "client disagrees", 1))
    assert (reopened.added, reopened.counted) == (1, 1)
    assert reopened.confidence == desk.events(TaskFinalised)[0].confidence
    desk.answer(desk.worker(), YES)
    assert desk.tasks.revision[desk.task_row(task)] == 2
    assert desk.tasks.state[desk.task_row(task)] == TaskState.FINALISED


def test_open_tasks_cannot_be_re_opened_and_unknown_ones_are_not_found() -> None:
    desk = Desk()
    desk.refuses(ReopenTask(desk.task(), "why"), WrongState)
    for command in (CancelTask, EscalateTask, ReopenTask):
        desk.refuses(command(desk.new_id(), "why"), NotFound)


def test_every_act_needs_a_reason() -> None:
    desk = Desk()
    task = desk.task()
    for command in (CancelTask(task, ""), EscalateTask(task, " "), CancelTask(task, "x" * 201)):
        desk.refuses(command, InvalidCommand)


def test_an_erased_item_ends_its_tasks_and_names_the_content_to_delete() -> None:
    desk = Desk()
    row = desk.row()
    desk.add(row)
    ann = desk.worker()
    lease = desk.take(ann)
    length = len(desk.entries)
    desk.send(EraseItem(row.item, "asked for"))
    assert desk.events(ItemErased)
    assert desk.tasks.state[desk.task_row(row.task)] == TaskState.CANCELLED
    assert content.item(row.item) in contents_to_delete(desk.shard, desk.entries[length:])
    assert desk.submit(ann, lease).reason == "LEASE_REVOKED"
    assert desk.send(RequestNext(desk.worker())).reason == "NO_TASK"
    assert desk.folded().digest() == desk.shard.digest()


def test_a_refusal_tells_what_is_wrong_and_under_which_code() -> None:
    desk = Desk()
    refusal = desk.refusal_from(desk.stream, CancelTask(desk.new_id(), "why"), Refusal)
    assert refusal.code == "NOT_FOUND"
    assert "tsk_" in refusal.message


def test_a_re_opened_task_waits_for_the_answers_asked_for_however_sure_it_is() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.34))
    task = finished(desk)
    desk.send(ReopenTask(task, "client disagrees", 2))
    lease = desk.take(ann := desk.worker())
    desk.send(SkipAssignment(ann, lease.assignment, lease.fence, "too hard"))
    desk.answer(desk.worker(), YES)
    assert len(desk.events(TaskFinalised)) == 1
    for shard in (desk.folded(), desk.unpacked()):
        assert shard.due(desk.now_us) == ()
    desk.answer(desk.worker(), YES)
    assert [event.counted for event in desk.events(TaskFinalised)] == [1, 3]


def test_a_parked_task_is_re_opened_with_the_slots_it_has_and_decided_when_the_rules_allow() -> None:
    desk = Desk(overlap=Overlap(1, 3), stopping=Stopping(0.99), lease=LeaseTerms(attempts=1))
    task = desk.task()
    desk.answer(desk.worker())
    desk.skip(desk.worker())
    assert desk.tasks.state[desk.task_row(task)] == TaskState.PARKED
    desk.change_rules(overlap=Overlap(1, 3), stopping=Stopping(0.34))
    assert not desk.events(TaskFinalised)
    desk.send(ReopenTask(task, "looked at", 0))
    assert desk.events(TaskFinalised)


def test_a_task_that_an_expert_decided_or_whose_item_is_gone_is_not_re_opened() -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(1.0, True))
    row = desk.row()
    desk.add(row)
    desk.answer(desk.worker())
    desk.answer(desk.worker(EXPERT))
    desk.refuses(ReopenTask(row.task, "again"), WrongState)
    desk.send(EraseItem(row.item, "asked for"))
    desk.refuses(ReopenTask(row.task, "again"), WrongState)
    desk.refuses(CorrectResult(row.task, NO, "again"), WrongState)


def test_erasing_an_item_ends_its_finished_tasks_too_and_leaves_their_results() -> None:
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(0.34))
    row = desk.row()
    desk.add(row)
    held = desk.take(desk.worker())
    desk.answer(desk.worker())
    events = desk.gives(EraseItem(row.item, "asked for"))
    assert [type(event) for event in events] == [TaskCancelled, LeaseRevoked, ItemErased]
    assert events[1].assignment == held.assignment
    assert desk.tasks.revision[desk.task_row(row.task)] == 1
    assert desk.gives(EraseItem(row.item, "asked for")) == []


@pytest.mark.parametrize("purpose", [Purpose.CALIBRATION, Purpose.GOLD])
def test_an_expert_is_not_asked_about_calibration_or_gold(purpose: Purpose) -> None:
    desk = Desk()
    task = desk.task(purpose=purpose, gold=YES if purpose is Purpose.GOLD else ())
    desk.refuses(EscalateTask(task, "hard"), WrongState)


def test_escalating_twice_asks_one_expert() -> None:
    desk = Desk()
    task = desk.task()
    assert [type(event) for event in desk.gives(EscalateTask(task, "hard"))] == [TaskEscalated]
    assert desk.gives(EscalateTask(task, "hard")) == []
    assert desk.tasks.planned_expert[desk.task_row(task)] == 1


@pytest.mark.parametrize("added", [-1, 1001])
def test_a_re_opening_asks_for_a_sensible_number_of_answers(added: int) -> None:
    desk = Desk(overlap=Overlap(1, 1), stopping=Stopping(0.34))
    desk.refuses(ReopenTask(finished(desk), "again", added), InvalidCommand)
