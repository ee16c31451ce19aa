"""What fixed overlap costs and gets: so many labels for every task, chosen by chance, then aggregated."""

from __future__ import annotations

import random
from dataclasses import dataclass

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.dawid_skene import DawidSkene
from crowdroute.aggregation.majority_vote import MajorityVote
from crowdroute.router.replay.recorded import RecordedCrowd

EVERY = 128
"""Overlaps up to this one stand in the curve one by one; a popular task may have thousands of labels."""


@dataclass(frozen=True)
class FixedOverlap:
    """One point of the curve."""

    overlap: int
    labels: int
    """Labels bought in all; tasks with fewer recorded ones get those."""
    majority_vote: float | None
    """Accuracy over the tasks with gold, None without any."""
    dawid_skene: float | None


def overlaps(largest: int) -> list[int]:
    """Give the overlaps of the curve: each up to `EVERY`, then a tenth more each time, and the largest."""
    found = list(range(1, min(largest, EVERY) + 1))
    while found[-1] < largest:
        found.append(min(largest, found[-1] + max(1, found[-1] // 10)))
    return found


def fixed_overlap_curve(crowd: RecordedCrowd, seed: int) -> list[FixedOverlap]:
    """Give the curve up to the largest overlap recorded, with labels drawn without replacement by the
    seed."""
    draw = random.Random(seed + 3)
    shuffled = [draw.sample(workers, len(workers)) for workers in crowd.workers_of]
    curve = []
    for overlap in overlaps(crowd.largest_overlap):
        tasks, workers, labels = [], [], []
        for task, order in enumerate(shuffled):
            for worker in order[:overlap]:
                tasks.append(crowd.tasks[task])
                workers.append(crowd.workers[worker])
                labels.append(crowd.labels[crowd.answers[task, worker]])
        chosen = AnnotationSet.from_sequences(tasks, workers, labels)
        votes = score(
            {str(task): str(label) for task, label in MajorityVote().fit(chosen).predict().items()}, crowd
        )
        fitted = score(
            {str(task): str(label) for task, label in DawidSkene().fit(chosen).predict().items()}, crowd
        )
        curve.append(FixedOverlap(overlap, len(labels), votes, fitted))
    return curve


def score(labels: dict[str, str], crowd: RecordedCrowd) -> float | None:
    """Give the share of gold tasks of the crowd whose label is right, None without gold."""
    scored = [labels.get(task) == label for task, label in crowd.gold.items() if task in labels]
    return sum(scored) / len(scored) if scored else None
