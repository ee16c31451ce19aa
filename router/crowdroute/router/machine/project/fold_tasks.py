"""Apply what happens to items, tasks and results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crowdroute.router.errors import InvariantBroken
from crowdroute.router.events import project as facts
from crowdroute.router.lifecycle import task_after
from crowdroute.router.model.answers import FieldResult
from crowdroute.router.model.ids import NO_ID, Id, halves
from crowdroute.router.model.states import Purpose, Stage, TaskState
from crowdroute.router.state.matrix import Matrix
from crowdroute.router.state.project import BY_OVERLAP, Project
from crowdroute.router.state.tables import NONE


def follow_schema(state: Project) -> None:
    """Make room for the fields and labels of new rules."""
    for place, field in enumerate(state.rules.fields):
        if place == len(state.probabilities):
            state.probabilities.append(Matrix("f8", 0.0, width=len(field.labels)))
        state.probabilities[place].reserve(state.results.count, len(field.labels))
    state.answers.reserve(state.assignments.count, len(state.rules.fields))
    state.labels.reserve(state.results.count, len(state.rules.fields))


def raise_overlap(state: Project, maximum: int) -> None:
    """Plan more crowd slots for open tasks when the rules allow more; planned slots never fall."""
    tasks = state.tasks
    rows = tasks.rows[: tasks.count]
    chosen = (
        (rows["state"] == TaskState.OPEN)
        & (rows["planned_crowd"] > 0)
        & (rows["planned_crowd"] < maximum)
        & np.isin(rows["purpose"], [int(purpose) for purpose in BY_OVERLAP])
    )
    rows["planned_crowd"][chosen] = maximum


def item_added(state: Project, event: facts.ItemAdded, at_us: int) -> int:
    """Enter an item."""
    items = state.items
    row = items.add_id(event.item)
    items.first_task[row] = NONE
    items.digest_high[row], items.digest_low[row] = halves(event.digest)
    if event.external != NO_ID:
        items.set_external(row, event.external)
    return NONE


def opened(
    state: Project, event: facts.TaskOpened, at_us: int, worker_row: Callable[[Project, Id], int]
) -> int:
    """Enter a task with its slots and lists."""
    tasks, items = state.tasks, state.items
    item = items.find(event.item)
    row = tasks.add_id(event.task)
    tasks.item[row] = item
    tasks.next_of_item[row] = items.first_task[item]
    items.first_task[item] = row
    items.rounds[item] += 1
    tasks.round[row] = event.round
    tasks.opened_us[row] = at_us
    tasks.deadline_us[row] = event.deadline_us
    tasks.batch[row] = state.batches.code(event.batch)
    tasks.capability[row] = state.capabilities.code(event.capability)
    tasks.signature[row] = state.signatures.code((event.requirement, event.capability))
    tasks.first_assignment[row] = tasks.result[row] = tasks.known[row] = NONE
    tasks.purpose[row] = event.purpose
    tasks.priority[row] = event.priority
    if event.purpose == Purpose.AUDIT:
        tasks.stage[row] = Stage.EXPERT
        tasks.planned_expert[row] = event.planned
    else:
        tasks.planned_crowd[row] = event.planned
    if event.gold:
        tasks.known[row] = len(state.known)
        state.known.append(event.gold)
    if event.allow:
        tasks.allow_start[row], tasks.allow_count[row] = _list(state, event.allow, worker_row)
    if event.deny:
        tasks.deny_start[row], tasks.deny_count[row] = _list(state, event.deny, worker_row)
    state.models.add_task()
    return row


def _list(
    state: Project, workers: tuple[Id, ...], worker_row: Callable[[Project, Id], int]
) -> tuple[int, int]:
    start = state.listed_count
    state.listed.reserve(start + len(workers), 1)
    for place, worker in enumerate(workers):
        state.listed.cells[start + place, 0] = worker_row(state, worker)
    state.listed_count = start + len(workers)
    return start, len(workers)


def _publish(state: Project, task: int, revision: int, results: tuple[FieldResult, ...], at_us: int) -> int:
    if revision != state.tasks.revision[task] + 1:
        raise InvariantBroken(f"revision {revision} of a result follows {state.tasks.revision[task]}")
    table = state.results
    row = table.add()
    table.task[row] = task
    table.previous[row] = state.tasks.result[task]
    table.revision[row] = revision
    table.at_us[row] = at_us
    state.labels.reserve(row + 1, len(state.rules.fields))
    for result in results:
        state.labels.cells[row, result.field] = result.label
        matrix = state.probabilities[result.field]
        matrix.reserve(row + 1, len(result.probabilities))
        matrix.values[row, : len(result.probabilities)] = result.probabilities
    for matrix in state.probabilities:
        matrix.reserve(row + 1, matrix.width)
    state.tasks.result[task] = row
    state.tasks.revision[task] = revision
    return row


def finalised(state: Project, event: facts.TaskFinalised, at_us: int) -> int:
    """Publish a task's result."""
    task = state.tasks.find(event.task)
    state.tasks.state[task] = task_after(state.tasks.state[task], facts.TaskFinalised)
    row = _publish(state, task, event.revision, event.results, at_us)
    state.results.reason[row] = event.reason
    state.results.counted[row] = event.counted
    state.results.rules_version[row] = event.rules_version
    state.results.model_version[row] = event.model_version
    return task


def corrected(state: Project, event: facts.ResultCorrected, at_us: int) -> int:
    """Publish a newer revision of a result."""
    task = state.tasks.find(event.task)
    state.tasks.state[task] = task_after(state.tasks.state[task], facts.ResultCorrected)
    row = _publish(state, task, event.revision, event.results, at_us)
    state.results.corrected[row] = 1
    state.results.rules_version[row] = state.rules.version
    state.corrections[row] = event.reason
    return task


def reopened(state: Project, event: facts.TaskReopened, at_us: int) -> int:
    """Let a task take answers again."""
    tasks = state.tasks
    task = tasks.find(event.task)
    tasks.state[task] = task_after(tasks.state[task], facts.TaskReopened)
    tasks.planned_crowd[task] += event.added
    if event.added:
        tasks.least[task] = tasks.counted_crowd[task] + tasks.counted_senior[task] + event.added
    if event.added and tasks.purpose[task] != Purpose.AUDIT:
        tasks.stage[task] = Stage.CROWD
    tasks.attempts[task] = 0
    state.parked.pop(task, None)
    return task


def parked(state: Project, event: facts.TaskParked, at_us: int) -> int:
    """Set a task aside."""
    task = state.tasks.find(event.task)
    state.tasks.state[task] = task_after(state.tasks.state[task], facts.TaskParked)
    state.parked[task] = event.reason
    return task


def cancelled(state: Project, event: facts.TaskCancelled, at_us: int) -> int:
    """End a task without a result."""
    task = state.tasks.find(event.task)
    state.tasks.state[task] = task_after(state.tasks.state[task], facts.TaskCancelled)
    state.parked.pop(task, None)
    return task
