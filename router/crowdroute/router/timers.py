"""Deadlines in a heap; derived from the tables, so never saved and never trusted over them."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush


class Deadlines:
    """The moments at which rows of a table fall due, earliest first.

    A row may stand in the heap several times, since an extended deadline is pushed anew; only the entry that
    equals the row's current deadline counts, the others are dropped when they surface.
    """

    def __init__(self, current: Callable[[int], int]) -> None:
        """Store how to look up a row's current deadline (microseconds; negative when it has none)."""
        self._current = current
        self._heap: list[tuple[int, int]] = []

    def arm(self, row: int, at_us: int) -> None:
        """Note that the row falls due at that moment."""
        heappush(self._heap, (at_us, row))

    def rebuild(self, rows: list[tuple[int, int]]) -> None:
        """Start over from (moment, row) pairs."""
        self._heap = rows
        heapify(self._heap)

    def earliest(self) -> int | None:
        """Give the next moment at which a row falls due."""
        heap = self._heap
        while heap:
            at_us, row = heap[0]
            if self._current(row) == at_us:
                return at_us
            heappop(heap)
        return None

    def pop_due(self, now_us: int) -> int | None:
        """Take out one row that is due, or give None.

        The caller must end the row's deadline before it asks again.
        """
        earliest = self.earliest()
        if earliest is None or earliest > now_us:
            return None
        return heappop(self._heap)[1]
