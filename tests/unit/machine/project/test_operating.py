"""What operators do to single tasks and items."""

from __future__ import annotations

import pytest
from tests.support.desk import NO, YES, Desk

from crowdroute.router.commands.project import (
    CancelTask,
    CorrectResult,
    EraseItem,
    EscalateTask,
    ReopenTask,
    RequestNext,
)
from crowdroute.router.errors import InvalidCommand, NotFound, Refusal, UnknownLabel, WrongState
from crowdroute.router.events.project import ItemErased, LeaseRevoked, ResultCorrected, TaskCancelled
from crowdroute.router.machine.erasure import contents_to_delete
from crowdroute.router.model import content
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.rules import Overlap, Stopping
from crowdroute.router.model.states import TaskState


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
    assert corrected.revision == 2
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
    desk.send(ReopenTask(task, "client disagrees", 1))
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
