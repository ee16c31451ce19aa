"""Each rule that `check` verifies is broken once, cell by cell, and found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.desk import YES, Desk

from crowdroute.router.commands.project import RequestNext
from crowdroute.router.errors import InvariantBroken
from crowdroute.router.model.rules import Overlap, Stopping
from crowdroute.router.model.states import AssignmentState, Payment, Receipt, TaskState
from crowdroute.router.state.project import Project


@pytest.fixture
def desk() -> Desk:
    """A project with a finished task, an open one, answers and a live lease."""
    desk = Desk(overlap=Overlap(1, 2), stopping=Stopping(0.34))
    desk.task()
    desk.answer(desk.worker(), YES)
    desk.task()
    desk.take(desk.worker())
    desk.shard.check()
    return desk


def more_live(state: Project) -> None:
    state.tasks.live_crowd[1] += 1


def more_counted(state: Project) -> None:
    state.tasks.counted_crowd[0] += 1


def fewer_planned(state: Project) -> None:
    state.tasks.planned_crowd[0] = 0


def twice_one_person(state: Project) -> None:
    state.assignments.task[1] = 0
    state.assignments.next_of_task[1] = 0
    state.tasks.first_assignment[0] = 1
    state.workers.person[1] = state.workers.person[0]


def finalised_without_result(state: Project) -> None:
    state.tasks.state[1] = TaskState.FINALISED


def lost_revision(state: Project) -> None:
    state.tasks.revision[0] = 3


def unpaid_answer(state: Project) -> None:
    state.assignments.payment[0] = Payment.NONE


def receipt_without_answer(state: Project) -> None:
    state.assignments.receipt[1] = Receipt.COUNTED


def lease_ended_silently(state: Project) -> None:
    state.assignments.state[1] = AssignmentState.EXPIRED


def money_from_nowhere(state: Project) -> None:
    state.workers.earned_micros[0] += 1


def more_right_than_checked(state: Project) -> None:
    state.workers.gold_correct[0] = 1


def wrong_id(state: Project) -> None:
    state.tasks.id_low[1] = state.tasks.id_low[0]
    state.tasks.id_high[1] = state.tasks.id_high[0]


def posterior_that_is_none(state: Project) -> None:
    state.models.fields[0].posteriors[0, 0] = float("nan")


def negative_count(state: Project) -> None:
    state.models.fields[0].confusion[0, 0, 0] = -1.0


@pytest.mark.parametrize(
    "damage",
    [
        more_live,
        more_counted,
        fewer_planned,
        twice_one_person,
        finalised_without_result,
        lost_revision,
        unpaid_answer,
        receipt_without_answer,
        lease_ended_silently,
        money_from_nowhere,
        more_right_than_checked,
        wrong_id,
        posterior_that_is_none,
        negative_count,
    ],
)
def test_a_damaged_cell_is_found(desk: Desk, damage: Callable[[Project], None]) -> None:
    damage(desk.state)
    with pytest.raises(InvariantBroken):
        desk.shard.check()


def test_a_sound_project_passes(desk: Desk) -> None:
    desk.send(RequestNext(desk.worker()))
    desk.shard.check()
