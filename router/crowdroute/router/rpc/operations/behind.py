"""A revision of a result, and the annotations behind it."""

from __future__ import annotations

from crowdroute.router.model.states import Receipt
from crowdroute.router.state.project import Project
from crowdroute.router.state.tables import NONE


def annotations_behind(state: Project, result: int) -> list[int]:
    """Give the rows of the assignments that a published result rests on, oldest first.

    For a result that stands these are the answers that had come when it was published and still count. For
    one that was superseded, answers that no longer count are among them: they did then.
    """
    table, task = state.assignments, state.results.task[result]
    stands = state.tasks.result[task] == result
    rows = [
        row
        for row in state.assignments_of_task(task)
        if table.receipt[row] == Receipt.COUNTED
        and table.answered_us[row] <= state.results.at_us[result]
        and (not stands or state.counts(row))
    ]
    rows.reverse()
    return rows


def counted_behind(state: Project, result: int) -> int:
    """Give how many answers a result rests on, as noted when it was published; a correction noted none."""
    if state.results.corrected[result]:
        return len(annotations_behind(state, result))
    return state.results.counted[result]


def result_row(state: Project, task: int, revision: int) -> int:
    """Give the row of one revision of a task's result (0: the newest), or -1."""
    row = state.tasks.result[task]
    while row != NONE and revision and state.results.revision[row] != revision:
        row = state.results.previous[row]
    return row
