"""The transition tables, walked whole."""

from __future__ import annotations

from itertools import product

import pytest

from crowdroute.router.errors import InvariantBroken
from crowdroute.router.events.project import PROJECT_EVENTS
from crowdroute.router.lifecycle import ASSIGNMENT, TASK, assignment_after, late_refused, task_after
from crowdroute.router.model.states import AssignmentState, TaskState


@pytest.mark.parametrize(("state", "event"), list(product(TaskState, PROJECT_EVENTS)))
def test_a_task_follows_the_table_and_nothing_else(state: TaskState, event: type) -> None:
    if (state, event) in TASK:
        assert task_after(state, event) is TASK[state, event]
    else:
        with pytest.raises(InvariantBroken):
            task_after(state, event)


@pytest.mark.parametrize(("state", "event"), list(product(AssignmentState, PROJECT_EVENTS)))
def test_an_assignment_follows_the_table_and_nothing_else(state: AssignmentState, event: type) -> None:
    if (state, event) in ASSIGNMENT:
        assert assignment_after(state, event) is ASSIGNMENT[state, event]
    else:
        with pytest.raises(InvariantBroken):
            assignment_after(state, event)


@pytest.mark.parametrize("state", AssignmentState)
def test_only_an_answer_after_its_lease_is_refused_as_late(state: AssignmentState) -> None:
    if state in (AssignmentState.EXPIRED, AssignmentState.REVOKED):
        assert late_refused(state) is AssignmentState.REFUSED
    else:
        with pytest.raises(InvariantBroken):
            late_refused(state)


def test_cancelled_tasks_never_come_back() -> None:
    assert not [state for state, _ in TASK if state is TaskState.CANCELLED]
