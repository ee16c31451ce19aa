"""Everything that a field's model rests on, read from the tables at once, for refits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.refitting import Evidence
from crowdroute.router.model.states import Receipt, Revision, Stage
from crowdroute.router.state.project import IN_POSTERIOR, WITH_KNOWN_ANSWER, Project
from crowdroute.router.state.tables import NONE


def evidence_of(state: Project, field: int) -> Evidence:
    """Give the annotations that speak about tasks, what experts decided, and the answers to known tasks.

    O(assignments), and O(answers to known tasks) of Python.
    """
    table = state.assignments.rows[: state.assignments.count]
    purposes = state.tasks.rows["purpose"][: state.tasks.count]
    labels = state.answers.values[: len(table), field]
    counts = (table["receipt"] == Receipt.COUNTED) & (table["revision"] < Revision.WITHDRAWN) & (labels >= 0)
    in_posterior = np.isin(purposes[table["task"]], [int(one) for one in IN_POSTERIOR])
    expert = table["stage"] == Stage.EXPERT
    speaking = np.flatnonzero(counts & in_posterior & ~expert)
    speaking = speaking[np.argsort(table["task"][speaking], kind="stable")]
    starts = np.zeros(len(purposes) + 1, np.int64)
    np.cumsum(np.bincount(table["task"][speaking], minlength=len(purposes)), out=starts[1:])
    return Evidence(
        starts,
        np.ascontiguousarray(table["matrix"][speaking], np.int32),
        np.ascontiguousarray(labels[speaking], np.int32),
        _truths(state, field),
        _observed(state, field, np.flatnonzero(counts)),
    )


def _truths(state: Project, field: int) -> NDArray[np.int32]:
    """Give what the newest counted expert answer of each task says."""
    table = state.assignments.rows[: state.assignments.count]
    purposes = state.tasks.rows["purpose"][: state.tasks.count]
    decided = np.flatnonzero(
        (table["receipt"] == Receipt.COUNTED)
        & (table["revision"] < Revision.WITHDRAWN)
        & (table["stage"] == Stage.EXPERT)
        & np.isin(purposes[table["task"]], [int(one) for one in IN_POSTERIOR])
    )
    truths = np.full(len(purposes), NONE, np.int32)
    # Rows are in the order of their grants, and of several for one task the last is the one that stays.
    truths[table["task"][decided]] = state.answers.values[decided, field]
    return truths


def _observed(state: Project, field: int, counting: NDArray[np.int64]) -> NDArray[np.float64]:
    model = state.models.fields[field]
    observed = np.zeros((model.n_matrices, model.n_classes, model.n_classes))
    tasks, assignments = state.tasks, state.assignments
    known = [{value.field: value.label for value in answer} for answer in state.known]
    rows = state.tasks.rows["purpose"][state.assignments.rows["task"][counting]]
    for row in counting[np.isin(rows, [int(one) for one in WITH_KNOWN_ANSWER])].tolist():
        task = assignments.task[row]
        truth = known[tasks.known[task]].get(field, NONE)
        if truth >= 0:
            matrix = state.models.find_matrix(assignments.worker[row], tasks.capability[task])
            assert matrix is not None, "whoever answered a known task has matrices"
            observed[matrix, truth, state.answers.cells[row, field]] += 1.0
    return observed
