"""MACE: a worker knows the answer, or says what they say when they do not."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import (
    fresh_generator,
    vote_shares,
)
from crowdroute.aggregation.dirichlet import dirichlet_divergence
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.foretelling import with_average
from crowdroute.aggregation.grouping import Grouped, group_by_task
from crowdroute.aggregation.iterative import Climb, IterativeEstimator, Known, climb

_KNOWING_COUNT = 0.5
"""Pseudo-labels of knowing, and as many of guessing; the authors'."""

_STRATEGY_COUNT = 10.0
"""Pseudo-labels of each label that a guess may be; the authors', before ``evenness`` adds to them."""


class _End(NamedTuple):
    """One end of the iteration."""

    evidence: float
    """Lower bound of ln P(labels), in nats."""
    posteriors: NDArray[np.float64]
    known: NDArray[np.float64]
    """Expected number of labels by knowledge, without the prior: (workers,)."""
    guessed: NDArray[np.float64]
    """Of labels that were guesses, the same: (cells,)."""
    way: Climb


class MACE(IterativeEstimator):
    """Multi-annotator competence estimation, by variational Bayes from several starting points.

    Worker w knows the truth with probability ``competences_[w]`` and says it; else the label comes from a
    distribution of the worker's own, ``strategies_[w]``, whatever the truth. All classes are equally
    frequent. D. Hovy et al., "Learning Whom to Trust with MACE", NAACL-HLT 2013, with the authors' priors but
    for one: ``evenness`` pseudo-labels per label that a worker gave, spread evenly over all labels, go before
    what the worker's guesses look like. Without them, 0, the strategy of who gave thousands of labels follows
    those labels alone; where one class is frequent, honest answers of it then pass for a habit and count for
    little, so that the rare class is found too often (zencrowd_us and fact_eval in docs/aggregation.md).

    The first start believes the votes; each of the others draws how much agreement with them tells of
    knowledge. What is drawn is drawn per start, not per worker, so that no result follows the order of rows.
    The end with the highest lower bound of ln P(labels) is kept, of ends nearer than ``tol`` the first;
    ``evidences_`` (restarts,) are those bounds, in nats. ``loss_history_`` is the kept one's per annotation.
    ``rng`` is a seed or a generator, of which a copy is used.

    An iteration of one start is O(annotations + tasks K).

    ``competences_`` (workers,), ``strategies_`` (workers, labels): posterior means.
    """

    competences_: NDArray[np.float64]
    strategies_: NDArray[np.float64]
    evidences_: tuple[float, ...]

    def __init__(
        self,
        restarts: int = 10,
        n_iter: int = 200,
        tol: float = 1e-6,
        rng: int | np.random.Generator = 0,
        evenness: float = 1.0,
    ) -> None:
        self.restarts = restarts
        self.n_iter = n_iter
        self.tol = tol
        self.rng = rng
        self.evenness = evenness

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        if self.restarts < 1:
            raise InvalidParameterError(f"restarts is {self.restarts}; there must be at least one start")
        if not 0.0 <= self.evenness < np.inf:
            raise InvalidParameterError(
                f"evenness is {self.evenness}; it is a number of pseudo-labels per label: finite, 0 or more"
            )
        grouped = group_by_task(annotations)
        n_workers, n_classes = annotations.n_workers, annotations.n_classes
        shares = vote_shares(annotations, known.gold)[annotations.tasks, annotations.labels]
        given = np.bincount(annotations.workers, minlength=n_workers).astype(np.float64)
        agreement = np.bincount(annotations.workers, shares, n_workers) / given
        by_label = np.bincount(grouped.cells, minlength=n_workers * n_classes).astype(np.float64)
        # How many labels a worker gave is no outcome of the model: a prior may depend on it.
        even = np.tile(_STRATEGY_COUNT + self.evenness * given[:, np.newaxis] / n_classes, n_classes)
        generator = fresh_generator(self.rng)
        best: _End | None = None
        evidences: list[float] = []
        for start in range(self.restarts):
            competence = agreement
            if start > 0:
                power, most = generator.uniform(0.0, 4.0), generator.uniform(0.1, 1.0)
                competence = most * agreement**power
            end = self._run(annotations, grouped, known, given, by_label, even, competence)
            evidences.append(end.evidence)
            # Ends that differ by less than the tolerance are one: rounding must not choose between them.
            if best is None or end.evidence > best.evidence + self.tol * len(annotations):
                best = end
        assert best is not None
        self.posteriors_ = best.posteriors
        self.competences_ = (best.known + _KNOWING_COUNT) / (given + 2.0 * _KNOWING_COUNT)
        rows = best.guessed.reshape(n_workers, n_classes) + even
        self.strategies_ = rows / rows.sum(axis=1, keepdims=True)
        self.evidences_ = tuple(evidences)
        self._keep_climb(best.way)

    def foretell(
        self, tasks: NDArray[np.int64], workers: NDArray[np.int64], labels: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return the chance of each label, by codes; see ``Foretelling``. O(labels)."""
        right = with_average(self.predict_proba())[tasks, labels]
        knows = with_average(self.competences_)[workers]
        return np.asarray(knows * right + (1.0 - knows) * with_average(self.strategies_)[workers, labels])

    def _run(
        self,
        annotations: AnnotationSet,
        grouped: Grouped,
        known: Known,
        given: NDArray[np.float64],
        by_label: NDArray[np.float64],
        even: NDArray[np.float64],
        competence: NDArray[np.float64],
    ) -> _End:
        from scipy.special import digamma

        from crowdroute.aggregation import spam_kernels

        n_workers, n_classes = annotations.n_workers, annotations.n_classes
        knew = given * competence
        guessed = by_label * np.repeat(1.0 - competence, n_classes)
        posteriors = np.empty((annotations.n_tasks, n_classes))

        def step() -> float:
            knowing = np.stack([knew, given - knew], axis=1) + _KNOWING_COUNT
            strategies = guessed.reshape(n_workers, n_classes) + even
            log_knowing = digamma(knowing) - digamma(knowing.sum(axis=1, keepdims=True))
            log_strategies = digamma(strategies) - digamma(strategies.sum(axis=1, keepdims=True))
            divergence = dirichlet_divergence(knowing, np.full(knowing.shape, _KNOWING_COUNT))
            divergence += dirichlet_divergence(strategies, even)
            knows = np.repeat(np.exp(log_knowing[:, 0]), n_classes)
            log_guesses = (log_knowing[:, 1:] + log_strategies).ravel()
            guesses = np.exp(log_guesses)
            log_likelihood = spam_kernels.expect_and_count(
                *grouped,
                *known,
                log_guesses,
                np.log1p(knows / guesses),
                knows / (knows + guesses),
                posteriors,
                knew,
                guessed,
            )
            return (log_likelihood - divergence) / len(annotations)

        way = climb(step, self.n_iter, self.tol)
        return _End(way.history[-1] * len(annotations), posteriors, knew, guessed, way)
