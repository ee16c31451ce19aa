"""How a project stands, counted over its tables in blocks, so that a large one holds nobody up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.model.states import (
    AssignmentState,
    Purpose,
    Receipt,
    Review,
    Revision,
    Stage,
    TaskState,
)
from crowdroute.router.state.project import WITH_KNOWN_ANSWER, Project

BLOCK = 1 << 16
"""Rows counted between two looks at the network: a few milliseconds."""

_STAGES = tuple(stage.name.lower() for stage in Stage)
_KNOWN = [int(purpose) for purpose in WITH_KNOWN_ANSWER]


@dataclass
class Counts:
    """What was counted."""

    states: NDArray[Any] = field(default_factory=lambda: np.zeros(len(TaskState), np.int64))
    """Tasks by state."""
    escalated: int = 0
    free: list[int] = field(default_factory=lambda: [0] * len(Stage))
    live: list[int] = field(default_factory=lambda: [0] * len(Stage))
    counted: list[int] = field(default_factory=lambda: [0] * len(Stage))
    accepted: int = 0
    refused: int = 0
    in_review: int = 0
    results: int = 0
    """Production tasks with a result that stands."""
    behind_results: int = 0
    """Counted answers on those."""
    confidence: float = 0.0
    """Sum of the confidences of those results."""


async def count(state: Project) -> Counts:
    """Count a project's tasks and answers; what changes meanwhile may be counted before or after."""
    counts = Counts()
    for begin in range(0, state.tasks.count, BLOCK):
        _count_tasks(counts, state, state.tasks.rows[begin : min(begin + BLOCK, state.tasks.count)])
        await asyncio.sleep(0)
    for begin in range(0, state.assignments.count, BLOCK):
        rows = state.assignments.rows[begin : min(begin + BLOCK, state.assignments.count)]
        _count_leases(counts, rows)
        counts.accepted += int(np.isin(rows["receipt"], (Receipt.COUNTED, Receipt.SURPLUS)).sum())
        counts.refused += int((rows["receipt"] == Receipt.REFUSED).sum())
        counts.in_review += int((rows["review"] == Review.REQUESTED).sum())
        await asyncio.sleep(0)
    return counts


async def count_answers(state: Project) -> NDArray[Any]:
    """Give how many answers each worker gave, by row: counted, surplus and refused ones."""
    answers = np.zeros(state.workers.count, np.int64)
    for begin in range(0, state.assignments.count, BLOCK):
        rows = state.assignments.rows[begin : min(begin + BLOCK, state.assignments.count)]
        given = rows["worker"][rows["receipt"] != Receipt.NONE]
        answers = _padded(answers, state.workers.count) + np.bincount(given, minlength=state.workers.count)
        await asyncio.sleep(0)
    return _padded(answers, state.workers.count)


def _padded(numbers: NDArray[Any], length: int) -> NDArray[Any]:
    return np.pad(numbers, (0, length - len(numbers)))


def _count_tasks(counts: Counts, state: Project, rows: NDArray[Any]) -> None:
    counts.states += np.bincount(rows["state"], minlength=len(TaskState))
    is_open = rows["state"] == TaskState.OPEN
    with_expert = rows["stage"] == Stage.EXPERT
    counts.escalated += int((is_open & with_expert).sum())
    wanting = is_open & ~np.isin(rows["purpose"], _KNOWN)
    for stage, name in enumerate(_STAGES):
        asked = wanting & (with_expert if stage == Stage.EXPERT else ~with_expert)
        counts.free[stage] += int(free_slots(rows[asked], name).sum())
    done = rows[(rows["state"] == TaskState.FINALISED) & (rows["purpose"] == Purpose.PRODUCTION)]
    if len(done):
        counts.results += len(done)
        counts.behind_results += sum(int(done[f"counted_{name}"].sum()) for name in _STAGES)
        counts.confidence += float(_confidences(state, done["result"]).sum())


def _count_leases(counts: Counts, rows: NDArray[Any]) -> None:
    live = rows["state"] == AssignmentState.ACTIVE
    counted = (rows["receipt"] == Receipt.COUNTED) & (rows["revision"] < Revision.WITHDRAWN)
    for stage in range(len(Stage)):
        here = rows["stage"] == stage
        counts.live[stage] += int((live & here).sum())
        counts.counted[stage] += int((counted & here).sum())


def free_slots(rows: NDArray[Any], stage: str) -> NDArray[Any]:
    """Give the slots of a stage that nobody holds or has used, per task."""
    taken = rows[f"live_{stage}"] + rows[f"counted_{stage}"] + rows[f"kept_{stage}"]
    free: NDArray[Any] = np.maximum(rows[f"planned_{stage}"] - taken, 0)
    return free


def _confidences(state: Project, results: NDArray[Any]) -> NDArray[Any]:
    """Give the probability of the least certain field's label, per result."""
    lowest = np.ones(len(results))
    for place, matrix in enumerate(state.probabilities):
        labels = state.labels.values[results, place]
        answered = labels >= 0
        probabilities = matrix.values[results[answered], labels[answered]]
        lowest[answered] = np.minimum(lowest[answered], probabilities)
    return lowest
