"""What comes in, and what is refused at the door."""

from __future__ import annotations

import pytest
from tests.support.desk import LABELS, NO, YES, Desk, make_rules

from crowdroute.router.commands.project import (
    AddTasks,
    ApplyRules,
    CreateProject,
    EraseItem,
    NewTask,
    PauseProject,
    ResumeProject,
)
from crowdroute.router.errors import (
    AlreadyExists,
    InvalidCommand,
    NotFound,
    Refusal,
    UnknownLabel,
    WrongState,
)
from crowdroute.router.events.project import ItemAdded, ProjectPaused, ProjectResumed, TaskOpened
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.rules import Field, Label, Overlap, Prices, Stopping
from crowdroute.router.model.states import Purpose, Receipt


def test_an_item_and_its_task_are_entered_with_the_slots_of_the_rules() -> None:
    desk = Desk(overlap=Overlap(2, 5))
    task = desk.task(batch="first", priority=2)
    row = desk.task_row(task)
    assert desk.tasks.planned_crowd[row] == 5
    assert (desk.tasks.priority[row], desk.state.batches.values[desk.tasks.batch[row]]) == (2, "first")


def test_importing_the_same_external_ids_again_doubles_nothing() -> None:
    desk = Desk()
    external = desk.new_id()
    first = desk.add(desk.row(external=external)).rows[0]
    again = desk.add(desk.row(external=external)).rows[0]
    assert (again.item, again.task, again.known) == (first.item, first.task, True)
    assert desk.tasks.count == 1


def test_one_external_id_twice_in_one_import_is_one_item() -> None:
    desk = Desk()
    external = desk.new_id()
    rows = desk.add(desk.row(external=external), desk.row(external=external)).rows
    assert [row.known for row in rows] == [False, True]
    assert len(desk.events(ItemAdded)) == 1


def test_another_round_on_an_item_is_another_task() -> None:
    desk = Desk()
    row = desk.row()
    desk.add(row)
    desk.add(NewTask(row.item, desk.new_id()))
    assert [event.round for event in desk.events(TaskOpened)] == [1, 2]


@pytest.mark.parametrize(
    ("purpose", "before", "after"),
    [
        (Purpose.PRODUCTION, 2, 4),
        (Purpose.CALIBRATION, 2, 4),
        (Purpose.REVIEW, 2, 4),
        (Purpose.AUDIT, 0, 0),
        (Purpose.GOLD, 0, 0),
    ],
)
def test_a_task_has_the_crowd_slots_of_the_overlap_when_it_opens_and_when_rules_allow_more(
    purpose: Purpose, before: int, after: int
) -> None:
    desk = Desk(overlap=Overlap(1, 2))
    desk.add(desk.row(purpose=purpose, gold=YES if purpose is Purpose.GOLD else ()))
    assert desk.tasks.planned_crowd[0] == before
    desk.change_rules(overlap=Overlap(1, 4))
    assert desk.tasks.planned_crowd[0] == after
    desk.change_rules(overlap=Overlap(1, 3))
    assert desk.tasks.planned_crowd[0] == after


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"purpose": Purpose.GOLD}, InvalidCommand),
        ({"gold": YES}, InvalidCommand),
        ({"purpose": Purpose.GOLD, "gold": (Choice(0, 9),)}, UnknownLabel),
        ({"priority": 4}, InvalidCommand),
        ({"priority": -1}, InvalidCommand),
        ({"digest": b""}, NotFound),
        ({"deadline_us": -1}, InvalidCommand),
        ({"task": NO_ID}, InvalidCommand),
        ({"item": b"short"}, InvalidCommand),
        ({"digest": b"not sixteen"}, InvalidCommand),
        ({"external": b"x"}, InvalidCommand),
        ({"allow": (NO_ID,)}, InvalidCommand),
        ({"deny": (b"x",)}, InvalidCommand),
        ({"requirement": Requirement((SkillNeed("x", 2.0),))}, InvalidCommand),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_with_all_rows_beside_it(
    fields: dict[str, object], error: type[Refusal]
) -> None:
    desk = Desk()
    desk.refuses(AddTasks((desk.row(), desk.row(**fields))), error)
    assert desk.tasks.count == 0


def test_a_task_id_is_used_once() -> None:
    desk = Desk()
    task = desk.task()
    desk.refuses(AddTasks((desk.row(task=task),)), AlreadyExists)


def test_a_project_is_created_once() -> None:
    desk = Desk()
    desk.refuses(CreateProject(desk.project, "birds", make_rules()), AlreadyExists)


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"version": 3}, WrongState),
        ({"fields": ()}, InvalidCommand),
        ({"fields": (Field("other", LABELS),)}, InvalidCommand),
        ({"fields": (Field("label", LABELS[:2]),)}, InvalidCommand),
        ({"fields": (Field("label", (LABELS[1], LABELS[0], LABELS[2])),)}, InvalidCommand),
        ({"overlap": Overlap(3, 2)}, InvalidCommand),
        ({"prices": Prices(currency="EUR")}, InvalidCommand),
    ],
)
def test_rules_that_no_decision_could_follow_are_refused(
    parts: dict[str, object], error: type[Refusal]
) -> None:
    desk = Desk()
    desk.refuses(ApplyRules(make_rules(**{"version": 2, **parts})), error)


def test_labels_can_be_added_while_answers_are_in() -> None:
    desk = Desk(overlap=Overlap(2, 3), stopping=Stopping(1.0))
    task = desk.task()
    desk.answer(desk.worker(), NO)
    desk.change_rules(fields=(Field("label", (*LABELS, Label("other"))),), stopping=Stopping(1.0))
    desk.answer(desk.worker(), (Choice(0, 3),))
    assert len(desk.state.models.probabilities(0, desk.task_row(task))) == 4


def test_a_removed_label_takes_no_new_answers() -> None:
    desk = Desk()
    desk.task()
    ann = desk.worker()
    lease = desk.take(ann)
    desk.change_rules(fields=(Field("label", (Label("yes", removed=True), *LABELS[1:])),))
    with pytest.raises(UnknownLabel, match="its labels are: no, unsure"):
        desk.submit(ann, lease, YES)
    assert desk.submit(ann, lease, NO).receipt is Receipt.COUNTED


def test_a_larger_overlap_reaches_open_tasks_and_a_smaller_one_takes_nothing_away() -> None:
    desk = Desk(overlap=Overlap(1, 3))
    row = desk.task_row(desk.task())
    desk.change_rules(overlap=Overlap(1, 6))
    assert desk.tasks.planned_crowd[row] == 6
    desk.change_rules(overlap=Overlap(1, 2))
    assert desk.tasks.planned_crowd[row] == 6


def test_one_task_id_in_two_rows_is_refused() -> None:
    desk = Desk()
    row = desk.row()
    desk.refuses(AddTasks((row, desk.row(task=row.task))), InvalidCommand)


def test_more_rows_than_one_import_may_hold_are_refused() -> None:
    desk = Desk()
    desk.refuses(AddTasks((desk.row(),) * 10_001), InvalidCommand)


def test_an_empty_import_is_none() -> None:
    desk = Desk()
    assert desk.gives(AddTasks(())) == []


def test_another_round_is_opened_on_the_item_that_is_named_whatever_external_id_stands_beside_it() -> None:
    desk = Desk()
    one, other = desk.row(external=desk.new_id()), desk.row(external=desk.new_id())
    desk.add(one, other)
    desk.add(NewTask(one.item, desk.new_id(), external=other.external))
    opened = desk.events(TaskOpened)[-1]
    assert (opened.item, opened.round) == (one.item, 2)


def test_no_further_round_is_opened_on_an_erased_item_and_its_import_is_told_as_known() -> None:
    desk = Desk()
    row = desk.row(external=desk.new_id())
    desk.add(row)
    desk.send(EraseItem(row.item, "asked for"))
    desk.refuses(AddTasks((NewTask(row.item, desk.new_id()),)), WrongState)
    assert desk.add(desk.row(external=row.external)).rows[0].known


def test_a_task_of_known_answer_plans_no_slots_and_an_audit_asks_one_expert() -> None:
    desk = Desk()
    gold, audit = desk.task_row(desk.gold()), desk.task_row(desk.task(purpose=Purpose.AUDIT))
    assert [planned[gold] for planned in desk.tasks.planned] == [0, 0, 0]
    assert [planned[audit] for planned in desk.tasks.planned] == [0, 0, 1]


def test_pausing_and_resuming_twice_changes_nothing_more() -> None:
    desk = Desk()
    assert [type(event) for event in desk.gives(PauseProject("lunch"))] == [ProjectPaused]
    assert desk.gives(PauseProject("lunch again")) == []
    assert [type(event) for event in desk.gives(ResumeProject())] == [ProjectResumed]
    assert desk.gives(ResumeProject()) == []
