"""Who agrees with whom: Cohen's kappa of two workers over the tasks that both have labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.agreement_coefficients import Weighting, agreement_weights
from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError, RepeatedAnnotationError
from crowdroute.aggregation.intervals import CONFIDENCE, Estimate, jackknife_interval

_NOTHING = 1e-9
"""Chance disagreement that is a rounding error of none."""


class WorkerPair(NamedTuple):
    """Two workers, the tasks both labelled, and their kappa; None where it is undefined."""

    first: int
    second: int
    shared: int
    kappa: Estimate | None


class PairAgreement:
    """Labels of every two workers on shared tasks, kept up to date one annotation at a time.

    Tasks and workers are any whole numbers, labels the codes 0.. to ``n_classes`` - 1. An annotation costs
    O(annotations of its task); memory is K^2 whole numbers per pair of workers that shared a task.
    """

    def __init__(self, n_classes: int) -> None:
        if n_classes < 1:
            raise InvalidParameterError(f"n_classes is {n_classes}; there must be at least one")
        self.n_classes = n_classes
        self._given: dict[int, dict[int, int]] = {}
        self._tables: dict[tuple[int, int], list[int]] = {}
        """Smaller worker first; flat (K, K), axes (its label, the other's)."""

    @classmethod
    def from_annotations(cls, annotations: AnnotationSet) -> Self:
        """Add every annotation of a set. O(sum over tasks of their annotations squared)."""
        made = cls(annotations.n_classes)
        columns = (annotations.tasks.tolist(), annotations.workers.tolist(), annotations.labels.tolist())
        for task, worker, label in zip(*columns, strict=True):
            made.add(task, worker, label)
        return made

    def add(self, task: int, worker: int, label: int) -> None:
        """Count one annotation.

        Raises ``OutOfRangeError`` for an unknown label, ``RepeatedAnnotationError`` if the worker has a label
        on this task: remove it first.
        """
        if not 0 <= label < self.n_classes:
            raise OutOfRangeError(f"label {label} is unknown; labels are 0..{self.n_classes - 1}")
        given = self._given.setdefault(task, {})
        if worker in given:
            raise RepeatedAnnotationError(task, worker, given[worker], label, "labels")
        self._count(given, worker, label, 1)
        given[worker] = label

    def remove(self, task: int, worker: int) -> None:
        """Take back the worker's annotation of the task. Raises ``OutOfRangeError`` if there is none."""
        given = self._given.get(task, {})
        if worker not in given:
            raise OutOfRangeError(f"worker {worker} has no label on task {task} to take back; each goes once")
        label = given.pop(worker)
        self._count(given, worker, label, -1)

    def table(self, first: int, second: int) -> NDArray[np.int64]:
        """Return how often each label of one met each of the other: (K, K), axes (first's, second's)."""
        k = self.n_classes
        kept = self._tables.get((min(first, second), max(first, second)), [0] * (k * k))
        square = np.array(kept, dtype=np.int64).reshape(k, k)
        return square if first < second else np.ascontiguousarray(square.T)

    def kappa(
        self,
        first: int,
        second: int,
        weighting: Weighting = "identity",
        values: Sequence[float] | None = None,
        confidence: float = CONFIDENCE,
    ) -> Estimate | None:
        """Return the kappa of two workers, or None where it is undefined: see ``cohens_kappa``."""
        return cohens_kappa(self.table(first, second), weighting, values, confidence)

    def pairs(self, least_shared: int = 1, confidence: float = CONFIDENCE) -> list[WorkerPair]:
        """Return every two workers that share at least so many tasks, in the order of their numbers."""
        return [
            WorkerPair(first, second, sum(table), self.kappa(first, second, confidence=confidence))
            for (first, second), table in sorted(self._tables.items())
            if sum(table) >= max(least_shared, 1)
        ]

    def _count(self, given: dict[int, int], worker: int, label: int, step: int) -> None:
        k = self.n_classes
        for other, others_label in given.items():
            if worker < other:
                key, cell = (worker, other), label * k + others_label
            else:
                key, cell = (other, worker), others_label * k + label
            table = self._tables.get(key)
            if table is None:
                table = self._tables[key] = [0] * (k * k)
            table[cell] += step


def cohens_kappa(
    table: NDArray[np.int64],
    weighting: Weighting = "identity",
    values: Sequence[float] | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate | None:
    """Return Cohen's kappa of a table of counts (K, K), or None where chance alone would agree always.

    kappa = 1 - observed / expected disagreement, each weighted by 1 - credit: J. Cohen, "A coefficient of
    agreement for nominal scales" (1960), and "Weighted kappa", Psychological Bulletin 70 (1968). ``values``
    (K,) place the labels for the weightings, or else their codes. The interval is the jackknife's over tasks:
    those of one cell are the same to leave out.
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise InvalidParameterError(f"a table of shape {counts.shape} is not square; give (labels, labels)")
    places = np.arange(len(counts), dtype=np.float64) if values is None else np.asarray(values, np.float64)
    apart = 1.0 - agreement_weights(weighting, places)
    value = float(_kappa(counts, apart))
    if not np.isfinite(value):
        return None
    rows, columns = np.nonzero(counts)
    cells = np.arange(len(rows))
    without = np.repeat(counts[np.newaxis], len(rows), axis=0)
    without[cells, rows, columns] -= 1.0
    repeats = counts[rows, columns].astype(np.int64)
    return jackknife_interval(value, _kappa(without, apart), repeats, confidence, (-1.0, 1.0))


def _kappa(counts: NDArray[np.float64], apart: NDArray[np.float64]) -> NDArray[np.float64]:
    count = counts.sum(axis=(-2, -1))
    observed = (counts * apart).sum(axis=(-2, -1)) * count
    by_first, by_second = counts.sum(axis=-1), counts.sum(axis=-2)
    products = by_first[..., :, np.newaxis] * by_second[..., np.newaxis, :]
    expected = (products * apart).sum(axis=(-2, -1))
    sound = expected > _NOTHING * np.maximum(count, 1.0) ** 2
    return np.asarray(np.where(sound, 1.0 - observed / np.where(sound, expected, 1.0), np.inf))
