"""How far workers agree beyond chance: Krippendorff's alpha, Fleiss' kappa, Gwet's AC1 and AC2.

All of them follow from how often each task got each label. Those counts, and sums of them, are whole numbers
that one label more or less changes in O(K^2): the coefficients are always fresh, in O(sizes K^2), and equal
to the last bit what counting anew would give. Who gave a label does not matter here; ``PairAgreement`` keeps
who agrees with whom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.agreement_coefficients import (
    Level,
    Moments,
    Weighting,
    agreement_weights,
    alpha,
    difference,
    distances,
    fleiss,
    gwet,
    moments_of_rows,
)
from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError
from crowdroute.aggregation.intervals import CONFIDENCE, Estimate, jackknife_interval

_RANGE = (-1.0, 1.0)
"""Where a coefficient lies; the interval where nothing is known."""

_CELLS_AT_ONCE = 1 << 21
"""Matrix entries computed at once by the jackknife: 16 MB each."""


class AgreementCounts:
    """Labels per task, kept up to date one annotation at a time.

    ``n_classes`` labels are the codes 0.. to ``n_classes`` - 1, tasks any row number from 0. Raises
    ``InvalidParameterError`` for fewer than one class.
    """

    def __init__(self, n_classes: int) -> None:
        if n_classes < 1:
            raise InvalidParameterError(f"n_classes is {n_classes}; there must be at least one")
        self.n_classes = n_classes
        self._counts = np.zeros((0, n_classes), dtype=np.int64)
        self._borrowed = False
        self._sizes = np.zeros(0, dtype=np.int64)
        self._pairs = np.zeros((2, n_classes, n_classes), dtype=np.int64)
        self._labels = np.zeros((2, n_classes), dtype=np.int64)
        self._tasks = np.zeros(2, dtype=np.int64)

    @classmethod
    def from_annotations(cls, annotations: AnnotationSet) -> Self:
        """Count a whole set at once; ``add`` label by label gives the same."""
        from crowdroute.aggregation import agreement_kernels

        made = cls(annotations.n_classes)
        made._counts = np.zeros((annotations.n_tasks, annotations.n_classes), dtype=np.int64)
        made._sizes = np.zeros(annotations.n_tasks, dtype=np.int64)
        agreement_kernels.count(annotations.tasks, annotations.labels, made._counts, made._sizes)
        made._sum_up()
        return made

    @classmethod
    def from_counts(cls, counts: NDArray[np.integer[Any]]) -> Self:
        """Take counts (tasks, labels) that are there already; they must not change while coefficients are
        asked."""
        if counts.ndim != 2 or counts.dtype.kind not in "iu":
            raise InvalidParameterError(
                f"counts are a {counts.ndim}-dimensional {counts.dtype} array; give (tasks, labels) whole"
                " numbers"
            )
        from crowdroute.aggregation import agreement_kernels

        made = cls(counts.shape[1])
        # Not copied until something changes: of a million tasks, copying takes as long as the rest.
        made._counts, made._borrowed = np.ascontiguousarray(counts, dtype=np.int64), True
        made._sizes = np.zeros(len(counts), dtype=np.int64)
        if agreement_kernels.measure(made._counts, made._sizes) < 0:
            raise InvalidParameterError("counts hold a negative number; give whole numbers from 0")
        made._sum_up()
        return made

    @property
    def n_tasks(self) -> int:
        """Tasks with two labels or more: the others say nothing about agreement."""
        return int(self._tasks[2:].sum())

    def add(self, task: int, label: int) -> None:
        """Count one label more. Raises ``OutOfRangeError`` for a negative task or an unknown label."""
        self._check(task, label)
        if task >= len(self._counts):
            self._make_room_for_tasks(task + 1)
        if self._sizes[task] + 2 > len(self._tasks):
            self._make_room_for_sizes(2 * len(self._tasks))
        self._move(task, label, 1)

    def remove(self, task: int, label: int) -> None:
        """Take back one label that was counted. Raises ``OutOfRangeError`` if there is none."""
        self._check(task, label)
        if task >= len(self._counts) or self._counts[task, label] == 0:
            raise OutOfRangeError(f"task {task} has no label {label} to take back; each can go once")
        self._move(task, label, -1)

    def krippendorff_alpha(
        self,
        level: Level = "nominal",
        values: Sequence[float] | None = None,
        confidence: float | None = CONFIDENCE,
    ) -> Estimate | None:
        """Return Krippendorff's alpha, 1 - observed / expected disagreement, or None where it is undefined.

        K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011). Difference of labels c and k:
        nominal 1; ordinal (sum of the labels from c to k, those at the ends half)^2; interval (v_c - v_k)^2,
        with ``values`` (K,) or else the codes. Undefined without two different labels among the tasks of two
        labels or more. The interval is the jackknife's over tasks; ``confidence`` None leaves it out, and
        both bounds are then the value.
        """
        numbers = self._values(values)

        def coefficient(moments: Moments) -> NDArray[np.float64]:
            return alpha(moments.coincidences, distances(moments.coincidences, level, numbers))

        return self._estimate(coefficient, confidence)

    def fleiss_kappa(self, confidence: float | None = CONFIDENCE) -> Estimate | None:
        """Return Fleiss' kappa, or None where it is undefined (no task of two labels, or one label only).

        J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76 (1971);
        for tasks of unequal labels as K. L. Gwet, Handbook of Inter-Rater Reliability (4th ed., 2014),
        chapter 2: agreement is the mean over tasks of two labels or more, label shares over all. Interval as
        in ``krippendorff_alpha``.
        """
        return self._estimate(fleiss, confidence)

    def gwet_ac(
        self,
        weighting: Weighting = "identity",
        values: Sequence[float] | None = None,
        confidence: float | None = CONFIDENCE,
    ) -> Estimate | None:
        """Return Gwet's AC1 (identity) or AC2 (weights), or None without a task of two labels.

        Chance agreement is sum w / (K (K - 1)) x sum_k pi_k (1 - pi_k): it stays low where nearly all labels
        are one, where kappa collapses. K. L. Gwet, "Computing inter-rater reliability and its variance in the
        presence of high agreement", British Journal of Mathematical and Statistical Psychology 61 (2008).
        K counts all labels there are, used or not. Weights 1 - |v_c - v_k| / range, or of the squares, with
        ``values`` or else the codes. Interval as in ``krippendorff_alpha``.
        """
        if self.n_classes < 2:
            return None
        weights = agreement_weights(weighting, self._values(values))
        return self._estimate(lambda moments: gwet(moments, weights), confidence)

    def disagreement(self) -> NDArray[np.float64]:
        """Return, per task, the share of its pairs of labels that differ; 0 with fewer than two labels."""
        same = (self._counts * (self._counts - 1)).sum(axis=1)
        pairs = self._sizes * (self._sizes - 1)
        return np.asarray(np.where(pairs > 0, 1.0 - same / np.maximum(pairs, 1), 0.0))

    def _estimate(
        self, coefficient: Callable[[Moments], NDArray[np.float64]], confidence: float | None
    ) -> Estimate | None:
        if self.n_tasks == 0:
            return None
        whole = self._moments()
        value = float(coefficient(whole))
        if not np.isfinite(value):
            return None
        if confidence is None:
            return Estimate(value, value, value)
        # Tasks with the same counts are the same to leave out.
        rows, repeats = np.unique(self._counts[self._sizes > 0], axis=0, return_counts=True)
        at_once = max(_CELLS_AT_ONCE // self.n_classes**2, 1)
        without = [
            coefficient(difference(whole, moments_of_rows(rows[start : start + at_once])))
            for start in range(0, len(rows), at_once)
        ]
        return jackknife_interval(value, np.concatenate(without), repeats, confidence, _RANGE)

    def _moments(self) -> Moments:
        sizes = np.arange(len(self._tasks), dtype=np.float64)
        once = np.maximum(sizes, 1.0)
        pairs = np.maximum(sizes - 1.0, 1.0)
        return Moments(
            np.tensordot(1.0 / pairs, self._pairs, 1),
            np.tensordot(1.0 / (pairs * once), self._pairs, 1),
            (1.0 / once) @ self._labels,
        )

    def _sum_up(self) -> None:
        from crowdroute.aggregation import agreement_kernels

        self._make_room_for_sizes(int(self._sizes.max(initial=0)) + 2)
        agreement_kernels.sum_by_size(self._counts, self._sizes, self._pairs, self._labels, self._tasks)

    def _values(self, values: Sequence[float] | None) -> NDArray[np.float64]:
        if values is None:
            return np.arange(self.n_classes, dtype=np.float64)
        numbers = np.asarray(values, dtype=np.float64)
        if numbers.shape != (self.n_classes,) or not np.isfinite(numbers).all():
            raise InvalidParameterError(
                f"values are {list(values)}; give one finite number for each of {self.n_classes} labels"
            )
        return numbers

    def _check(self, task: int, label: int) -> None:
        if task < 0 or not 0 <= label < self.n_classes:
            raise OutOfRangeError(
                f"task {task}, label {label}: tasks count from 0, labels are 0..{self.n_classes - 1}"
            )

    def _move(self, task: int, label: int, step: int) -> None:
        from crowdroute.aggregation import agreement_kernels

        if self._borrowed:
            self._counts, self._borrowed = self._counts.copy(), False
        agreement_kernels.move(
            self._counts, self._sizes, self._pairs, self._labels, self._tasks, task, label, step
        )

    def _make_room_for_tasks(self, least: int) -> None:
        more = max(least, 2 * len(self._counts), 16) - len(self._counts)
        self._counts = np.concatenate([self._counts, np.zeros((more, self.n_classes), dtype=np.int64)])
        self._sizes = np.concatenate([self._sizes, np.zeros(more, dtype=np.int64)])
        self._tasks[0] += more

    def _make_room_for_sizes(self, least: int) -> None:
        more = max(least - len(self._tasks), 0)
        k = self.n_classes
        self._pairs = np.concatenate([self._pairs, np.zeros((more, k, k), dtype=np.int64)])
        self._labels = np.concatenate([self._labels, np.zeros((more, k), dtype=np.int64)])
        self._tasks = np.concatenate([self._tasks, np.zeros(more, dtype=np.int64)])
