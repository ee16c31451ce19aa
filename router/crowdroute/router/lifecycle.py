"""What may follow what, as data: anything not in these tables is a defect.

The fold consults the tables on every change of state, tests walk their whole product, and the pictures in the
documentation are drawn from them.
"""

from __future__ import annotations

from crowdroute.router.errors import InvariantBroken
from crowdroute.router.events import project as facts
from crowdroute.router.events.base import Fact
from crowdroute.router.model.states import AssignmentState, TaskState

TASK: dict[tuple[int, type[Fact]], TaskState] = {
    (TaskState.OPEN, facts.TaskEscalated): TaskState.OPEN,
    (TaskState.OPEN, facts.TaskFinalised): TaskState.FINALISED,
    (TaskState.OPEN, facts.TaskParked): TaskState.PARKED,
    (TaskState.OPEN, facts.TaskCancelled): TaskState.CANCELLED,
    (TaskState.PARKED, facts.TaskReopened): TaskState.OPEN,
    (TaskState.PARKED, facts.TaskCancelled): TaskState.CANCELLED,
    (TaskState.FINALISED, facts.TaskReopened): TaskState.OPEN,
    (TaskState.FINALISED, facts.ResultCorrected): TaskState.FINALISED,
    (TaskState.FINALISED, facts.TaskCancelled): TaskState.CANCELLED,
}
"""A finalised task is cancelled only by erasing its item; its results stay as they were published."""

ASSIGNMENT: dict[tuple[int, type[Fact]], AssignmentState] = {
    (AssignmentState.ACTIVE, facts.LeaseExtended): AssignmentState.ACTIVE,
    (AssignmentState.ACTIVE, facts.DraftSaved): AssignmentState.ACTIVE,
    (AssignmentState.ACTIVE, facts.ProblemReported): AssignmentState.ACTIVE,
    (AssignmentState.ACTIVE, facts.LeaseExpired): AssignmentState.EXPIRED,
    (AssignmentState.ACTIVE, facts.LeaseReleased): AssignmentState.RELEASED,
    (AssignmentState.ACTIVE, facts.AssignmentSkipped): AssignmentState.SKIPPED,
    (AssignmentState.ACTIVE, facts.LeaseRevoked): AssignmentState.REVOKED,
    (AssignmentState.ACTIVE, facts.AnswerSubmitted): AssignmentState.SUBMITTED,
    (AssignmentState.EXPIRED, facts.AnswerSubmitted): AssignmentState.SUBMITTED,
    (AssignmentState.REVOKED, facts.AnswerSubmitted): AssignmentState.REFUSED,
    (AssignmentState.SUBMITTED, facts.AnswerAmended): AssignmentState.SUBMITTED,
    (AssignmentState.SUBMITTED, facts.AnswerWithdrawn): AssignmentState.SUBMITTED,
    (AssignmentState.SUBMITTED, facts.AnswerDiscounted): AssignmentState.SUBMITTED,
    (AssignmentState.SUBMITTED, facts.ReviewRequested): AssignmentState.SUBMITTED,
    (AssignmentState.SUBMITTED, facts.ReviewConcluded): AssignmentState.SUBMITTED,
}
"""A late answer that is refused and kept leaves its assignment EXPIRED -> REFUSED (`late_refused` below)."""


def task_after(state: int, event: type[Fact]) -> TaskState:
    """Give the state of a task after an event.

    Raises:
        InvariantBroken: the event cannot happen to a task in this state.
    """
    after = TASK.get((state, event))
    if after is None:
        raise InvariantBroken(f"a task that is {TaskState(state).name} cannot meet {event.__name__}")
    return after


def assignment_after(state: int, event: type[Fact]) -> AssignmentState:
    """Give the state of an assignment after an event.

    Raises:
        InvariantBroken: the event cannot happen to an assignment in this state.
    """
    after = ASSIGNMENT.get((state, event))
    if after is None:
        raise InvariantBroken(
            f"an assignment that is {AssignmentState(state).name} cannot meet {event.__name__}"
        )
    return after


def late_refused(state: int) -> AssignmentState:
    """Give the state of an assignment whose late answer is kept without being counted.

    Raises:
        InvariantBroken: the assignment's lease was not over.
    """
    if state not in (AssignmentState.EXPIRED, AssignmentState.REVOKED):
        raise InvariantBroken(
            f"an assignment that is {AssignmentState(state).name} cannot be refused as late"
        )
    return AssignmentState.REFUSED
