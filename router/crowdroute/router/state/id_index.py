"""From a 16-byte id to a table row, in eight bytes per row instead of a dictionary's hundred.

Open addressing over the table's own id columns: the slots hold row numbers only. Ids are random, so their low
half is their hash. Nothing is ever removed (rows are not), so probing needs no tombstones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from crowdroute.router.model.ids import ID_BYTES, Id, halves

FIRST_SLOTS = 1024
EMPTY = -1


@njit(cache=True, nogil=True)
def _find(
    slots: NDArray[Any], high: NDArray[Any], low: NDArray[Any], wanted_high: int, wanted_low: int
) -> int:
    mask = len(slots) - 1
    slot = wanted_low & mask
    while True:
        row = slots[slot]
        if row < 0:
            return -1
        if low[row] == wanted_low and high[row] == wanted_high:
            return int(row)
        slot = (slot + 1) & mask


@njit(cache=True, nogil=True)
def _insert(slots: NDArray[Any], low: NDArray[Any], high: NDArray[Any], first: int, end: int) -> None:
    mask = len(slots) - 1
    for row in range(first, end):
        if low[row] == 0 and high[row] == 0:
            continue
        slot = low[row] & mask
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = row


class IdIndex:
    """Finds rows by the id that two of their columns hold; an all-zero id means the row has none."""

    def __init__(self) -> None:
        """Make an empty index."""
        self._slots = np.full(FIRST_SLOTS, EMPTY, np.int32)
        self._entered = 0

    def find(self, identity: Id, high: NDArray[Any], low: NDArray[Any]) -> int:
        """Give the row with this id, or -1, also for what is no id at all.

        `high` and `low` are the table's id columns.
        """
        if len(identity) != ID_BYTES:
            return -1
        wanted_high, wanted_low = halves(identity)
        return int(_find(self._slots, high, low, wanted_high, wanted_low))

    def extend(self, high: NDArray[Any], low: NDArray[Any], count: int) -> None:
        """Enter every row from the last one entered up to `count`."""
        if 2 * count > len(self._slots):
            size = len(self._slots)
            while 2 * count > size:
                size *= 2
            self._slots = np.full(size, EMPTY, np.int32)
            self._entered = 0
        _insert(self._slots, low, high, self._entered, count)
        self._entered = count

    def rebuild(self, high: NDArray[Any], low: NDArray[Any], count: int) -> None:
        """Start over from the table's rows."""
        self._slots = np.full(FIRST_SLOTS, EMPTY, np.int32)
        self._entered = 0
        self.extend(high, low, count)
