"""Score a replay and put it into the one object that `--json` prints."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from crowdroute.router.replay.baselines import fixed_overlap_curve, score
from crowdroute.router.replay.outcome import UNRECORDED, Ending, Outcome
from crowdroute.router.replay.recorded import RecordedCrowd

Z = 1.959963984540054
"""97.5 % quantile of the normal distribution: two-sided 95 % intervals."""


def wilson(right: int, of: int) -> tuple[float, float]:
    """Give the 95 % score interval of a share (Wilson, JASA 22, 1927)."""
    share = right / of
    centre = (share + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z / (1 + Z * Z / of) * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return max(0.0, centre - half), min(1.0, centre + half)


def concluded(crowd: RecordedCrowd, outcome: Outcome) -> dict[str, str]:
    """Give every task's label, published or most probable; empty where it is one that nobody ever gave."""
    return {
        task: crowd.labels[label] if label != UNRECORDED else ""
        for task, label in zip(crowd.tasks, outcome.labels, strict=True)
    }


def score_of(crowd: RecordedCrowd, outcome: Outcome) -> float | None:
    """Give the share of gold tasks that the replay got right, None without gold."""
    return score(concluded(crowd, outcome), crowd)


def summarise(crowd: RecordedCrowd, outcome: Outcome, seed: int) -> dict[str, Any]:
    """Give the whole result of a replay; `accuracy` and its interval are None without gold."""
    endings = Counter(outcome.endings)
    labels = concluded(crowd, outcome)
    accuracy = score(labels, crowd)
    scored = [task for task in crowd.gold if task in labels]
    right = sum(labels[task] == crowd.gold[task] for task in scored)
    return {
        "tasks": len(crowd.tasks),
        "workers": len(crowd.workers),
        "labels_recorded": len(crowd.answers),
        "labels_used": outcome.used,
        "repeats_dropped": crowd.repeats,
        "finalised": endings[Ending.FINALISED],
        "escalated": endings[Ending.ESCALATED],
        "exhausted": endings[Ending.EXHAUSTED],
        "set_aside": endings[Ending.SET_ASIDE],
        "reviews_decided": outcome.reviews,
        "gold_tasks": len(scored),
        "gold_never_labelled": len(crowd.gold) - len(scored),
        "gold_outside_labels": sum(crowd.gold[task] not in crowd.labels for task in scored),
        "accuracy": accuracy,
        "accuracy_interval": list(wilson(right, len(scored))) if scored else None,
        "fixed_overlap": [
            {
                "overlap": point.overlap,
                "labels": point.labels,
                "majority_vote": point.majority_vote,
                "dawid_skene": point.dawid_skene,
            }
            for point in fixed_overlap_curve(crowd, seed)
        ],
        "cycles_per_second": outcome.cycles / outcome.seconds if outcome.seconds else None,
        "seconds": outcome.seconds,
    }
