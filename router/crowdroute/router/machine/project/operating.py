"""Decide what operators ask of single tasks and items: cancel, re-open, escalate, correct, erase."""

from __future__ import annotations

from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import InvalidCommand, WrongState
from crowdroute.router.events import project as facts
from crowdroute.router.machine.project.guards import full_answer, given_reason
from crowdroute.router.machine.project.settling import confidence_of, counted_in_all, settle
from crowdroute.router.machine.stream import Decision, Steps
from crowdroute.router.model.answers import FieldResult
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.model.states import AssignmentState, Stage, TaskState
from crowdroute.router.state.project import IN_POSTERIOR, Project
from crowdroute.router.state.tables import NONE

MOST_ADDED = 1000
"""Crowd answers that one re-opening may add; more is surely a slip of the finger."""


def _wrong(state: Project, task: int, identity: Id, wanted: str) -> WrongState:
    now = TaskState(state.tasks.state[task]).name
    text = to_text(Kind.TASK, identity)
    return WrongState(f"{text} is {now.lower()}; {wanted}", {"task": text, "state": now})


def cancel(state: Project, wish: wishes.CancelTask, now_us: int) -> Decision:
    """End a task that has no result; a second time changes nothing."""
    task = state.task(wish.task)
    reason = given_reason(wish.reason)
    now = state.tasks.state[task]
    if now == TaskState.FINALISED:
        raise _wrong(state, task, wish.task, "its result stands; correct it instead")
    if now != TaskState.CANCELLED:
        yield from _cancel(state, task, reason)
    return Done()


def _cancel(state: Project, task: int, reason: str) -> Steps:
    table = state.assignments
    live = [row for row in state.assignments_of_task(task) if table.state[row] == AssignmentState.ACTIVE]
    yield facts.TaskCancelled(state.tasks.id_of(task), reason)
    for row in live:
        yield facts.LeaseRevoked(table.id_of(row), "TASK_CANCELLED")


def reopen(state: Project, wish: wishes.ReopenTask, now_us: int) -> Decision:
    """Take answers again on a parked or finalised task."""
    task = state.task(wish.task)
    reason = given_reason(wish.reason)
    now = state.tasks.state[task]
    if now not in (TaskState.PARKED, TaskState.FINALISED):
        raise _wrong(state, task, wish.task, "only a parked or finalised task can be re-opened")
    if not 0 <= wish.added <= MOST_ADDED or (now == TaskState.FINALISED and not wish.added):
        raise InvalidCommand(
            f"added {wish.added}: give how many answers are wanted in addition", {"field": "added"}
        )
    if state.items.erased[state.tasks.item[task]]:
        raise _wrong(state, task, wish.task, "its item was erased, so nobody could answer it")
    if now == TaskState.FINALISED and state.tasks.counted_expert[task]:
        raise _wrong(state, task, wish.task, "an expert decided it; correct its result instead")
    yield facts.TaskReopened(
        task=wish.task,
        reason=reason,
        added=wish.added,
        confidence=confidence_of(state, task),
        counted=counted_in_all(state, task),
    )
    yield from settle(state, task)
    return Done()


def escalate(state: Project, wish: wishes.EscalateTask, now_us: int) -> Decision:
    """Ask an expert about an open task now."""
    task = state.task(wish.task)
    reason = given_reason(wish.reason)
    tasks = state.tasks
    if tasks.state[task] != TaskState.OPEN or tasks.purpose[task] not in IN_POSTERIOR:
        wanted = "only an open task that is neither for calibration nor of known answer can be escalated"
        raise _wrong(state, task, wish.task, wanted)
    if tasks.stage[task] == Stage.EXPERT:
        return Done()
    yield facts.TaskEscalated(
        task=wish.task,
        stage=Stage.EXPERT,
        reason=reason,
        confidence=state.models.confidence(task),
        counted=tasks.counted_crowd[task] + tasks.counted_senior[task],
    )
    return Done()


def correct(state: Project, wish: wishes.CorrectResult, now_us: int) -> Decision:
    """Publish a result that a person decided, as a newer revision."""
    task = state.task(wish.task)
    reason = given_reason(wish.reason)
    full_answer(state, wish.answer)
    if state.tasks.state[task] != TaskState.FINALISED:
        raise _wrong(state, task, wish.task, "only a finalised task has a result to correct")
    results = []
    for value in sorted(wish.answer, key=lambda value: value.field):
        labels = len(state.rules.fields[value.field].labels)
        results.append(
            FieldResult(
                value.field, value.label, tuple(float(place == value.label) for place in range(labels))
            )
        )
    revision = state.tasks.revision[task] + 1
    counted = counted_in_all(state, task)
    yield facts.ResultCorrected(wish.task, revision, tuple(results), 1.0, reason, counted)
    return Created(wish.task, revision)


def erase(state: Project, wish: wishes.EraseItem, now_us: int) -> Decision:
    """Delete an item: end its tasks for good, then log the receipt on which its content is deleted."""
    item = state.item(wish.item)
    reason = given_reason(wish.reason)
    if state.items.erased[item]:
        return Done()
    task = state.items.first_task[item]
    while task != NONE:
        if state.tasks.state[task] != TaskState.CANCELLED:
            yield from _cancel(state, task, "ITEM_ERASED")
        task = state.tasks.next_of_item[task]
    yield facts.ItemErased(wish.item, reason)
    return Done()
