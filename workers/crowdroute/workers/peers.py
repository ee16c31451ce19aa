"""How often workers are right, from what their peers say and from checked answers, for a whole crowd at once.

Agreement with one's peers is plentiful and biased, answers checked against gold are few and honest. Here the
first gives the mean of a prior, gold of all workers together says how to read it and how much to trust it,
and each worker's own gold updates it (empirical Bayes with a beta-binomial likelihood: C. Morris, "Parametric
empirical Bayes inference", JASA 78, 1983; Gelman et al., Bayesian Data Analysis, 3rd ed., section 5.3):

    logit m_w = intercept + slope logit(agreement_w)
    accuracy_w ~ Beta(s_w m_w, s_w (1 - m_w)),    gold right_w ~ Binomial(checked_w, accuracy_w)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.workers.errors import InvalidCounts
from crowdroute.workers.reliability import CONFIDENCE

_POOL_LABELS = 5.0
"""Labels at which a worker's own agreement counts as much as that of everybody: few agree by chance."""

_LEAST_STRENGTH = 3.0
"""Pseudo-answers of a prior that no peer supports: as much as Beta(2, 1)."""

_USUAL_STRENGTH = 20.0
"""Pseudo-answers that agreement is worth until gold has said it; 12 to 73 were seen on recorded crowds."""

_EDGE = 0.01
"""Agreement counts as at least this far from 0 and 1, where the logit has no end."""

_SPREADS = (1.0, 0.5, 1.0)
"""Standard deviations of what is believed of intercept, slope and ln strength before any gold: around 0, 1
and ln 20."""


class AccuracyIntervals(NamedTuple):
    """One entry per worker; the first three in 0..1."""

    mean: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    right: NDArray[np.float64]
    """The posterior is Beta(right, wrong), in pseudo-answers."""
    wrong: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PeerPrior:
    """How agreement with peers is to be read; ``fit_peer_prior`` makes it."""

    intercept: float
    slope: float
    strength: float
    """Pseudo-answers that the agreement of a worker with very many labels is worth."""
    pool: float
    """Agreement of the whole crowd, in 0..1."""
    checked: int
    """Gold answers it was fitted on; with none, it is what recorded crowds suggest and no more."""

    def intervals(
        self,
        agreement: NDArray[np.float64],
        labels: NDArray[np.integer],
        right: NDArray[np.integer],
        checked: NDArray[np.integer],
        confidence: float = CONFIDENCE,
    ) -> AccuracyIntervals:
        """Return each worker's accuracy, with equal-tailed bounds; arguments as in ``fit_peer_prior``.

        A worker without labels and gold gets the widest: Beta with three pseudo-answers.
        """
        told, counts, hits, gold = _checked(agreement, labels, right, checked)
        if not 0.0 < confidence < 1.0:
            raise InvalidCounts(f"confidence {confidence} must lie strictly between 0 and 1")
        from scipy.special import betaincinv

        a, b = _pseudo_answers(told, counts, self.pool, self.intercept, self.slope, self.strength)
        a, b = a + hits, b + (gold - hits)
        tail = (1.0 - confidence) / 2.0
        return AccuracyIntervals(a / (a + b), betaincinv(a, b, tail), 1.0 - betaincinv(b, a, tail), a, b)


def fit_peer_prior(
    agreement: NDArray[np.float64],
    labels: NDArray[np.integer],
    right: NDArray[np.integer],
    checked: NDArray[np.integer],
) -> PeerPrior:
    """Fit how to read agreement, by penalised maximum likelihood on the gold of all workers.

    All (workers,): ``agreement`` in 0..1 with the peers, the worker's own label left out, over ``labels``
    labels; ``right`` of ``checked`` gold answers. The penalties are normal, around "agreement is accuracy,
    worth 20 answers", so that no gold at all is answered too.

    Raises:
        InvalidCounts: the shapes differ, a count is negative, or more answers are right than were checked.
    """
    columns = _checked(agreement, labels, right, checked)
    # In an order of its own: sums of floats, and where the search ends, must not follow the caller's.
    order = np.lexsort(columns)
    told, counts, hits, gold = (column[order] for column in columns)
    # A small crowd's pool is uncertain too: half an answer each way keeps it off 0 and 1.
    pool = float((told @ counts + 0.5) / (counts.sum() + 1.0))
    known = gold > 0
    if not known.any():
        return PeerPrior(0.0, 1.0, _USUAL_STRENGTH, pool, 0)
    from scipy.optimize import minimize
    from scipy.special import betaln

    start = np.array([0.0, 1.0, np.log(_USUAL_STRENGTH)])

    def loss(parameters: NDArray[np.float64]) -> float:
        a, b = _pseudo_answers(
            told[known], counts[known], pool, parameters[0], parameters[1], float(np.exp(parameters[2]))
        )
        likelihood = betaln(a + hits[known], b + gold[known] - hits[known]) - betaln(a, b)
        penalty = 0.5 * (((parameters - start) / np.array(_SPREADS)) ** 2).sum()
        return float(penalty - likelihood.sum())

    bounds = [(-5.0, 5.0), (0.0, 4.0), (0.0, np.log(10_000.0))]
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return PeerPrior(float(found[0]), float(found[1]), float(np.exp(found[2])), pool, int(gold.sum()))


def _pseudo_answers(
    agreement: NDArray[np.float64],
    labels: NDArray[np.float64],
    pool: float,
    intercept: float,
    slope: float,
    strength: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the right and wrong pseudo-answers of each worker's prior."""
    shrunk = (agreement * labels + pool * _POOL_LABELS) / (labels + _POOL_LABELS)
    shrunk = np.clip(shrunk, _EDGE, 1.0 - _EDGE)
    mean = 1.0 / (1.0 + np.exp(-(intercept + slope * np.log(shrunk / (1.0 - shrunk)))))
    mean = np.clip(mean, _EDGE / 10, 1.0 - _EDGE / 10)
    # Agreement over n labels is itself no surer than n answers: variances add.
    weight = _LEAST_STRENGTH + strength * labels / (strength + labels)
    return weight * mean, weight * (1.0 - mean)


def _checked(
    agreement: NDArray[np.float64],
    labels: NDArray[np.integer],
    right: NDArray[np.integer],
    checked: NDArray[np.integer],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    told, counts, hits, gold = (
        np.asarray(column, dtype=np.float64) for column in (agreement, labels, right, checked)
    )
    if told.ndim != 1 or not told.shape == counts.shape == hits.shape == gold.shape:
        raise InvalidCounts(
            f"agreement {told.shape}, labels {counts.shape}, right {hits.shape} and checked {gold.shape} "
            "differ in shape: give one of each per worker"
        )
    if not ((told >= 0.0) & (told <= 1.0)).all():
        raise InvalidCounts("agreement must lie in 0..1 and be a number")
    if not ((counts >= 0.0) & (counts < np.inf) & (hits >= 0.0) & (hits <= gold) & (gold < np.inf)).all():
        raise InvalidCounts("labels, right and checked are counts from 0, and right is not above checked")
    return told, counts, hits, gold
