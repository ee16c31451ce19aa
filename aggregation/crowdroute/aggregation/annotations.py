"""The input of every single-choice model: who gave which label to which task, as codes and vocabularies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.coding import (
    Identifier,
    Repeats,
    check_codes,
    codes_by_appearance,
    kept_places,
    refuse_repeats,
    sorted_vocabulary,
)
from crowdroute.aggregation.errors import InvalidAnnotationsError
from crowdroute.aggregation.tables import coded_column, moments, numbers

UNKNOWN = -1
"""The code of a task without gold."""

_SUREST = 1e-6
"""How near to 0 or 1 a pre-label's probability is taken: what a machine says is never gold."""


@dataclass(frozen=True, slots=True, eq=False)
class AnnotationSet:
    """One label or none per (task, worker), in the order given; validated once and never changed.

    ``tasks``, ``workers`` and ``labels`` are read-only int32 codes of shape (annotations,) into ``task_ids``
    and ``worker_ids``, ordered by first appearance, and ``label_ids``, sorted. A label nobody used may stand
    in ``label_ids``; every task and worker has a label. ``timestamps`` (datetime64[ms], NaT where missing)
    and ``seconds`` (float64 time spent, NaN where missing) have the same shape when the source had them.
    Raises ``InvalidAnnotationsError``, or ``RepeatedAnnotationError`` for a repeated (task, worker).
    """

    tasks: NDArray[np.int32]
    workers: NDArray[np.int32]
    labels: NDArray[np.int32]
    task_ids: tuple[Identifier, ...]
    worker_ids: tuple[Identifier, ...]
    label_ids: tuple[Identifier, ...]
    timestamps: NDArray[np.datetime64] | None = None
    seconds: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        length = len(self.tasks)
        if length == 0:
            raise InvalidAnnotationsError("there are no annotations; a set needs at least one")
        for name in ("workers", "labels", "timestamps", "seconds"):
            column = getattr(self, name)
            if column is not None and column.shape != (length,):
                raise InvalidAnnotationsError(
                    f"{name} has shape {column.shape} for {length} tasks; give one entry per annotation"
                )
        for name, ids, every_one in (
            ("task", self.task_ids, True),
            ("worker", self.worker_ids, True),
            ("label", self.label_ids, False),
        ):
            check_codes(name, getattr(self, f"{name}s"), ids, every_one)
        refuse_repeats(self.tasks, self.workers, self.task_ids, self.worker_ids)
        for name in ("tasks", "workers", "labels", "timestamps", "seconds"):
            column = getattr(self, name)
            if column is not None:
                frozen = np.ascontiguousarray(column).view()
                frozen.flags.writeable = False
                object.__setattr__(self, name, frozen)

    @classmethod
    def from_sequences(
        cls,
        tasks: Sequence[Identifier] | NDArray[Any],
        workers: Sequence[Identifier] | NDArray[Any],
        labels: Sequence[Identifier] | NDArray[Any],
        *,
        repeats: Repeats = "refuse",
        label_ids: Iterable[Identifier] = (),
        timestamps: NDArray[np.datetime64] | None = None,
        seconds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Build a set from three columns of equal length; ``label_ids`` adds labels that nobody has used
        yet."""
        if not len(tasks) == len(workers) == len(labels):
            raise InvalidAnnotationsError(
                f"the columns have {len(tasks)} tasks, {len(workers)} workers and {len(labels)} labels;"
                " give one of each per annotation"
            )
        coded = [codes_by_appearance(column) for column in (tasks, workers, labels)]
        return cls._from_coded(coded, repeats, label_ids, timestamps, seconds)

    @classmethod
    def from_table(
        cls,
        table: Any,
        *,
        task: str = "task",
        worker: str = "worker",
        label: str = "label",
        timestamp: str = "timestamp",
        seconds: str = "seconds",
        repeats: Repeats = "refuse",
        label_ids: Iterable[Identifier] = (),
    ) -> Self:
        """Build a set from a pandas or polars data frame, an Arrow table, or a mapping of columns.

        The five names say which column is which; their defaults are also crowd-kit's. The two of time may be
        absent. A missing task, worker or label is refused with its row, counted from 0. ``read_annotations``
        reads CSV files. Raises ``InvalidAnnotationsError``.
        """
        coded = [coded_column(table, name) for name in (task, worker, label)]
        return cls._from_coded(coded, repeats, label_ids, moments(table, timestamp), numbers(table, seconds))

    @classmethod
    def _from_coded(
        cls,
        coded: Sequence[tuple[NDArray[np.int32], tuple[Identifier, ...]]],
        repeats: Repeats,
        label_ids: Iterable[Identifier],
        timestamps: NDArray[np.datetime64] | None,
        seconds: NDArray[np.float64] | None,
    ) -> Self:
        (tasks, task_ids), (workers, worker_ids), (labels, used_ids) = coded
        kept = kept_places(tasks, workers, len(worker_ids), repeats)
        if kept is not None:
            # One annotation of each pair stays, so no task or worker disappears; the order of appearance and
            # the labels may change with it.
            timestamps = None if timestamps is None else timestamps[kept]
            seconds = None if seconds is None else seconds[kept]
            tasks, task_ids = _renumbered(tasks[kept], task_ids)
            workers, worker_ids = _renumbered(workers[kept], worker_ids)
            labels, used_ids = _renumbered(labels[kept], used_ids)
        label_codes, sorted_labels = sorted_vocabulary(labels, used_ids, label_ids)
        return cls(tasks, workers, label_codes, task_ids, worker_ids, sorted_labels, timestamps, seconds)

    def __len__(self) -> int:
        """Return the number of annotations."""
        return len(self.tasks)

    @property
    def n_tasks(self) -> int:
        return len(self.task_ids)

    @property
    def n_workers(self) -> int:
        return len(self.worker_ids)

    @property
    def n_classes(self) -> int:
        return len(self.label_ids)

    def select(self, places: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> Self:
        """Return the annotations at the given places (a mask or indices) as a set of its own.

        Tasks and workers without an annotation left leave its vocabularies; ``label_ids`` stay. Raises
        ``InvalidAnnotationsError`` when nothing is left.
        """
        tasks, task_ids = _renumbered(self.tasks[places], self.task_ids)
        workers, worker_ids = _renumbered(self.workers[places], self.worker_ids)
        return type(self)(
            tasks,
            workers,
            self.labels[places],
            task_ids,
            worker_ids,
            self.label_ids,
            None if self.timestamps is None else self.timestamps[places],
            None if self.seconds is None else self.seconds[places],
        )

    def gold_codes(self, gold: Mapping[Any, Identifier] | None) -> NDArray[np.int32]:
        """Return the label code of each task's gold, ``UNKNOWN`` where it has none; shape (tasks,), int32.

        Gold of a task that nobody labelled is left out. Raises ``InvalidAnnotationsError`` for a gold label
        that is not in ``label_ids``.
        """
        codes = np.full(self.n_tasks, UNKNOWN, dtype=np.int32)
        if not gold:
            return codes
        code_of = {label: code for code, label in enumerate(self.label_ids)}
        for row, task in enumerate(self.task_ids):
            if task not in gold:
                continue
            if gold[task] not in code_of:
                raise InvalidAnnotationsError(
                    f"the gold label {gold[task]!r} of task {task!r} is not among the labels;"
                    " add it with label_ids if it is right"
                )
            codes[row] = code_of[gold[task]]
        return codes

    def log_odds(self, prelabels: Mapping[Any, Mapping[Any, float]]) -> NDArray[np.float64]:
        """Return pre-labels as ``fit`` takes them: (tasks, labels), the logarithms of their probabilities.

        ``prelabels`` maps a task to the probability of some of its labels, each in 0..1 and taken as no
        nearer to either than one in a million; what is left of 1 is shared evenly by the labels not named. A
        task not named gets zeros: no opinion. Raises ``InvalidAnnotationsError`` for a label that is not in
        ``label_ids``, and for probabilities that are none.
        """
        odds = np.zeros((self.n_tasks, self.n_classes))
        code_of = {label: code for code, label in enumerate(self.label_ids)}
        for row, task in enumerate(self.task_ids):
            named = prelabels.get(task)
            if not named:
                continue
            unknown = [label for label in named if label not in code_of]
            total = sum(named.values())
            if unknown or not all(0.0 <= p <= 1.0 for p in named.values()) or not 0.0 < total <= 1.0 + 1e-6:
                raise InvalidAnnotationsError(
                    f"the pre-label {dict(named)!r} of task {task!r} does not give probabilities of"
                    f" {self.label_ids[:10]!r}; each must lie between 0 and 1, and all together"
                )
            others = self.n_classes - len(named)
            shares = np.full(self.n_classes, max(1.0 - total, 0.0) / max(others, 1))
            for label, probability in named.items():
                shares[code_of[label]] = probability
            odds[row] = np.log(np.clip(shares, _SUREST, 1.0 - _SUREST))
        return odds


def _renumbered(
    codes: NDArray[np.int32], ids: tuple[Identifier, ...]
) -> tuple[NDArray[np.int32], tuple[Identifier, ...]]:
    fresh, kept = codes_by_appearance(codes)
    return fresh, tuple(ids[int(code)] for code in kept)
