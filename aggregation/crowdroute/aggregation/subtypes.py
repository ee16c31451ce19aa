"""Classes that fall into subtypes: workers who err together, because a task is of a hard kind."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.base import (
    fresh_generator,
    vote_counts,
    vote_shares,
)
from crowdroute.aggregation.dirichlet import dirichlet_divergence
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.foretelling import mixed_chances
from crowdroute.aggregation.grouping import Grouped, group_by_task
from crowdroute.aggregation.iterative import Climb, IterativeEstimator, Known, climb
from crowdroute.aggregation.prior import ConfusionPrior

_SUBTYPE_COUNT = 0.1
"""Pseudo-tasks of all subtypes of a class together: so few that subtypes that are not needed stay empty."""

_IMPOSSIBLE = -1e6
"""The log-odds of a class that gold excludes: its probability is 0 to the last bit."""


_MOST_CODES = 2**63
"""Of int64. Codes that would not fit are numbered anew; there are then no more than rows."""


class _Posterior(NamedTuple):
    """One end of the iteration."""

    evidence: float
    """Lower bound of ln P(labels), in nats."""
    posteriors: NDArray[np.float64]
    """(tasks, classes x subtypes)."""
    counts: NDArray[np.float64]
    """Dirichlet parameters of the confusion rows: (cells, classes x subtypes)."""
    way: Climb


class SubtypeBCC(IterativeEstimator):
    """Bayesian classifier combination in which each class has subtypes with confusion rows of their own.

    The truth k of a task, and its subtype m, are drawn; worker w says label l with probability
    E_w[k, m, l]. Workers are independent given the subtype, not the class, so that mistakes which many make
    on tasks of one hard kind do not count as evidence many times over. Y. Li, B. Rubinstein and T. Cohn,
    "Exploiting worker correlation for label aggregation in crowdsourcing", ICML 2019 (EBCC), by mean-field
    variational Bayes; with one subtype it is the independent BCC of H.-C. Kim and Z. Ghahramani, "Bayesian
    classifier combination", AISTATS 2012. ``prior`` gives the Dirichlet of every confusion row; by default it
    is fixed, one accuracy with all errors alike: one that follows the votes already believes that a whole
    class is hard, which subtypes are there to tell apart.

    Fitted with one subtype, and ``restarts`` times with ``subtypes``; the end with the highest evidence is
    kept, so that subtypes cost nothing where labels do not show them. A start divides votes among
    subtypes at random, the same votes alike, so that no result follows the order of rows or any names.

    ``subtypes_``: how many the kept end has; ``evidence_``: the lower bound of ln P(labels) in nats;
    ``evidence_of_one_``: the same of one subtype. ``subtype_posteriors_`` (tasks, classes, subtypes) and
    ``subtype_confusion_`` (workers, truth, subtype, label); ``confusion_`` (workers, truth, label) is their
    mean over subtypes as frequent as found; ``class_shares_`` (labels,). ``loss_history_`` is the evidence
    per annotation. ``rng`` is a seed or a generator, of which a copy is used. An iteration of one start is
    O(annotations K subtypes).
    """

    confusion_: NDArray[np.float64]
    class_shares_: NDArray[np.float64]
    subtype_posteriors_: NDArray[np.float64]
    subtype_confusion_: NDArray[np.float64]
    subtypes_: int
    evidence_: float
    evidence_of_one_: float

    def __init__(
        self,
        subtypes: int = 3,
        restarts: int = 3,
        prior: ConfusionPrior | None = None,
        n_iter: int = 200,
        tol: float = 1e-6,
        rng: int | np.random.Generator = 0,
    ) -> None:
        self.subtypes = subtypes
        self.restarts = restarts
        self.prior = prior
        self.n_iter = n_iter
        self.tol = tol
        self.rng = rng

    def _fit(self, annotations: AnnotationSet, known: Known) -> None:
        if self.subtypes < 1 or self.restarts < 1:
            raise InvalidParameterError(
                f"{self.subtypes} subtypes and {self.restarts} restarts; there must be at least one of each"
            )
        odds = known.log_odds
        certain = np.flatnonzero(known.gold >= 0)
        if len(certain) > 0:
            odds = np.zeros((annotations.n_tasks, annotations.n_classes)) if odds is None else odds.copy()
            odds[certain] = _IMPOSSIBLE
            odds[certain, known.gold[certain]] = 0.0
        shares = vote_shares(annotations, known.gold)
        grouped = group_by_task(annotations)
        generator = fresh_generator(self.rng)
        single = self._run(annotations, grouped, shares, odds, 1)
        best, subtypes = single, 1
        for _ in range(self.restarts if self.subtypes > 1 else 0):
            parts = _divisions(annotations, self.subtypes, generator)
            start = (shares[:, :, np.newaxis] * parts).reshape(len(shares), -1)
            end = self._run(annotations, grouped, start, odds, self.subtypes)
            # Ends that differ by less than the tolerance are one: rounding must not choose between them.
            if end.evidence > best.evidence + self.tol * len(annotations):
                best, subtypes = end, self.subtypes
        self._keep(annotations, best, subtypes)
        self.evidence_of_one_ = single.evidence

    def foretell(
        self, tasks: NDArray[np.int64], workers: NDArray[np.int64], labels: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Return the chance of each label, by codes; see ``Foretelling``. O(labels K subtypes)."""
        states = self.predict_proba().shape[1] * self.subtypes_
        return mixed_chances(
            self.subtype_posteriors_.reshape(-1, states),
            self.subtype_confusion_.reshape(-1, states, self.predict_proba().shape[1]),
            tasks,
            workers,
            labels,
        )

    def _run(
        self,
        annotations: AnnotationSet,
        grouped: Grouped,
        start: NDArray[np.float64],
        odds: NDArray[np.float64] | None,
        subtypes: int,
    ) -> _Posterior:
        from scipy.special import digamma

        from crowdroute.aggregation import confusion_kernels as kernels

        n_classes, n_workers = annotations.n_classes, annotations.n_workers
        latents = n_classes * subtypes
        prior = ConfusionPrior(pool_share=0.0) if self.prior is None else self.prior
        # A copy: the steps write into it, and the next start is made of the same shares.
        posteriors = np.array(start, order="C")
        counts = np.empty((n_workers * n_classes, latents))
        kernels.count(*grouped, posteriors, counts)
        # As in SmoothedDawidSkene, the prior follows the votes once; every subtype begins as its class.
        pool = counts.reshape(n_workers, n_classes, n_classes, subtypes).sum(axis=(0, 3)).T
        pseudo = np.repeat(prior.pooled_matrix(pool).T, subtypes, axis=1)
        pseudo_labels = np.tile(pseudo, (n_workers, 1))
        log_odds = None if odds is None else np.ascontiguousarray(np.repeat(odds, subtypes, axis=1))
        counts += pseudo_labels
        task_sums, annotation_sums = posteriors.sum(axis=0), np.empty(latents)
        # Gold is in the log-odds: what it makes certain is the class, not the subtype.
        no_gold = annotations.gold_codes(None)

        def step() -> float:
            rows = counts.reshape(n_workers, n_classes, latents)
            log_confusion = np.ascontiguousarray(
                (digamma(rows) - digamma(rows.sum(axis=1, keepdims=True))).reshape(counts.shape)
            )
            by_class = task_sums.reshape(n_classes, subtypes)
            classes = by_class.sum(axis=1) + prior.class_count
            parts = by_class + _SUBTYPE_COUNT / subtypes
            log_shares = (digamma(classes) - digamma(classes.sum()))[:, np.newaxis] + (
                digamma(parts) - digamma(parts.sum(axis=1, keepdims=True))
            )
            divergence = (
                dirichlet_divergence(
                    rows.transpose(0, 2, 1), pseudo_labels.reshape(rows.shape).transpose(0, 2, 1)
                )
                + dirichlet_divergence(classes, np.full(n_classes, prior.class_count))
                + dirichlet_divergence(parts, np.full(parts.shape, _SUBTYPE_COUNT / subtypes))
            )
            log_likelihood, _ = kernels.expect_and_count(
                *grouped,
                no_gold,
                log_odds,
                np.ascontiguousarray(log_shares.ravel()),
                log_confusion,
                posteriors,
                counts,
                task_sums,
                annotation_sums,
            )
            np.add(counts, pseudo_labels, out=counts)
            return float((log_likelihood - divergence) / len(annotations))

        way = climb(step, self.n_iter, self.tol)
        return _Posterior(way.history[-1] * len(annotations), posteriors, counts, way)

    def _keep(self, annotations: AnnotationSet, end: _Posterior, subtypes: int) -> None:
        k, n_workers = annotations.n_classes, annotations.n_workers
        by_subtype = end.posteriors.reshape(-1, k, subtypes)
        self.subtypes_, self.evidence_ = subtypes, end.evidence
        self.subtype_posteriors_ = by_subtype
        self.posteriors_ = by_subtype.sum(axis=2)
        rows = end.counts.reshape(n_workers, k, k, subtypes).transpose(0, 2, 3, 1)
        self.subtype_confusion_ = rows / rows.sum(axis=3, keepdims=True)
        sums = by_subtype.sum(axis=0) + _SUBTYPE_COUNT / subtypes
        parts = sums / sums.sum(axis=1, keepdims=True)
        self.confusion_ = np.einsum("km,wkml->wkl", parts, self.subtype_confusion_)
        self.class_shares_ = sums.sum(axis=1) / sums.sum()
        self._keep_climb(end.way)


def _divisions(
    annotations: AnnotationSet, subtypes: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return a random division of every task and class among subtypes: (tasks, classes, subtypes).

    What is drawn is drawn per pattern of votes, by how many say so and how many labels they gave, never per
    row: the same votes begin alike, in whatever order they come and whatever tasks, workers and labels are
    called.
    """
    counts = vote_counts(annotations)
    given = np.bincount(annotations.workers, minlength=annotations.n_workers)
    cells = annotations.tasks.astype(np.int64) * annotations.n_classes + annotations.labels
    # Sums of whole numbers are exact in float64, whatever their order.
    sums = np.bincount(cells, given[annotations.workers], counts.size)
    weight = sums.astype(np.int64).reshape(counts.shape)
    totals = [np.broadcast_to(one.sum(axis=1, keepdims=True), counts.shape) for one in (counts, weight)]
    pattern_of = _numbered([column.ravel() for column in (counts, weight, *totals)])
    drawn = generator.dirichlet(np.ones(subtypes), int(pattern_of.max()) + 1)
    return np.asarray(drawn[pattern_of].reshape(*counts.shape, subtypes))


def _numbered(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the place of each row among the different rows in their order; no number is below 0.

    Rows are numbers of mixed radix, sorted as one column: rows sorted as rows take ten times as long.
    """
    codes, size = np.zeros_like(columns[0]), 1
    for column in columns:
        width = int(column.max()) + 1
        if size * width > _MOST_CODES:
            codes = np.unique(codes, return_inverse=True)[1]
            size = int(codes.max()) + 1
        codes, size = codes * width + column, size * width
    return np.asarray(np.unique(codes, return_inverse=True)[1])
