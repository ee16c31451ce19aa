"""How much work there is, told so roughly and so rarely that no single lease shows in it.

A task with a known answer takes no slot. Whoever could see an exact and fresh number of free slots fall, or
not fall, with a lease of their own would know what is gold.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

STEPS = (1, 2, 5)
"""A number is told as the next of 10, 20, 50, 100, 200, … above it: what a vendor needs to plan with."""

LEAST = 10
"""The smallest of them but zero."""

KEPT_US = 600_000_000
"""Ten minutes for which a number that was told stays as it is."""


def rough(count: int) -> int:
    """Give the next round number that is not below a count; zero stays zero."""
    if count <= 0:
        return 0
    scale = LEAST
    while True:
        for step in STEPS:
            if count <= step * scale:
                return step * scale
        scale *= 10


class RoughCounts:
    """Rough numbers, each kept for a while."""

    def __init__(self) -> None:
        """Know none yet."""
        self._told: dict[Hashable, tuple[int, int]] = {}

    def of(self, key: Hashable, now_us: int, count: Callable[[], int]) -> int:
        """Give the number told for a key, counted anew when the one before is old."""
        told = self._told.get(key)
        if told is None or not 0 <= now_us - told[0] < KEPT_US:
            told = self._told[key] = now_us, rough(count())
        return told[1]
