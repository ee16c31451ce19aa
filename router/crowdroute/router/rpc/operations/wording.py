"""Words that explanations share: names, shares, counts."""

from __future__ import annotations

from collections.abc import Sequence

from crowdroute.router.model.ids import Id, Kind
from crowdroute.router.model.rules import Field
from crowdroute.router.model.states import Stage, TaskState
from crowdroute.workers.reliability import AccuracyInterval

SHOWN_DIGITS = 8
"""Digits of an id in a sentence; the details hold all of them."""

STAGES = {Stage.CROWD: "the crowd", Stage.SENIOR: "a senior", Stage.EXPERT: "an expert"}
"""Who is asked at a stage."""

ROLES = {Stage.CROWD: "in the crowd", Stage.SENIOR: "as a senior", Stage.EXPERT: "as an expert"}
"""As what somebody works at a stage."""

TASK_STATES = {
    TaskState.OPEN: "open",
    TaskState.PARKED: "parked",
    TaskState.FINALISED: "finalised",
    TaskState.CANCELLED: "cancelled",
}


def short(kind: Kind, identity: Id) -> str:
    """Give the beginning of an id, enough to tell things apart in a sentence."""
    return f"{kind.value}_{identity.hex()[:SHOWN_DIGITS]}"


def share(value: float) -> str:
    """Write a probability as people do; never rounded up to certainty."""
    percent = value * 100
    if 99.9 < percent < 100:
        return "over 99.9 %"
    return f"{percent:.1f} %"


def answers(count: int) -> str:
    """Write a number of answers."""
    return "1 answer" if count == 1 else f"{count} answers"


def labels_text(fields: Sequence[Field], codes: Sequence[int]) -> str:
    """Write label codes per field, -1 for none; the field's name only where there are several."""
    said = [
        field.labels[code].id if len(fields) == 1 else f"{field.id} = {field.labels[code].id}"
        for field, code in zip(fields, codes, strict=False)
        if code >= 0
    ]
    return ", ".join(said) or "nothing"


def accuracy_text(accuracy: AccuracyInterval) -> str:
    """Write how good an annotator's answers are known to be."""
    if not accuracy.count:
        return "no checked answers yet"
    return (
        f"accuracy {share(accuracy.mean)} ({share(accuracy.lower)} to {share(accuracy.upper)}), "
        f"{accuracy.correct} of {accuracy.count} checked answers right"
    )
