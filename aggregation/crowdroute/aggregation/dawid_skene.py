"""Dawid-Skene in batch, by the conventions of crowd-kit, so that the two agree number for number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.confusion_em import ConfusionSteps, Precision, confusion_steps
from crowdroute.aggregation.iterative import IterativeEstimator, Known


class DawidSkene(IterativeEstimator):
    """Maximum likelihood of a confusion matrix per worker and of the class shares, by EM from the votes.

    A. P. Dawid and A. M. Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM
    Algorithm", Applied Statistics 28 (1979). No prior: a worker's unused label has probability 0, and a rare
    class may be overfitted; ``SmoothedDawidSkene`` is the safer choice where workers have few labels.

    Every convention is crowd-kit 1.4.2's, hence the same posteriors to 1e-9 in as many iterations: confusion
    rows only for labels a worker gave, the floor of counts, and its objective. That objective counts the
    class share once per annotation and the entropy once per task, so that it is no bound of the likelihood
    and may fall; a fall stops the iteration as convergence does. ``tol`` is a gain of it per annotation; the
    first iteration never stops. An iteration is O(annotations K + workers K^2).

    ``threads`` share blocks of tasks; their number changes no bit of a result. ``dtype`` "float32" keeps
    posteriors and logarithms in half the memory, a tenth faster; counts stay float64. In as many iterations
    its posteriors are within 1e-3 of float64's, and its objective within 1e-5.

    ``confusion_`` (workers, truth, label); ``class_shares_`` (labels,).
    """

    confusion_: NDArray[np.float64]
    class_shares_: NDArray[np.float64]

    def __init__(
        self, n_iter: int = 100, tol: float = 1e-5, threads: int = 1, dtype: Precision = "float64"
    ) -> None:
        self.n_iter = n_iter
        self.tol = tol
        self.threads = threads
        self.dtype = dtype

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        with confusion_steps(annotations, known, self.dtype, self.threads) as steps:
            from crowdroute.aggregation.confusion_kernels import normalise_seen
            from crowdroute.aggregation.posterior_kernels import SMALLEST

            def class_shares() -> NDArray[np.float64]:
                return np.asarray(np.maximum(steps.task_sums / steps.task_sums.sum(), SMALLEST))

            def step() -> float:
                _, entropy = steps.expect_and_count(class_shares())
                # The expected log-probability of the labels is a sum over counts: no second pass over the
                # annotations.
                expected = steps.normalise(normalise_seen, steps.seen)
                expected += float(steps.annotation_sums @ np.log(class_shares()))
                return (expected + entropy) / len(annotations)

            steps.believe_votes()
            steps.normalise(normalise_seen, steps.seen)
            self._begin(steps)
            self._iterate(step)
            self.posteriors_ = steps.probabilities()
            given = np.where(steps.seen[:, np.newaxis], np.maximum(steps.counts, SMALLEST), 0.0)
            self.confusion_ = steps.confusion_of(given)
            self.class_shares_ = class_shares()

    def _begin(self, steps: ConfusionSteps) -> None:
        """Change what the first step begins with: the shares of the votes, and matrices that follow them."""
