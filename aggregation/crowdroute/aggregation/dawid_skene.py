"""Dawid-Skene in batch, by the conventions of crowd-kit, so that the two agree number for number."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.confusion_em import ConfusionSteps, Precision, confusion_steps
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.iterative import IterativeEstimator, Known
from crowdroute.aggregation.spectral import spectral_start

Start = Literal["votes", "spectral"]
"""What EM begins from."""


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

    ``init="spectral"`` climbs a second time, from ``spectral_start``, and keeps the end with the greater
    likelihood, which the objective above is not; ``start_`` tells which that is, "votes" also where moments
    give no start. A greater likelihood is no promise of greater accuracy.

    ``threads`` share blocks of tasks; their number changes no bit of a result. ``dtype`` "float32" keeps
    posteriors and logarithms in half the memory, a tenth faster or more; counts stay float64. In as many
    iterations its posteriors are those of float64 to 1e-3, and its objective to 1e-5, on every crowd tried.

    ``confusion_`` (workers, truth, label); ``class_shares_`` (labels,).
    """

    confusion_: NDArray[np.float64]
    class_shares_: NDArray[np.float64]
    start_: Start

    def __init__(
        self,
        n_iter: int = 100,
        tol: float = 1e-5,
        threads: int = 1,
        dtype: Precision = "float64",
        init: Start = "votes",
    ) -> None:
        self.n_iter = n_iter
        self.tol = tol
        self.threads = threads
        self.dtype = dtype
        self.init = init

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        if self.init not in get_args(Start):
            raise InvalidParameterError(f"init is {self.init!r}; choose one of {', '.join(get_args(Start))}")
        likelihood = self._climb(annotations, known, None)
        self.start_ = "votes"
        start = spectral_start(annotations) if self.init == "spectral" else None
        if start is None:
            return
        certain = np.flatnonzero(known.gold >= 0)
        start[certain] = np.eye(annotations.n_classes)[known.gold[certain]]
        other = DawidSkene(self.n_iter, self.tol, self.threads, self.dtype)
        if other._climb(annotations, known, start) > likelihood:
            vars(self).update({name: found for name, found in vars(other).items() if name.endswith("_")})
            self.start_ = "spectral"

    def _climb(self, annotations: AnnotationSet, known: Known, start: NDArray[np.float64] | None) -> float:
        """Find every result but ``start_``, from these posteriors, or from the votes.

        Returns the log-likelihood under what the last iteration began with.
        """
        likelihoods: list[float] = []
        with confusion_steps(annotations, known, self.dtype, self.threads) as steps:
            from crowdroute.aggregation.confusion_kernels import normalise_seen
            from crowdroute.aggregation.posterior_kernels import SMALLEST

            def class_shares() -> NDArray[np.float64]:
                return np.asarray(np.maximum(steps.task_sums / steps.task_sums.sum(), SMALLEST))

            def step() -> float:
                likelihood, entropy = steps.expect_and_count(class_shares())
                likelihoods.append(likelihood)
                # The expected log-probability of the labels is a sum over counts: no second pass over the
                # annotations.
                expected = steps.normalise(normalise_seen, steps.seen)
                expected += float(steps.annotation_sums @ np.log(class_shares()))
                return (expected + entropy) / len(annotations)

            if start is None:
                steps.believe_votes()
            else:
                steps.believe(start)
            steps.normalise(normalise_seen, steps.seen)
            self._begin(steps)
            self._iterate(step)
            self.posteriors_ = steps.probabilities()
            given = np.where(steps.seen[:, np.newaxis], np.maximum(steps.counts, SMALLEST), 0.0)
            self.confusion_ = steps.confusion_of(given)
            self.class_shares_ = class_shares()
        return likelihoods[-1] if likelihoods else -np.inf

    def _begin(self, steps: ConfusionSteps) -> None:
        """Change what the first step begins with: posteriors, and matrices that follow from them."""
