"""Counts by size, kept so cheaply that the hot path can afford them; whoever reads them does the sums."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence


class Histogram:
    """How many values were at most each bound, and their sum."""

    __slots__ = ("_counts", "bounds", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Count nothing yet.

        Args:
            bounds: upper ends of the ranges, rising; what is larger than the last one is counted apart.
        """
        self.bounds = tuple(bounds)
        self.total = 0.0
        """Sum of all values."""
        self._counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> Iterator[int]:
        """Yield how many values were at most each bound, and at last how many there were."""
        seen = 0
        for count in self._counts:
            seen += count
            yield seen
