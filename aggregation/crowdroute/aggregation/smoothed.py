"""Dawid-Skene with Dirichlet priors, in batch: what the online model tends to, given the same labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.confusion_em import Precision, confusion_steps
from crowdroute.aggregation.foretelling import mixed_chances
from crowdroute.aggregation.grouping import worker_truth_label
from crowdroute.aggregation.iterative import IterativeEstimator, Known
from crowdroute.aggregation.prior import ConfusionPrior


class SmoothedDawidSkene(IterativeEstimator):
    """Maximum a posteriori Dawid-Skene: every confusion row and the class shares begin with pseudo-labels.

    EM on the model of Dawid and Skene (1979) with Dirichlet priors, as in V. C. Raykar et al., "Learning From
    Crowds", JMLR 11 (2010): with pseudo-counts a, P(label | truth) = (soft counts + a) / their sum, which is
    the mode under Dirichlet(a + 1). It begins with the vote shares. ``loss_history_`` is the logarithm of the
    posterior density up to a constant, per annotation; EM never lowers it. ``tol`` is a gain of it per
    annotation. An iteration is O(annotations K + workers K^2). ``threads`` and ``dtype`` as in
    ``DawidSkene``.

    ``confusion_`` (workers, truth, label), P(label | truth); ``confusion_counts_`` the same in pseudo-labels,
    prior included; ``class_shares_`` (labels,).
    """

    confusion_: NDArray[np.float64]
    confusion_counts_: NDArray[np.float64]
    class_shares_: NDArray[np.float64]

    def __init__(
        self,
        prior: ConfusionPrior | None = None,
        n_iter: int = 100,
        tol: float = 1e-6,
        threads: int = 1,
        dtype: Precision = "float64",
    ) -> None:
        self.prior = prior
        self.n_iter = n_iter
        self.tol = tol
        self.threads = threads
        self.dtype = dtype

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        prior = ConfusionPrior() if self.prior is None else self.prior
        n_classes = annotations.n_classes
        with confusion_steps(annotations, known, self.dtype, self.threads) as steps:
            from crowdroute.aggregation.confusion_kernels import normalise_smoothed

            def class_shares() -> NDArray[np.float64]:
                sums = steps.task_sums + prior.class_count
                return np.asarray(sums / sums.sum())

            steps.believe_votes()
            # The prior follows the votes once, before EM: drawn anew in every iteration it would chase its
            # own confidence.
            pseudo_labels = np.ascontiguousarray(prior.pooled_matrix(steps.pool().T).T)

            def step() -> float:
                log_density = steps.normalise(normalise_smoothed, pseudo_labels)
                log_density += prior.class_count * float(np.log(class_shares()).sum())
                log_density += steps.expect_and_count(class_shares())[0]
                return log_density / len(annotations)

            self._iterate(step)
            steps.normalise(normalise_smoothed, pseudo_labels)
            self.posteriors_ = steps.probabilities()
            self.confusion_counts_ = worker_truth_label(steps.counts, n_classes)
            self.confusion_ = steps.confusion_of(steps.counts)
            self.class_shares_ = class_shares()

    def foretell(
        self, tasks: NDArray[np.int64], workers: NDArray[np.int64], labels: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return the chance of each label, by codes; see ``Foretelling``. O(labels K)."""
        return mixed_chances(self.predict_proba(), self.confusion_, tasks, workers, labels)
