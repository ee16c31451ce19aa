"""Whether a task has enough answers.

A task ends when its posterior reaches the target with at least the minimum of answers; at the maximum it is
escalated or taken as it is. What is compared with the target is the calibrated probability, which is the
posterior itself until a calibrator is installed.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from crowdroute.router.model.rules import Overlap, Stopping


class Verdict(Enum):
    """What follows for the task."""

    GO_ON = "go_on"
    """Another answer is wanted, or one is on its way."""
    CONFIDENT = "confident"
    MAXIMUM = "maximum"
    ESCALATE = "escalate"
    TOO_FEW = "too_few"
    """Every slot is used and the minimum not reached: more slots are needed."""


_GO_ON = Verdict.GO_ON
"""Looking it up in its class is slow, and it is what most answers lead to."""


class Standing(msgspec.Struct, frozen=True, gc=False):
    """The numbers a stopping decision goes by."""

    counted: int
    """Counted annotations of crowd and seniors."""
    free: int
    """Crowd slots nobody holds or has used."""
    live: int
    """Live crowd leases."""
    in_review: int
    """Annotations whose enforced review is not concluded; the result waits for them."""
    confidence: float
    """Calibrated probability of the most probable label, of the field where it is lowest."""
    least: int = 0
    """Counted annotations that were asked for: below them the task goes on however sure it is."""


def judge(standing: Standing, overlap: Overlap, stopping: Stopping) -> Verdict:
    """Say what follows for an open crowd task with this standing."""
    if standing.in_review:
        return _GO_ON
    enough = standing.counted >= overlap.minimum and standing.counted >= standing.least
    if enough and standing.confidence >= stopping.target:
        return Verdict.CONFIDENT
    if standing.free > 0 or standing.live > 0:
        return _GO_ON
    if standing.counted < overlap.minimum:
        return Verdict.TOO_FEW
    return Verdict.ESCALATE if stopping.escalate else Verdict.MAXIMUM
