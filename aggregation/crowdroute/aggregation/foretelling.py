"""What a fitted model says of labels that it has not seen: how likely does this worker give that one?"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class Foretelling(Protocol):
    """A fitted model that foretells labels from its own parameters."""

    def foretell(
        self, tasks: NDArray[np.int64], workers: NDArray[np.int64], labels: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return P(label | the annotations fitted) of each, were the worker to label the task.

        Codes are those of the fitted annotations; -1 stands for a task or a worker that they do not have, of
        whom the average is thought. Raises ``NotFittedError`` before ``fit``.
        """
        ...


def with_average(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the table with the mean of its rows as a last one, which is where -1 points to."""
    return np.concatenate([table, table.mean(axis=0, keepdims=True)])


def mixed_chances(
    states: NDArray[np.float64],
    matrices: NDArray[np.float64],
    tasks: NDArray[np.int64],
    workers: NDArray[np.int64],
    labels: NDArray[np.int32],
) -> NDArray[np.float64]:
    """Return sum_s P(state s of the task) P(label | state s, worker) of each label.

    ``states`` (tasks, S) are posteriors, ``matrices`` (workers, S, labels) confusion rows; -1 is the average
    of either.
    """
    states, typical = with_average(states), matrices.mean(axis=0)
    known = workers >= 0
    chances = np.zeros(len(labels))
    for state in range(states.shape[1]):
        # Matrices may be large: the average worker is looked up beside them, not in a longer copy.
        said = np.where(known, matrices[workers, state, labels], typical[state, labels])
        chances += states[tasks, state] * said
    return chances
