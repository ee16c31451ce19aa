"""Which model for these labels: by how well each foretells labels it has not seen, and by gold.

No model is best everywhere (Y. Zheng et al., "Truth inference in crowdsourcing: is the problem solved?",
PVLDB 10, 2017), and nothing but gold tells for certain which is best here. What was chosen, why, and the
numbers behind it come as a record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import UNKNOWN, AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.held_out import (
    FOLDS,
    LEAST_PROBABILITY,
    held_out_log_likelihood,
    splits,
)
from crowdroute.aggregation.intervals import Estimate, jackknife_interval, share_interval
from crowdroute.aggregation.subsets import some_tasks
from crowdroute.aggregation.subtypes import SubtypeBCC

Make = Callable[[], CategoricalEstimator]

AT_MOST = 200_000
"""Annotations that are cross-validated; of more, those of tasks drawn at random are. The figures then move in
the third decimal, and a choice takes seconds instead of minutes."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How evidence becomes a choice; the numbers are those that ``benchmarks/bench_model_selection.py``
    found."""

    tolerance: float = 0.02
    """Nats per annotation by which a plainer model may foretell worse and still be preferred."""
    gold_errors: float = 1.0
    """Standard errors by which another model must be more often right on gold to be taken instead."""
    strong_evidence: float = 5.0
    """ln of the Bayes factor from which on classes are held to have subtypes: twice it is 10, "very strong"
    by R. E. Kass and A. E. Raftery, "Bayes factors", JASA 90 (1995). Not fitted to anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of one candidate."""

    name: str
    told: NDArray[np.float64]
    """ln P of each annotation while it was hidden; (annotations,), or empty where there was one only."""
    right: NDArray[np.float64]
    """Per task with gold, whether the label is right; a tie counts as its chance. (gold tasks,)."""
    bayes_factor: float = 0.0
    """ln of it, of subtypes against none, where the model has some."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of the record."""

    name: str
    log_likelihood: float
    """Mean ln P of a hidden annotation, in nats; nearer to 0 is better."""
    gain: Estimate
    """The same minus that of the first candidate, with the jackknife's interval over tasks."""
    accuracy: Estimate | None
    """On gold, with Wilson's interval; None without gold."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice and why."""

    chosen: str
    reason: str
    candidates: tuple[Candidate, ...]
    gold_tasks: int
    annotations: int
    """How many were cross-validated."""


def gather_evidence(
    annotations: AnnotationSet,
    models: Mapping[str, Make],
    gold: Mapping[Any, Identifier] | None = None,
    seed: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> tuple[tuple[Evidence, ...], dict[str, CategoricalEstimator], AnnotationSet]:
    """Fit every model to all annotations and to each fold; gold never teaches, it only scores.

    Returns the evidence in the order of ``models``, the fitted models, and the annotations that were
    cross-validated. ``advance`` is called ``fits(models)`` times.
    """
    sample = some_tasks(annotations, AT_MOST, seed)
    parts = splits(sample, FOLDS, seed) if len(sample) > 1 else []
    codes = annotations.gold_codes(gold)
    evidence, fitted = [], {}
    for name, make in models.items():
        model = fitted[name] = make().fit(annotations)
        advance()
        told = held_out_log_likelihood(sample, make, parts, advance) if parts else np.zeros(0)
        factor = model.evidence_ - model.evidence_of_one_ if isinstance(model, SubtypeBCC) else 0.0
        evidence.append(Evidence(name, told, right_on(model.predict_proba(), codes), factor))
    return tuple(evidence), fitted, sample


def fits(models: Mapping[str, Make]) -> int:
    """Return how many fits a choice takes."""
    return len(models) * (FOLDS + 1)


def choose(
    evidence: tuple[Evidence, ...], tasks: NDArray[np.int32], policy: Policy | None = None
) -> Selection:
    """Choose among candidates, the plainest first; ``tasks`` are those of the annotations in ``told``.

    Without gold, the plainest whose held-out log-likelihood comes within the tolerance of the best; if that
    is not the very plainest and a model with subtypes has strong evidence for them, that model instead. With
    gold, another is taken instead if it is more often right there by more than its error of estimate. Raises
    ``InvalidParameterError`` without candidates.
    """
    if not evidence:
        raise InvalidParameterError("there are no models to choose from; give at least one")
    if len(evidence[0].told) == 0:
        plainest = tuple(_candidate(one, evidence[0], tasks) for one in evidence)
        reason = "there is too little to compare models by, and it assumes least"
        return Selection(evidence[0].name, reason, plainest, len(evidence[0].right), 0)
    policy = policy or Policy()
    means = np.array([one.told.mean() for one in evidence])
    best = int(means.argmax())
    chosen = int(np.flatnonzero(means >= means[best] - policy.tolerance)[0])
    reason = f"it foretells hidden labels best ({means[chosen]:.3f} nats per label)"
    if chosen != best:
        reason = (
            f"it foretells hidden labels ({means[chosen]:.3f} nats per label) about as well as"
            f" {evidence[best].name} ({means[best]:.3f}) and assumes less"
        )
    split = _with_subtypes(evidence, policy)
    if chosen > 0 and split is not None and split != chosen:
        # What foretells labels best may take a hard kind of task for a class of its own.
        reason = (
            f"classes have subtypes here (ln of the Bayes factor {evidence[split].bayes_factor:.0f}), which"
            f" {evidence[chosen].name} would take for classes"
        )
        chosen = split
    n_gold = len(evidence[0].right)
    if n_gold > 1:
        other, lead, error = _best_on_gold(evidence, chosen)
        if other != chosen and lead > policy.gold_errors * error:
            reason = (
                f"on {n_gold} gold tasks it is right more often than {evidence[chosen].name}, the choice"
                f" without gold, by {lead:.1%} ± {error:.1%}"
            )
            chosen = other
        else:
            reason += f"; on {n_gold} gold tasks none is right more often beyond chance"
    return Selection(
        evidence[chosen].name,
        reason,
        tuple(_candidate(one, evidence[0], tasks) for one in evidence),
        n_gold,
        len(tasks),
    )


def select_model(
    annotations: AnnotationSet,
    models: Mapping[str, Make],
    gold: Mapping[Any, Identifier] | None = None,
    *,
    policy: Policy | None = None,
    seed: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> tuple[Selection, CategoricalEstimator]:
    """Return the choice for these annotations, and the chosen model fitted to all of them without gold."""
    evidence, fitted, sample = gather_evidence(annotations, models, gold, seed, advance)
    selection = choose(evidence, sample.tasks, policy)
    return selection, fitted[selection.chosen]


def right_on(posteriors: NDArray[np.float64], gold_codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return, per task with gold, the chance that the likeliest label is right when ties are drawn."""
    known = np.flatnonzero(gold_codes != UNKNOWN)
    rows = posteriors[known]
    leads = rows >= rows.max(axis=1, keepdims=True) - 1e-12
    return np.asarray(leads[np.arange(len(known)), gold_codes[known]] / leads.sum(axis=1))


def _with_subtypes(evidence: tuple[Evidence, ...], policy: Policy) -> int | None:
    best = int(np.argmax([one.bayes_factor for one in evidence]))
    return best if evidence[best].bayes_factor > policy.strong_evidence else None


def _best_on_gold(evidence: tuple[Evidence, ...], chosen: int) -> tuple[int, float, float]:
    """Return who leads the chosen one the most on gold, by how much, and the standard error of that."""
    leads = [one.right - evidence[chosen].right for one in evidence]
    other = int(np.argmax([lead.mean() for lead in leads]))
    n = len(leads[other])
    return other, float(leads[other].mean()), float(leads[other].std(ddof=1) / np.sqrt(n))


def _candidate(one: Evidence, first: Evidence, tasks: NDArray[np.int32]) -> Candidate:
    accuracy = share_interval(float(one.right.sum()), len(one.right)) if len(one.right) > 0 else None
    if len(one.told) == 0:
        return Candidate(one.name, 0.0, Estimate(0.0, 0.0, 0.0), accuracy)
    counts = np.bincount(tasks).astype(np.float64)
    sums = np.bincount(tasks, weights=one.told - first.told)
    n, total = counts.sum(), sums.sum()
    left_out = (total - sums) / np.maximum(n - counts, 1.0)
    # No hidden label can gain or lose more: what is known of a single task.
    most = -math.log(LEAST_PROBABILITY)
    ones = np.ones(len(counts), dtype=np.int64)
    gain = jackknife_interval(float(total / n), left_out, ones, bounds=(-most, most))
    return Candidate(one.name, float(one.told.mean()), gain, accuracy)
