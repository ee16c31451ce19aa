"""Dawid-Skene in batch, by the conventions of crowd-kit, so that the two agree number for number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, check_iteration, checked_log_odds, vote_shares
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.grouping import group_by_task, worker_truth_label
from crowdroute.aggregation.parts import Part, parts_of, side_by_side, sums_apart


class DawidSkene(CategoricalEstimator):
    """Maximum likelihood of a confusion matrix per worker and of the class shares, by EM from the votes.

    A. P. Dawid and A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM
    Algorithm", Applied Statistics 28 (1979). No prior: a worker's unused label has probability 0, and a rare
    class may be overfitted; ``SmoothedDawidSkene`` is the safer choice where workers have few labels.

    Every convention is crowd-kit 1.4.2's, hence the same posteriors to 1e-9 in as many iterations: confusion
    rows only for labels a worker gave, the floor of counts, and its objective. That objective counts the
    class share once per annotation and the entropy once per task, so that it is no bound of the likelihood
    and may fall; a fall stops the iteration as convergence does. ``tol`` is a gain of it per annotation; the
    first iteration never stops.

    ``threads`` divide the tasks; sums are then added in another order, which moves results by rounding only.

    ``confusion_`` (workers, truth, label); ``class_shares_`` (labels,).
    """

    confusion_: NDArray[np.float64]
    class_shares_: NDArray[np.float64]

    def __init__(self, n_iter: int = 100, tol: float = 1e-5, threads: int = 1) -> None:
        self.n_iter = n_iter
        self.tol = tol
        self.threads = threads

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Run EM until the objective gains less than ``tol``; O(annotations K + workers K^2) per iteration.

        The posterior of a task with gold is certain in every iteration. Raises ``InvalidParameterError`` for
        a bad ``n_iter``, ``tol`` or ``threads``, ``InvalidAnnotationsError`` for an unknown gold label.
        """
        check_iteration(self.n_iter, self.tol)
        from crowdroute.aggregation import batch_kernels as kernels

        gold_codes = annotations.gold_codes(gold)
        log_odds = checked_log_odds(annotations, prior_log_odds)
        n_classes, n_cells = annotations.n_classes, annotations.n_workers * annotations.n_classes
        grouped = group_by_task(annotations)
        seen = np.bincount(grouped.cells, minlength=n_cells) > 0
        posteriors = vote_shares(annotations, gold_codes)
        parts = parts_of(grouped.starts, self.threads)
        counts = np.zeros((len(parts), n_cells, n_classes))
        task_sums, annotation_sums = (sums_apart(len(parts), n_classes) for _ in range(2))
        task_sums[0] = posteriors.sum(axis=0)
        confusion, log_confusion = (np.zeros((n_cells, n_classes)) for _ in range(2))
        kernels.add_soft_counts(*grouped, posteriors, counts[0])
        kernels.normalise_seen(counts[0], seen, confusion, log_confusion)
        shares = _class_shares(task_sums[0], kernels.SMALLEST)
        losses: list[float] = []
        converged = False

        def expect(part: Part) -> tuple[float, float]:
            place, tasks = parts.index(part), slice(part.first, part.end)
            return kernels.expect_and_count(
                grouped.starts[part.first : part.end + 1],
                grouped.cells,
                gold_codes[tasks],
                None if log_odds is None else log_odds[tasks],
                np.log(shares),
                log_confusion,
                posteriors[tasks],
                counts[place],
                task_sums[place],
                annotation_sums[place],
            )

        with side_by_side(parts) as on_every_part:
            while not converged and len(losses) < self.n_iter:
                for total in (counts, task_sums, annotation_sums):
                    total[:] = 0.0
                entropy = sum(each for _, each in on_every_part(expect))
                for total in (counts, task_sums, annotation_sums):
                    for further in total[1:]:
                        total[0] += further
                shares = _class_shares(task_sums[0], kernels.SMALLEST)
                # The expected log-probability of the labels is a sum over counts: no second pass over the
                # annotations.
                expected = kernels.normalise_seen(counts[0], seen, confusion, log_confusion)
                expected += float(annotation_sums[0] @ np.log(shares))
                losses.append((expected + entropy) / len(annotations))
                converged = len(losses) > 1 and losses[-1] - losses[-2] < self.tol
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        self.posteriors_ = posteriors
        self.confusion_ = worker_truth_label(confusion, n_classes)
        self.class_shares_ = shares
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self


def _class_shares(task_sums: NDArray[np.float64], smallest: float) -> NDArray[np.float64]:
    return np.asarray(np.maximum(task_sums / task_sums.sum(), smallest))
