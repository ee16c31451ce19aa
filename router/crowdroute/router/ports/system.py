"""Time and chance."""

from __future__ import annotations

from typing import Protocol

from crowdroute.router.model.ids import Id


class Clock(Protocol):
    """Logged time; see the ADR on time."""

    def now_us(self) -> int:
        """Give microseconds since the epoch, never less than the time before."""


class Ids(Protocol):
    """Where the randomness of commands comes from."""

    def entropy(self) -> Id:
        """Give 16 random bytes that were never given before."""
