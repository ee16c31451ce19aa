"""The steps of EM with a confusion matrix per worker, by blocks of tasks in one thread or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.grouping import group_by_task, worker_truth_label
from crowdroute.aggregation.iterative import Known
from crowdroute.aggregation.parts import OnEvery, Part, parts_of, side_by_side, sums_apart

Precision = Literal["float64", "float32"]

_MOST_BLOCKS = 16
"""More blocks serve more threads; each costs a table of counts."""

_ANNOTATIONS_PER_CELL = 8
"""A block holds at least as many per cell of its table: emptying and adding tables then costs a few
hundredths of an iteration."""


class ConfusionSteps:
    """Posteriors, counts and log-probabilities of one fit, and the steps from each to the next.

    Tasks are divided into blocks by the annotations alone, never by the number of threads, and what blocks
    sum is added in their order: results are the same to the last bit in any number of threads.

    ``posteriors`` (tasks, K) and ``log_table`` (cells, truths; a cell is worker x K + label) are of the
    chosen precision, counts and sums always float64: a sum of many labels would lose the last of them in
    float32.
    """

    def __init__(
        self, annotations: AnnotationSet, known: Known, precision: Precision, on_every: OnEvery
    ) -> None:
        # Not imported with the package: whoever only counts votes need not wait for numba.
        from crowdroute.aggregation import confusion_kernels

        self._kernels: Any = confusion_kernels
        self._on_every = on_every
        self._known = known
        self._grouped = group_by_task(annotations)
        n_classes, n_workers = annotations.n_classes, annotations.n_workers
        n_cells = n_workers * n_classes
        self._blocks = parts_of(self._grouped.starts, _block_count(len(annotations), n_cells))
        self._workers = parts_of(np.arange(n_workers + 1), len(self._blocks))
        self.seen: NDArray[np.bool_] = np.bincount(self._grouped.cells, minlength=n_cells) > 0
        """Whether the worker ever gave the label: (cells,)."""
        self.posteriors: NDArray[Any] = np.empty((annotations.n_tasks, n_classes), dtype=precision)
        self.log_table: NDArray[Any] = np.zeros((n_cells, n_classes), dtype=precision)
        self._counts = np.zeros((len(self._blocks), n_cells, n_classes))
        self._task_sums, self._annotation_sums = (sums_apart(len(self._blocks), n_classes) for _ in range(2))

    @property
    def counts(self) -> NDArray[np.float64]:
        """The counts of the last step (cells, truths), once a ``normalise`` has gathered them."""
        return np.asarray(self._counts[0])

    @property
    def task_sums(self) -> NDArray[np.float64]:
        """The sum of the posteriors over tasks: (truths,)."""
        return np.asarray(self._task_sums.sum(axis=0))

    @property
    def annotation_sums(self) -> NDArray[np.float64]:
        """The sum of the posteriors over annotations: (truths,)."""
        return np.asarray(self._annotation_sums.sum(axis=0))

    def believe_votes(self) -> None:
        """Begin with the shares of the votes, and count what follows from them."""

        def work(block: Part) -> None:
            self._kernels.share_votes(*self._part(block), self.posteriors[block.first : block.end])

        self._on_every(work, self._blocks)
        self._count()

    def believe(self, posteriors: NDArray[np.float64]) -> None:
        """Begin with these posteriors (tasks, K), and count what follows from them."""
        self.posteriors[:] = posteriors
        self._count()

    def _count(self) -> None:
        def work(place: int) -> None:
            first, end = self._blocks[place]
            posteriors = self.posteriors[first:end]
            starts, cells, _ = self._part(self._blocks[place])
            self._kernels.count(starts, cells, posteriors, self._counts[place])
            self._task_sums[place] = posteriors.sum(axis=0, dtype=np.float64)

        self._on_every(work, range(len(self._blocks)))

    def expect_and_count(self, class_shares: NDArray[np.float64]) -> tuple[float, float]:
        """Re-estimate every posterior from ``log_table`` and the class shares, and count it.

        Returns the log-likelihood and the entropy of the posteriors. O(annotations K).
        """
        log_shares = np.log(class_shares)
        log_odds = self._known.log_odds

        def work(place: int) -> tuple[float, float]:
            first, end = self._blocks[place]
            told: tuple[float, float] = self._kernels.expect_and_count(
                *self._part(self._blocks[place]),
                None if log_odds is None else log_odds[first:end],
                log_shares,
                self.log_table,
                self.posteriors[first:end],
                self._counts[place],
                self._task_sums[place],
                self._annotation_sums[place],
            )
            return told

        found = self._on_every(work, range(len(self._blocks)))
        return sum(each for each, _ in found), sum(each for _, each in found)

    def pool(self) -> NDArray[np.float64]:
        """Return the counts of all workers together, before a ``normalise`` gathers them: (label, truth)."""
        n_classes = self._counts.shape[2]
        return np.asarray(self._counts.reshape(-1, n_classes, n_classes).sum(axis=0))

    def normalise(self, kernel: Callable[..., float], parameter: NDArray[Any]) -> float:
        """Fill ``log_table`` from the counts with one of the kernels that normalise; return its sum.

        O(workers K^2).
        """

        def work(workers: Part) -> float:
            return kernel(*workers, self._counts, parameter, self.log_table)

        return sum(self._on_every(work, self._workers))

    def probabilities(self) -> NDArray[np.float64]:
        """Return the posteriors in float64, rows summing to 1 in that precision."""
        if self.posteriors.dtype == np.float64:
            return self.posteriors
        exact = self.posteriors.astype(np.float64)
        exact /= exact.sum(axis=1, keepdims=True)
        return exact

    def confusion_of(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(label | truth) in proportion to counts (cells, truths): (workers, truth, label)."""
        n_classes = counts.shape[1]
        by_worker = counts.reshape(-1, n_classes, n_classes)
        return worker_truth_label(by_worker / by_worker.sum(axis=1, keepdims=True), n_classes)

    def _part(self, block: Part) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int32]]:
        first, end = block
        return self._grouped.starts[first : end + 1], self._grouped.cells, self._known.gold[first:end]


@contextmanager
def confusion_steps(
    annotations: AnnotationSet, known: Known, precision: Precision = "float64", threads: int = 1
) -> Iterator[ConfusionSteps]:
    """Give the steps of one fit; the threads end with the block.

    Raises ``InvalidParameterError`` for another precision or less than one thread.
    """
    if precision not in ("float64", "float32"):
        raise InvalidParameterError(f"dtype is {precision!r}; choose float64 or float32")
    with side_by_side(threads) as on_every:
        yield ConfusionSteps(annotations, known, precision, on_every)


def _block_count(n_annotations: int, n_cells: int) -> int:
    """Return the number of blocks: a power of 2, for threads to share evenly."""
    possible = max(n_annotations // (_ANNOTATIONS_PER_CELL * n_cells), 1)
    return min(1 << (possible.bit_length() - 1), _MOST_BLOCKS)
