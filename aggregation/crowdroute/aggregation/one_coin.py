"""Dawid-Skene with a single number per worker: how often they are right, whatever the truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, check_iteration, checked_log_odds, vote_shares
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.grouping import group_by_task, right_or_wrong


class OneCoinDawidSkene(CategoricalEstimator):
    """Maximum likelihood of an accuracy per worker and of the class shares, by EM from the votes.

    P(label | truth) is the worker's accuracy s where they are the same and (1 - s) / (K - 1) elsewhere: the
    homogeneous model of Y. Zhang, X. Chen, D. Zhou and M. I. Jordan, "Spectral Methods Meet EM", JMLR 17
    (2016). Good where workers have few labels per class; wrong where some classes are harder than others.

    Every convention is crowd-kit 1.4.2's, its objective and floor included (see ``DawidSkene``), hence the
    same posteriors to 1e-9 in as many iterations; it takes no gold there.

    ``skills_`` (workers,); ``confusion_`` (workers, truth, label) is what they imply; ``class_shares_``
    (labels,).
    """

    skills_: NDArray[np.float64]
    confusion_: NDArray[np.float64]
    class_shares_: NDArray[np.float64]

    def __init__(self, n_iter: int = 100, tol: float = 1e-5) -> None:
        self.n_iter = n_iter
        self.tol = tol

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Run EM until the objective gains less than ``tol``; O(annotations + tasks K) per iteration.

        The posterior of a task with gold is certain in every iteration. Raises ``InvalidParameterError`` for
        a bad ``n_iter`` or ``tol``, ``InvalidAnnotationsError`` for an unknown gold label.
        """
        check_iteration(self.n_iter, self.tol)
        from crowdroute.aggregation import batch_kernels, one_coin_kernels

        smallest = batch_kernels.SMALLEST
        gold_codes = annotations.gold_codes(gold)
        log_odds = checked_log_odds(annotations, prior_log_odds)
        n_classes = annotations.n_classes
        grouped = group_by_task(annotations)
        given = np.bincount(annotations.workers, minlength=annotations.n_workers).astype(np.float64)
        posteriors = vote_shares(annotations, gold_codes)
        task_sums, annotation_sums = posteriors.sum(axis=0), np.zeros(n_classes)
        believed = posteriors[annotations.tasks, annotations.labels]
        right = np.bincount(annotations.workers, believed, annotations.n_workers).astype(np.float64)
        losses: list[float] = []
        converged = False
        shares = np.maximum(task_sums / task_sums.sum(), smallest)
        log_right, log_wrong = _logarithms(right / given, n_classes, smallest)
        while not converged and len(losses) < self.n_iter:
            for total in (right, task_sums, annotation_sums):
                total[:] = 0.0
            entropy = one_coin_kernels.expect_and_count(
                *grouped,
                gold_codes,
                log_odds,
                np.log(shares),
                log_right,
                log_wrong,
                posteriors,
                right,
                task_sums,
                annotation_sums,
            )
            shares = np.maximum(task_sums / task_sums.sum(), smallest)
            log_right, log_wrong = _logarithms(right / given, n_classes, smallest)
            expected = float(right @ log_right + (given - right) @ log_wrong)
            expected += float(annotation_sums @ np.log(shares))
            losses.append((expected + entropy) / len(annotations))
            converged = len(losses) > 1 and losses[-1] - losses[-2] < self.tol
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        self.posteriors_ = posteriors
        self.skills_ = np.minimum(right / given, 1.0)
        self.confusion_ = right_or_wrong(self.skills_, n_classes)
        self.class_shares_ = shares
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self


def _logarithms(
    skills: NDArray[np.float64], n_classes: int, smallest: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ln P of the right label, and of one certain wrong one, per worker, both bounded away from 0."""
    wrong = (1.0 - skills) / max(n_classes - 1, 1)
    return (
        np.log(np.clip(skills, smallest, 1.0 - smallest)),
        np.log(np.clip(wrong, smallest, 1.0 - smallest)),
    )
