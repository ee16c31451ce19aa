"""The annotations behind a result."""

from __future__ import annotations

from crowdroute.router.model.states import Receipt
from crowdroute.router.state.project import Project


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
