"""How refits that rules made due ended in one shard; read by whoever measures."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum


class RefitOutcome(StrEnum):
    """How one try ended."""

    DONE = "DONE"
    """What was found is in force."""
    STALE = "STALE"
    """The project was not as it must be, or changed meanwhile; the next try mostly succeeds."""
    FAILED = "FAILED"
    """The job came to nothing, the engine refused for another reason, or a defect of ours ended it."""


RefitOutcomes = Counter[RefitOutcome]


def no_outcomes() -> RefitOutcomes:
    """Give a count that tells every outcome from the beginning, as a rate over time needs it."""
    return Counter(dict.fromkeys(RefitOutcome, 0))
