"""Many growing lists of row numbers in one array, each a stretch of it: read by position, appended to, never
sorted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

START, COUNT, ROOM = 0, 1, 2
"""Columns of the table: where a segment lies in the arena, how many numbers it holds, how many it could
hold."""

FIRST_ROOM = 4
FIRST_ARENA = 1024


class Segments:
    """Segments by a small number (a signature, a worker).

    A segment that is full moves to a place of twice the size at the end of the arena; what it leaves behind
    is less than what it takes, so at most half of the arena is waste.
    """

    def __init__(self) -> None:
        """Make no segment yet."""
        self.keys = 0
        """How many segments there are."""
        self.table: NDArray[np.int32] = np.zeros((0, 3), np.int32)
        self.arena: NDArray[np.int32] = np.zeros(FIRST_ARENA, np.int32)

    def follow(self, keys: int) -> None:
        """Have a segment for each of this many keys."""
        if keys > self.keys:
            table = np.zeros((max(keys, 2 * self.keys), 3), np.int32)
            table[: self.keys] = self.table
            self.table = table
            self.keys = len(table)

    def clear(self, expected: NDArray[np.int64]) -> int:
        """Empty every segment, make the room that is expected of each, and give how much of the arena that
        takes."""
        used = int(expected.sum())
        self.follow(len(expected))
        self.table[:] = 0
        self.table[: len(expected), ROOM] = expected
        self.table[1 : len(expected), START] = np.cumsum(expected[:-1])
        while len(self.arena) < used:
            self.grow()
        return used

    def grow(self) -> None:
        """Double the arena."""
        arena = np.zeros(2 * len(self.arena), np.int32)
        arena[: len(self.arena)] = self.arena
        self.arena = arena
