"""Dawid-Skene with Dirichlet priors, in batch: what the online model tends to, given the same labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, check_iteration, checked_log_odds, vote_shares
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.foretelling import mixed_chances
from crowdroute.aggregation.grouping import group_by_task, worker_truth_label
from crowdroute.aggregation.prior import ConfusionPrior


class SmoothedDawidSkene(CategoricalEstimator):
    """Maximum a posteriori Dawid-Skene: every confusion row and the class shares begin with pseudo-labels.

    EM on the model of Dawid and Skene (1979) with Dirichlet priors, as in V. C. Raykar et al., "Learning From
    Crowds", JMLR 11 (2010): with pseudo-counts a, P(label | truth) = (soft counts + a) / their sum, which is
    the mode under Dirichlet(a + 1). ``loss_history_`` is the logarithm of the posterior density up to a
    constant, per annotation; EM never lowers it. ``tol`` is a gain of it per annotation.

    ``confusion_`` (workers, truth, label), P(label | truth); ``confusion_counts_`` the same in pseudo-labels,
    prior included; ``class_shares_`` (labels,).
    """

    confusion_: NDArray[np.float64]
    confusion_counts_: NDArray[np.float64]
    class_shares_: NDArray[np.float64]

    def __init__(self, prior: ConfusionPrior | None = None, n_iter: int = 100, tol: float = 1e-6) -> None:
        self.prior = prior
        self.n_iter = n_iter
        self.tol = tol

    def fit(
        self,
        annotations: AnnotationSet,
        gold: Mapping[Any, Identifier] | None = None,
        prior_log_odds: NDArray[np.float64] | None = None,
    ) -> Self:
        """Run EM from the vote shares until the loss gains less than ``tol``.

        O(annotations K + workers K^2) per iteration. The posterior of a task with gold is certain in every
        iteration. Raises ``InvalidParameterError`` for a bad ``n_iter`` or ``tol``,
        ``InvalidAnnotationsError`` for an unknown gold label.
        """
        check_iteration(self.n_iter, self.tol)
        from crowdroute.aggregation import batch_kernels as kernels

        prior = ConfusionPrior() if self.prior is None else self.prior
        gold_codes = annotations.gold_codes(gold)
        log_odds = checked_log_odds(annotations, prior_log_odds)
        n_classes = annotations.n_classes
        grouped = group_by_task(annotations)
        posteriors = vote_shares(annotations, gold_codes)
        counts = np.zeros((annotations.n_workers * n_classes, n_classes))
        kernels.add_soft_counts(*grouped, posteriors, counts)
        # The prior follows the votes once, before EM: drawn anew in every iteration it would chase its own
        # confidence.
        pool = counts.reshape(-1, n_classes, n_classes).sum(axis=0).T
        pseudo_labels = np.tile(prior.pooled_matrix(pool).T, (annotations.n_workers, 1))
        counts += pseudo_labels
        task_sums, annotation_sums = posteriors.sum(axis=0), np.zeros(n_classes)
        losses: list[float] = []
        converged = False
        while not converged and len(losses) < self.n_iter:
            log_confusion = _log_confusion(counts, n_classes)
            task_sums += prior.class_count
            log_shares = np.log(task_sums / task_sums.sum())
            counts[:] = pseudo_labels
            for total in (task_sums, annotation_sums):
                total[:] = 0.0
            log_likelihood, _ = kernels.expect_and_count(
                *grouped,
                gold_codes,
                log_odds,
                log_shares,
                log_confusion,
                posteriors,
                counts,
                task_sums,
                annotation_sums,
            )
            log_prior = float((pseudo_labels * log_confusion).sum())
            log_prior += prior.class_count * float(log_shares.sum())
            losses.append((log_likelihood + log_prior) / len(annotations))
            converged = len(losses) > 1 and losses[-1] - losses[-2] < self.tol
        self.task_ids_, self.label_ids_ = annotations.task_ids, annotations.label_ids
        self.posteriors_ = posteriors
        self.confusion_counts_ = worker_truth_label(counts, n_classes)
        self.confusion_ = self.confusion_counts_ / self.confusion_counts_.sum(axis=2, keepdims=True)
        task_sums += prior.class_count
        self.class_shares_ = task_sums / task_sums.sum()
        self.converged_, self.n_iter_, self.loss_history_ = converged, len(losses), tuple(losses)
        return self

    def foretell(
        self, tasks: NDArray[np.int64], workers: NDArray[np.int64], labels: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return the chance of each label, by codes; see ``Foretelling``. O(labels K)."""
        return mixed_chances(self.predict_proba(), self.confusion_, tasks, workers, labels)


def _log_confusion(counts: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Return ln P(label | truth) of a (cells, truth) table of positive counts."""
    by_worker = counts.reshape(-1, n_classes, n_classes)
    return np.asarray(np.log(by_worker / by_worker.sum(axis=1, keepdims=True)).reshape(counts.shape))
