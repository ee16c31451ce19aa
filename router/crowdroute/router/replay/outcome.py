"""What a replay gives: the state every task ended in, and what was bought."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

UNRECORDED = -1
"""Stands for a label of the rules that nobody in the record ever gave."""


class Ending(Enum):
    """Where a task stood when the recorded crowd had nothing more to say."""

    FINALISED = "finalised"
    ESCALATED = "escalated"
    """Waiting for an expert, whom a recorded crowd does not have."""
    EXHAUSTED = "exhausted"
    """Every recorded label was bought and the target not reached."""
    SET_ASIDE = "set_aside"
    """Parked because leases ran out, or taken away by somebody, while a running engine was played on."""


@dataclass
class Outcome:
    """One replay, before it is scored."""

    endings: list[Ending]
    """Per task."""
    labels: list[int]
    """Per task: the published label or, without a result, the most probable one."""
    used: int = 0
    """Labels bought, surplus included."""
    reviews: int = 0
    """Review decisions; recorded, and not waited for."""
    seconds: float = 0.0
    cycles: int = 0
    used_per_task: list[int] = field(default_factory=list)

    @property
    def finalised(self) -> int:
        """Tasks with a published result."""
        return self.endings.count(Ending.FINALISED)
