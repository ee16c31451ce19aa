"""How a project stands with the schedule of its refits."""

from __future__ import annotations

import msgspec


class RefitSchedule(msgspec.Struct, array_like=True):
    """All zero while the rules have no schedule."""

    since_us: int = 0
    """When the schedule, or the last refit since, came into force."""
    answers: int = 0
    """Counted answers since then that teach the models."""
    due: int = 0
    """Version of the refit that fell due and is not in force yet; 0 for none."""
