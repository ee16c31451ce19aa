"""The input of every model: who gave which label to which task, as integer codes with their vocabularies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.errors import InvalidAnnotationsError, RepeatedAnnotationError

Identifier = str | int
"""A task, worker or label as the outside names it: opaque, compared for equality; labels are also sorted."""

Repeats = Literal["first", "refuse"]
"""What to do when a worker labelled one task more than once: keep the first label, or refuse the whole
set."""

UNKNOWN = -1
"""The code of a task without gold."""


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
            _check_codes(name, getattr(self, f"{name}s"), ids, every_one)
        repeated = _first_repeat(self.tasks, self.workers, len(self.worker_ids))
        if repeated is not None:
            earlier, later = repeated
            task, worker = self.task_ids[self.tasks[later]], self.worker_ids[self.workers[later]]
            raise RepeatedAnnotationError(task, worker, earlier, later)
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
        task_codes, task_ids = _codes_by_appearance(tasks)
        worker_codes, worker_ids = _codes_by_appearance(workers)
        if repeats == "first":
            kept = _first_of_each_pair(task_codes, worker_codes, len(worker_ids))
            if len(kept) < len(task_codes):
                # A kept pair is the first of its kind, so no task or worker disappears and the order stays.
                task_codes, worker_codes = task_codes[kept], worker_codes[kept]
                labels = (
                    np.asarray(labels)[kept] if isinstance(labels, np.ndarray) else [labels[i] for i in kept]
                )
                timestamps = None if timestamps is None else timestamps[kept]
                seconds = None if seconds is None else seconds[kept]
        label_codes, sorted_labels = _sorted_codes(labels, label_ids)
        return cls(
            task_codes, worker_codes, label_codes, task_ids, worker_ids, sorted_labels, timestamps, seconds
        )

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


def _check_codes(name: str, codes: NDArray[np.int32], ids: tuple[Identifier, ...], every_one: bool) -> None:
    if codes.dtype != np.int32 or codes.ndim != 1:
        raise InvalidAnnotationsError(
            f"{name}s is a {codes.ndim}-dimensional {codes.dtype} array; codes are one-dimensional int32"
        )
    if len(set(ids)) != len(ids):
        raise InvalidAnnotationsError(f"{name}_ids names something twice; each id stands once")
    if codes.min() < 0 or codes.max() >= len(ids):
        raise InvalidAnnotationsError(
            f"{name}s has codes from {codes.min()} to {codes.max()}, but there are {len(ids)} {name}_ids"
        )
    if every_one and np.count_nonzero(np.bincount(codes, minlength=len(ids))) < len(ids):
        raise InvalidAnnotationsError(f"{name}_ids names a {name} without annotations; leave it out")


def _codes_by_appearance(
    column: Sequence[Identifier] | NDArray[Any],
) -> tuple[NDArray[np.int32], tuple[Identifier, ...]]:
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu":
        values, first, inverse = np.unique(column, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(order), dtype=np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        return rank[inverse], tuple(values[order].tolist())
    known: dict[Identifier, int] = {}
    codes = [known.setdefault(_identifier(value), len(known)) for value in column]
    return np.array(codes, dtype=np.int32), tuple(known)


def _sorted_codes(
    column: Sequence[Identifier] | NDArray[Any], further: Iterable[Identifier]
) -> tuple[NDArray[np.int32], tuple[Identifier, ...]]:
    codes, ids = _codes_by_appearance(column)
    every: list[Any] = list(dict.fromkeys([*ids, *(_identifier(label) for label in further)]))
    try:
        every.sort()
    except TypeError as error:
        raise InvalidAnnotationsError("the labels mix numbers and text; give them all as text") from error
    place = {label: code for code, label in enumerate(every)}
    rank = np.array([place[label] for label in ids], dtype=np.int32)
    return rank[codes], tuple(every)


def _identifier(value: object) -> Identifier:
    # numpy's text and integer scalars would print, sort and compare by their own rules.
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    raise InvalidAnnotationsError(
        f"{value!r} is a {type(value).__name__}; tasks, workers and labels are text or integers"
    )


def _first_of_each_pair(
    tasks: NDArray[np.int32], workers: NDArray[np.int32], n_workers: int
) -> NDArray[np.intp]:
    """Return the places, ascending, where a (task, worker) pair stands for the first time."""
    _, first = np.unique(tasks.astype(np.int64) * n_workers + workers, return_index=True)
    return np.sort(first)


def _first_repeat(
    tasks: NDArray[np.int32], workers: NDArray[np.int32], n_workers: int
) -> tuple[int, int] | None:
    """Return the places of the first pair that repeats an earlier one, and of that earlier one."""
    first = _first_of_each_pair(tasks, workers, n_workers)
    if len(first) == len(tasks):
        return None
    is_first = np.zeros(len(tasks), dtype=bool)
    is_first[first] = True
    later = int(np.argmin(is_first))
    earlier = int(np.argmax((tasks == tasks[later]) & (workers == workers[later])))
    return earlier, later
