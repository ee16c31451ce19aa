"""How often a worker is right, as an interval, from answers that were checked.

With `correct` of `checked` answers right and a prior Beta(a, b) on the accuracy p, the posterior is
Beta(a + correct, b + checked - correct) (the beta-binomial model; Gelman et al., Bayesian Data Analysis, 3rd
ed., section 2.4). The interval is equal-tailed and two-sided: at confidence .95, p lies below `lower` with
probability .025 and above `upper` with .025, so `lower` alone is a one-sided bound at .975.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from crowdroute.workers.errors import InvalidCounts

CONFIDENCE = 0.95
"""Probability that the accuracy lies between the bounds."""


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """What is believed of an accuracy before any answer was checked, in pseudo-answers."""

    right: float = 2.0
    wrong: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a prior that is no distribution."""
        if not (0.0 < self.right < math.inf and 0.0 < self.wrong < math.inf):
            raise InvalidCounts(
                f"a prior of {self.right} right and {self.wrong} wrong pseudo-answers is no distribution: "
                "both must be positive and finite"
            )


WEAK_PRIOR = BetaPrior()
"""Beta(2, 1): worth three answers, more likely right than wrong. The prior of Manino, Tran-Thanh and Jennings
(Streaming Bayesian inference for crowdsourced classification, NeurIPS 2019)."""


@dataclass(frozen=True, slots=True)
class AccuracyInterval:
    """What checked answers say about a worker's accuracy; all but the counts in 0..1."""

    mean: float
    """Posterior mean; may lie outside the bounds where the posterior is extreme."""
    lower: float
    upper: float
    correct: int
    count: int
    """Answers checked."""
    confidence: float


@lru_cache(maxsize=1 << 14)  # pairs of small counts: a few MB, and workers mostly share them
def accuracy_interval(
    correct: int, checked: int, confidence: float = CONFIDENCE, prior: BetaPrior = WEAK_PRIOR
) -> AccuracyInterval:
    """Give the interval for a worker's accuracy after `correct` of `checked` answers were right.

    `confidence` lies strictly between 0 and 1. Deterministic; the same arguments are answered from a table.

    Raises:
        InvalidCounts: `correct` is not in 0..`checked`, or `confidence` not in 0..1.
    """
    if not 0 <= correct <= checked:
        raise InvalidCounts(
            f"{correct} right of {checked} checked answers: the first must lie in 0..{checked}"
        )
    if not 0.0 < confidence < 1.0:
        raise InvalidCounts(f"confidence {confidence} must lie strictly between 0 and 1")
    # Imported on first use: it takes longer to import than all else here, and many programs never ask.
    from scipy.special import betaincinv

    right = prior.right + correct
    wrong = prior.wrong + checked - correct
    tail = (1.0 - confidence) / 2.0
    return AccuracyInterval(
        mean=right / (right + wrong),
        lower=float(betaincinv(right, wrong, tail)),
        # By symmetry, 1 - I_x(a, b) = I_(1-x)(b, a): exact where 1 - tail would round.
        upper=1.0 - float(betaincinv(wrong, right, tail)),
        correct=correct,
        count=checked,
        confidence=confidence,
    )
