"""Single choice label by label: names instead of numbers around the online model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import UNKNOWN, AnnotationSet
from crowdroute.aggregation.coding import Identifier, sorted_vocabulary
from crowdroute.aggregation.errors import InvalidAnnotationsError, InvalidParameterError, NotFittedError
from crowdroute.aggregation.fading import FadingDawidSkene, Said
from crowdroute.aggregation.prior import ConfusionPrior
from crowdroute.aggregation.smoothed import SmoothedDawidSkene

_GOLD = -1
"""Whose word gold is, in the order of arrival: no worker's row."""


class StreamingDawidSkene:
    """``SmoothedDawidSkene`` kept up to date with every annotation, amended or withdrawn ones included.

    It keeps each task's annotations and gives them to a ``FadingDawidSkene`` (``model_``), which replaces the
    task's soft counts exactly. As in every incremental EM the order of arrival shows a little, and less after
    a ``refit``. ``label_ids`` are all labels there may be, sorted; tasks and workers are added as they
    appear, in the order of ``task_ids_`` and ``worker_ids_``. With a finite ``half_life`` a worker's matrix
    forgets (``Forgetting``), in the unit of the moments given to ``partial_fit``; by default those count the
    annotations. Raises ``InvalidAnnotationsError`` without labels, ``InvalidParameterError`` for a
    half-life that is not positive.
    """

    def __init__(
        self,
        label_ids: Iterable[Identifier],
        prior: ConfusionPrior | None = None,
        half_life: float = math.inf,
    ) -> None:
        labels = list(dict.fromkeys(label_ids))
        if not labels:
            raise InvalidAnnotationsError("there are no labels; name all that may be given")
        _, self.label_ids_ = sorted_vocabulary(np.arange(len(labels), dtype=np.int32), labels)
        self.prior = prior
        self.half_life = half_life
        self._code_of = {label: code for code, label in enumerate(self.label_ids_)}
        self._begin()

    def _begin(self) -> None:
        self.model_ = FadingDawidSkene(len(self.label_ids_), self.prior, self.half_life)
        self._tasks: dict[Identifier, int] = {}
        self._workers: dict[Identifier, int] = {}
        # What the model was last given of each task: by worker's row, in the order in which they came.
        self._given: list[dict[int, Said]] = []
        self._truth: list[int] = []
        # Everything that was said and not taken back, by task's and worker's row, in the order of arrival.
        self._arrived: dict[tuple[int, int], None] = {}

    @property
    def task_ids_(self) -> tuple[Identifier, ...]:
        return tuple(self._tasks)

    @property
    def worker_ids_(self) -> tuple[Identifier, ...]:
        return tuple(self._workers)

    def partial_fit(
        self, task: Identifier, worker: Identifier, label: Identifier, moment: float | None = None
    ) -> Self:
        """Take one annotation in; a worker's later one on the same task replaces the earlier.

        ``moment`` says when it was made; None: one after the latest so far. O(the task's annotations K), and
        O(those K^2) with a finite half-life. Raises ``InvalidAnnotationsError`` for a label that was not
        named, ``InvalidParameterError`` for a moment that is not finite.
        """
        code = self._code_of_known(label)
        said = Said(code, self.model_.forgetting.advance(moment))
        place = self._place_of(task)
        if worker not in self._workers:
            self._workers[worker] = self.model_.add_matrix()
        row = self._workers[worker]
        self._arrived.pop((place, row), None)
        self._arrived[place, row] = None
        self._replace(place, _without(self._given[place], row) | {row: said})
        return self

    def withdraw(self, task: Identifier, worker: Identifier) -> Self:
        """Take an annotation out again: nothing of it is left in its worker's counts.

        The task's posterior is estimated anew from what is left; what other tasks learnt of the worker
        meanwhile stays until they are estimated anew, by ``refit`` or, to the last bit, by ``rebuild``.
        Raises ``InvalidAnnotationsError`` where there is none.
        """
        place, row = self._tasks.get(task), self._workers.get(worker)
        if place is None or row is None or row not in self._given[place]:
            raise InvalidAnnotationsError(f"worker {worker!r} has no annotation on task {task!r} to withdraw")
        del self._arrived[place, row]
        self._replace(place, _without(self._given[place], row))
        return self

    def advance(self, moment: float) -> Self:
        """Let time pass without an annotation, up to that moment.

        Raises ``InvalidParameterError`` for one that is not finite.
        """
        self.model_.forgetting.advance(moment)
        self.model_.bring_up_to_date()
        return self

    def set_gold(self, task: Identifier, label: Identifier | None) -> Self:
        """Pin a task to its gold label from now on, whether or not anybody has labelled it; None unpins it.

        Its annotations then teach what their workers do on that truth. Raises ``InvalidAnnotationsError`` for
        a label that was not named.
        """
        truth = UNKNOWN if label is None else self._code_of_known(label)
        place = self._place_of(task)
        self._arrived.pop((place, _GOLD), None)
        if truth != UNKNOWN:
            self._arrived[place, _GOLD] = None
        self._truth[place] = truth
        self._replace(place, self._given[place])
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

    def rebuild(self) -> Self:
        """Forget what was withdrawn as if it had never been given, to the last bit.

        Takes in again what is left, in the order of its arrival. O(annotations of annotations' tasks K).
        """
        tasks, workers = self.task_ids_, self.worker_ids_
        left = [
            (
                tasks[place],
                None if row == _GOLD else (workers[row], self._given[place][row]),
                self._truth[place],
            )
            for place, row in self._arrived
        ]
        self._begin()
        for task, said, truth in left:
            if said is None:
                self.set_gold(task, self.label_ids_[truth])
            else:
                self.partial_fit(task, said[0], self.label_ids_[said[1].label], said[1].moment)
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

        Both know the same annotations and gold; the batch model forgets nothing. Tasks without annotations
        are left out. Raises ``NotFittedError`` where there is none at all.
        """
        rows = [
            (place, row, said.label) for place, given in enumerate(self._given) for row, said in given.items()
        ]
        if not rows:
            raise NotFittedError("there are no annotations to compare by; call partial_fit first")
        tasks, workers, labels = np.array(rows).T
        annotations = AnnotationSet.from_sequences(
            tasks, workers, labels, label_ids=range(len(self.label_ids_))
        )
        gold = {place: truth for place, truth in enumerate(self._truth) if truth != UNKNOWN}
        batch = SmoothedDawidSkene(self.prior).fit(annotations, gold).predict_proba()
        online = self.predict_proba()[np.array(annotations.task_ids)]
        return float(0.5 * np.abs(online - batch).sum(axis=1).mean())

    def _code_of_known(self, label: Identifier) -> int:
        if label not in self._code_of:
            raise InvalidAnnotationsError(f"the label {label!r} is not among {self.label_ids_[:10]!r}")
        return self._code_of[label]

    def _place_of(self, task: Identifier) -> int:
        if task not in self._tasks:
            self._tasks[task] = len(self._tasks)
            self._given.append({})
            self._truth.append(UNKNOWN)
            self.model_.add_tasks(1)
        return self._tasks[task]

    def _replace(self, place: int, now: dict[int, Said]) -> None:
        self.model_.replace(place, self._given[place], now, self._truth[place])
        self._given[place] = now


def _without(given: Mapping[int, Said], row: int) -> dict[int, Said]:
    return {kept: said for kept, said in given.items() if kept != row}
