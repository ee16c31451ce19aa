"""Single choice label by label: names instead of numbers around the online model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.coding import Identifier, sorted_vocabulary
from crowdroute.aggregation.errors import InvalidAnnotationsError, InvalidParameterError, NotFittedError
from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.aggregation.prior import ConfusionPrior
from crowdroute.aggregation.smoothed import SmoothedDawidSkene


class StreamingDawidSkene:
    """``SmoothedDawidSkene`` kept up to date with every annotation, amended or withdrawn ones included.

    It keeps each task's annotations and gives them to an ``OnlineDawidSkene`` (``model_``), which replaces
    the task's soft counts exactly. ``label_ids`` are all labels there may be, sorted; tasks and workers are
    added as they appear, in the order of ``task_ids_`` and ``worker_ids_``. Raises
    ``InvalidAnnotationsError`` without labels.
    """

    def __init__(self, label_ids: Iterable[Identifier], prior: ConfusionPrior | None = None) -> None:
        labels = list(dict.fromkeys(label_ids))
        if not labels:
            raise InvalidAnnotationsError("there are no labels; name all that may be given")
        _, self.label_ids_ = sorted_vocabulary(np.arange(len(labels), dtype=np.int32), labels)
        self.prior = prior
        self.model_ = OnlineDawidSkene(len(labels), prior)
        self._code_of = {label: code for code, label in enumerate(self.label_ids_)}
        self._tasks: dict[Identifier, int] = {}
        self._workers: dict[Identifier, int] = {}
        # What the model was last given of each task: worker's row to label's code.
        self._given: list[dict[int, int]] = []

    @property
    def task_ids_(self) -> tuple[Identifier, ...]:
        return tuple(self._tasks)

    @property
    def worker_ids_(self) -> tuple[Identifier, ...]:
        return tuple(self._workers)

    def partial_fit(self, task: Identifier, worker: Identifier, label: Identifier) -> Self:
        """Take one annotation in; a worker's later one on the same task replaces the earlier.

        O(the task's annotations K). Raises ``InvalidAnnotationsError`` for a label that was not named.
        """
        if label not in self._code_of:
            raise InvalidAnnotationsError(f"the label {label!r} is not among {self.label_ids_[:10]!r}")
        if task not in self._tasks:
            self._tasks[task] = len(self._tasks)
            self._given.append({})
            self.model_.add_tasks(1)
        if worker not in self._workers:
            self._workers[worker] = self.model_.add_matrix()
        place = self._tasks[task]
        self._replace(place, self._given[place] | {self._workers[worker]: self._code_of[label]})
        return self

    def withdraw(self, task: Identifier, worker: Identifier) -> Self:
        """Take an annotation out again: nothing of it is left in its worker's counts.

        Raises ``InvalidAnnotationsError`` where there is none.
        """
        place, row = self._tasks.get(task), self._workers.get(worker)
        if place is None or row is None or row not in self._given[place]:
            raise InvalidAnnotationsError(f"worker {worker!r} has no annotation on task {task!r} to withdraw")
        self._replace(place, {kept: code for kept, code in self._given[place].items() if kept != row})
        return self

    def refit(self, sweeps: int = 3) -> Self:
        """Re-estimate every task ``sweeps`` times from all others, which nears the batch model's answer.

        Raises ``InvalidParameterError`` for less than one sweep.
        """
        if sweeps < 1:
            raise InvalidParameterError(f"sweeps is {sweeps}; there must be at least one")
        for _ in range(sweeps):
            for place, given in enumerate(self._given):
                self._replace(place, given)
        return self

    def predict(self) -> dict[Identifier, Identifier]:
        """Return the likeliest label of each task; of equals, the first in the order of ``label_ids_``."""
        likeliest = self.predict_proba().argmax(axis=1)
        return {task: self.label_ids_[code] for task, code in zip(self._tasks, likeliest, strict=True)}

    def predict_proba(self) -> NDArray[np.float64]:
        """Return a copy of the posteriors (tasks, labels); uniform for a task whose annotations are
        withdrawn."""
        return self.model_.posteriors[: len(self._tasks)].copy()

    def gap_to_batch(self) -> float:
        """Return the mean total variation distance, 0 to 1, of the posteriors from those of the batch model.

        Both know the same annotations; tasks without any are left out. Raises ``NotFittedError`` where there
        is none at all.
        """
        rows = [(place, row, code) for place, given in enumerate(self._given) for row, code in given.items()]
        if not rows:
            raise NotFittedError("there are no annotations to compare by; call partial_fit first")
        tasks, workers, labels = np.array(rows).T
        annotations = AnnotationSet.from_sequences(
            tasks, workers, labels, label_ids=range(len(self.label_ids_))
        )
        batch = SmoothedDawidSkene(self.prior).fit(annotations).predict_proba()
        online = self.predict_proba()[np.array(annotations.task_ids)]
        return float(0.5 * np.abs(online - batch).sum(axis=1).mean())

    def _replace(self, place: int, now: dict[int, int]) -> None:
        old = self._given[place]
        self.model_.reestimate(place, *_columns(old), len(old), *_columns(now), len(now))
        self._given[place] = now


def _columns(given: dict[int, int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    return (
        np.fromiter(given.keys(), dtype=np.int32, count=len(given)),
        np.fromiter(given.values(), dtype=np.int32, count=len(given)),
    )
