"""Which annotations speak about a task: gathered from its chain by compiled code, for the models."""

from __future__ import annotations

from typing import Any

from numba import njit
from numpy.typing import NDArray

from crowdroute.router.model.states import Receipt, Revision, Stage

Array = NDArray[Any]

FULL = -1
"""There are more annotations than there is room for."""

_COUNTED, _WITHDRAWN, _EXPERT = int(Receipt.COUNTED), int(Revision.WITHDRAWN), int(Stage.EXPERT)


@njit(cache=True, nogil=True)
def gather(
    assignments: Array,
    answers: Array,
    first: int,
    newest: int,
    field: int,
    matrices: Array,
    labels: Array,
) -> int:
    """Write the confusion matrix and the label of every counted annotation that gives the field one, experts'
    apart; give how many there are, or `FULL`.

    `assignments` and `answers` are the tables' rows, `first` begins the task's chain. The order is that of
    the chain, from the newest grant to the oldest, with the assignment `newest` behind all others.
    """
    count, row = 0, first
    while row >= 0:
        one = assignments[row]
        speaks = one.receipt == _COUNTED and one.revision < _WITHDRAWN and one.stage != _EXPERT
        if speaks and row != newest and answers[row, field] >= 0:
            if count == len(labels):
                return FULL
            matrices[count] = one.matrix
            labels[count] = answers[row, field]
            count += 1
        row = one.next_of_task
    if answers[newest, field] >= 0:
        if count == len(labels):
            return FULL
        matrices[count] = assignments[newest].matrix
        labels[count] = answers[newest, field]
        count += 1
    return count
