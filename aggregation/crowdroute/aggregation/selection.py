"""Which model for these labels: by how well each foretells labels it has not seen, and by gold.

No model is best everywhere (Y. Zheng et al., "Truth inference in crowdsourcing: is the problem solved?",
PVLDB 10, 2017), and nothing but gold tells for certain which is best here. What was chosen, why, and the
numbers behind it come as a record.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import UNKNOWN, AnnotationSet
from crowdroute.aggregation.base import CategoricalEstimator, vote_counts
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.held_out import (
    FOLDS,
    LEAST_PROBABILITY,
    held_out_log_likelihood,
    splits,
)
from crowdroute.aggregation.intervals import Estimate, jackknife_interval, share_interval
from crowdroute.aggregation.subsets import by_name, some_tasks
from crowdroute.aggregation.subtypes import SubtypeBCC
from crowdroute.aggregation.vote_averaged import VoteAveraged

Make = Callable[[], CategoricalEstimator]

AT_MOST = 200_000
"""Annotations that models are compared on; of more, those of tasks drawn at random, with gold first. The
figures then move in the third decimal, and a choice takes seconds instead of minutes."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How evidence becomes a choice; ``benchmarks/bench_model_selection.py`` judges the numbers."""

    proof: float = 0.5
    """Nats by which confusion matrices must foretell better than votes, per task whose answer they change."""
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
    overruled: int = 0
    """How many tasks get a label that does not lead the votes."""
    confuses: bool = False
    """Whether it has confusion matrices, by which a label may count against itself."""
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
    """How many it rests on."""


def gather_evidence(
    annotations: AnnotationSet,
    models: Mapping[str, Make],
    gold: Mapping[Any, Identifier] | None = None,
    seed: int = 0,
    advance: Callable[[], None] = lambda: None,
) -> tuple[tuple[Evidence, ...], AnnotationSet]:
    """Fit every model, and to each fold; gold never teaches, it only scores.

    Returns the evidence in the order of ``models``, and the annotations that it is about. ``advance`` is
    called ``fits(models) - 1`` times.
    """
    sample = some_tasks(by_name(annotations), AT_MOST, seed, gold or ())
    parts = splits(sample, FOLDS, seed) if len(sample) > 1 else []
    codes = sample.gold_codes(gold)
    counts = vote_counts(sample)
    leads = counts == counts.max(axis=1, keepdims=True)
    evidence = []
    for name, make in models.items():
        averaged = VoteAveraged(make).fit(sample)
        model = averaged.model_
        advance()
        for_parts = _for_parts(model, make)
        told = held_out_log_likelihood(sample, for_parts, parts, advance) if parts else np.zeros(0)
        labels = model.predict_proba().argmax(axis=1)
        evidence.append(
            Evidence(
                name,
                told,
                right_on(averaged.predict_proba(), codes),
                int(np.count_nonzero(~leads[np.arange(len(labels)), labels])),
                hasattr(model, "confusion_"),
                model.evidence_ - model.evidence_of_one_ if isinstance(model, SubtypeBCC) else 0.0,
            )
        )
    return tuple(evidence), sample


def fits(models: Mapping[str, Make]) -> int:
    """Return how many fits a choice takes, that of the chosen model to everything included."""
    return len(models) * (FOLDS + 1) + 1


def choose(
    evidence: tuple[Evidence, ...], tasks: NDArray[np.int32], policy: Policy | None = None
) -> Selection:
    """Choose among candidates, votes first; ``tasks`` are those of the annotations in ``told``.

    Without gold, it is the model, of those that weigh workers, that foretells hidden labels best. If that one
    has confusion matrices, by which a label may count against itself, a model with subtypes is taken instead
    where the evidence for them is strong; and one without confusion matrices is, unless every model with them
    foretells better than votes by ``policy.proof`` nats for each task whose answer it changes: to describe a
    crowd a little better is no reason to overrule it. With gold, another is taken instead if it is more
    often right there by more than its error of estimate. Raises ``InvalidParameterError`` without candidates.
    """
    if not evidence:
        raise InvalidParameterError("there are no models to choose from; give at least one")
    if len(evidence[0].told) == 0:
        plainest = tuple(_candidate(one, evidence[0], tasks) for one in evidence)
        reason = "there is too little to compare models by, and it assumes least"
        return Selection(evidence[0].name, reason, plainest, len(evidence[0].right), 0)
    policy = policy or Policy()
    chosen, reason = _without_gold(evidence, policy)
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
) -> tuple[Selection, VoteAveraged]:
    """Return the choice, and the chosen model fitted to all annotations without gold, averaged with votes.

    The order of the annotations does not matter. ``models`` are the candidates, votes first.
    """
    evidence, sample = gather_evidence(annotations, models, gold, seed, advance)
    selection = choose(evidence, sample.tasks, policy)
    chosen = VoteAveraged(models[selection.chosen]).fit(annotations)
    advance()
    return selection, chosen


def right_on(posteriors: NDArray[np.float64], gold_codes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return, per task with gold, the chance that the likeliest label is right when ties are drawn."""
    known = np.flatnonzero(gold_codes != UNKNOWN)
    rows = posteriors[known]
    leads = rows >= rows.max(axis=1, keepdims=True) - 1e-12
    return np.asarray(leads[np.arange(len(known)), gold_codes[known]] / leads.sum(axis=1))


def _for_parts(model: CategoricalEstimator, make: Make) -> Make:
    """Return what is fitted to parts: subtypes that all annotations do not show are not looked for there."""
    if isinstance(model, SubtypeBCC) and model.subtypes_ == 1:
        return partial(SubtypeBCC, 1, prior=model.prior, n_iter=model.n_iter, tol=model.tol)
    return make


def _without_gold(evidence: tuple[Evidence, ...], policy: Policy) -> tuple[int, str]:
    means = [float(one.told.mean()) for one in evidence]
    if len(evidence) == 1:
        return 0, "there is no other to compare it with"
    best = 1 + int(np.argmax(means[1:]))
    why = f"it foretells hidden labels best of those that weigh workers ({means[best]:.3f} nats per label)"
    if not evidence[best].confuses:
        return best, why
    split = max(range(len(evidence)), key=lambda place: evidence[place].bayes_factor)
    if split != best and evidence[split].bayes_factor > policy.strong_evidence:
        # What foretells labels best may take a hard kind of task for a class of its own.
        why = (
            f"classes have subtypes here (ln of the Bayes factor {evidence[split].bayes_factor:.0f}), which"
            f" {evidence[best].name} would take for classes"
        )
        best = split
    proofs = {one.name: _proof(one, evidence[0]) for one in evidence[1:] if one.confuses}
    weakest = min(proofs, key=lambda name: proofs[name])
    if proofs[weakest] < policy.proof:
        plain = [place for place in range(1, len(evidence)) if not evidence[place].confuses]
        return max(plain, key=lambda place: means[place], default=0), (
            "a label cannot count against itself in it, and there is too little proof that one should:"
            f" {weakest} foretells hidden labels better than votes by {proofs[weakest]:.2f} nats per task"
            f" whose answer it changes, and {policy.proof:g} are asked for"
        )
    return best, why


def _proof(one: Evidence, votes: Evidence) -> float:
    """Return the nats by which hidden labels are foretold better, per task that gets another answer."""
    gain = float((one.told - votes.told).sum())
    return gain / one.overruled if one.overruled > 0 else math.inf


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
