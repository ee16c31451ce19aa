"""What one aggregation of single-choice labels found, gathered for a report or a program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.agreement import AgreementCounts
from crowdroute.aggregation.annotations import UNKNOWN, AnnotationSet
from crowdroute.aggregation.base import vote_counts
from crowdroute.aggregation.calibration import (
    ReliabilityBin,
    brier_score,
    expected_calibration_error,
    log_loss,
    reliability_diagram,
)
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.intervals import Estimate, share_interval
from crowdroute.aggregation.pair_agreement import PairAgreement, WorkerPair
from crowdroute.aggregation.selection import Selection, right_on
from crowdroute.aggregation.subsets import subset

LEAST_SHARED = 20
"""Tasks that two workers must share before their kappa is told: of fewer, it is mostly chance."""

BUSIEST = 100
"""Workers compared pair by pair, those with the most labels."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkerFindings:
    """One entry per worker, in the order of ``worker_ids``."""

    labels: NDArray[np.int64]
    accuracy: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    right: NDArray[np.int64]
    """Of ``checked`` labels on tasks with gold."""
    checked: NDArray[np.int64]
    confusion: NDArray[np.float64]
    """P(label | truth), (workers, truth, label), with bounds of the same shape."""
    confusion_lower: NDArray[np.float64]
    confusion_upper: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Disputed:
    """A task whose labels differ."""

    task: Identifier
    votes: tuple[tuple[Identifier, int], ...]
    """Label and number, the most given first."""
    label: Identifier
    confidence: float
    disagreement: float
    """The share of pairs of its labels that differ."""


@dataclass(frozen=True, slots=True)
class Score:
    """How right the result is on tasks with gold, and how far its confidence can be believed."""

    gold_tasks: int
    accuracy: Estimate
    majority_vote: Estimate
    """The same of majority vote, ties by chance."""
    calibration_error: Estimate
    brier: Estimate
    log_loss: Estimate
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceFindings:
    """Everything together."""

    annotations: AnnotationSet
    model: str
    selection: Selection | None
    """None where a model was named instead of chosen."""
    posteriors: NDArray[np.float64]
    agreement: Mapping[str, Estimate | None]
    workers: WorkerFindings
    disputed: tuple[Disputed, ...]
    least_agreeing: tuple[WorkerPair, ...]
    score: Score | None


def agreement_of(annotations: AnnotationSet) -> dict[str, Estimate | None]:
    """Return the coefficients by name, with intervals over tasks; None where one is undefined."""
    counts = AgreementCounts.from_annotations(annotations)
    return {
        "Krippendorff's alpha": counts.krippendorff_alpha(),
        "Fleiss' kappa": counts.fleiss_kappa(),
        "Gwet's AC1": counts.gwet_ac(),
    }


def gold_counts(
    annotations: AnnotationSet, gold: Mapping[Any, Identifier]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, per worker, how many labels agree with gold and how many were checked; (workers,) each."""
    codes = annotations.gold_codes(gold)[annotations.tasks]
    known = codes != UNKNOWN
    n = annotations.n_workers
    right = np.bincount(annotations.workers[known & (codes == annotations.labels)], minlength=n)
    return right.astype(np.int64), np.bincount(annotations.workers[known], minlength=n).astype(np.int64)


def most_disputed(
    annotations: AnnotationSet, posteriors: NDArray[np.float64], most: int
) -> tuple[Disputed, ...]:
    """Return up to ``most`` tasks of three labels or more that disagree, the least sure first.

    Of those equally sure, the one whose labels differ most comes first, then the order of the set.
    """
    counts = vote_counts(annotations)
    apart = AgreementCounts.from_counts(counts).disagreement()
    confidence = posteriors.max(axis=1)
    eligible = np.flatnonzero((counts.sum(axis=1) >= 3) & (apart > 0.0))
    order = eligible[np.lexsort((eligible, -apart[eligible], confidence[eligible].round(9)))][:most]
    return tuple(
        Disputed(
            annotations.task_ids[task],
            tuple(
                (annotations.label_ids[label], int(counts[task, label]))
                for label in np.argsort(-counts[task], kind="stable")
                if counts[task, label] > 0
            ),
            annotations.label_ids[int(posteriors[task].argmax())],
            float(confidence[task]),
            float(apart[task]),
        )
        for task in order.tolist()
    )


def least_agreeing_pairs(annotations: AnnotationSet, most: int) -> tuple[WorkerPair, ...]:
    """Return up to ``most`` pairs of busy workers with the lowest kappa, as codes of workers."""
    labels = np.bincount(annotations.workers, minlength=annotations.n_workers)
    busy = np.zeros(annotations.n_workers, dtype=bool)
    busy[np.argsort(-labels, kind="stable")[:BUSIEST]] = True
    part = subset(annotations, np.flatnonzero(busy[annotations.workers]))
    codes = [int(code) for code in part.worker_ids]
    known = [
        WorkerPair(codes[pair.first], codes[pair.second], pair.shared, pair.kappa)
        for pair in PairAgreement.from_annotations(part).pairs(LEAST_SHARED)
        if pair.kappa is not None
    ]
    known.sort(key=lambda pair: (pair.kappa.value if pair.kappa else 0.0, pair.first, pair.second))
    return tuple(known[:most])


def score_of(
    annotations: AnnotationSet,
    posteriors: NDArray[np.float64],
    gold: Mapping[Any, Identifier],
    foreign: int = 0,
) -> Score | None:
    """Return how right posteriors are on gold, or None where no labelled task has any.

    ``foreign``: tasks whose gold is a label that nobody gave; they count as wrong. The measures of
    probabilities leave them out.
    """
    codes = annotations.gold_codes(gold)
    known = np.flatnonzero(codes != UNKNOWN)
    if len(known) == 0:
        return None
    tasks = len(known) + foreign
    counts = vote_counts(annotations)
    told = posteriors[known] / posteriors[known].sum(axis=1, keepdims=True)
    return Score(
        tasks,
        share_interval(float(right_on(posteriors, codes).sum()), tasks),
        share_interval(float(right_on(counts / counts.sum(axis=1, keepdims=True), codes).sum()), tasks),
        expected_calibration_error(told, codes[known]),
        brier_score(told, codes[known]),
        log_loss(told, codes[known]),
        reliability_diagram(told, codes[known], bins=10),
    )
