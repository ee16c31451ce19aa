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

Column = NDArray[Any] | memoryview
"""Numbers by row; a memoryview gives them several times faster."""

FIRST_SLOTS = 1024
EMPTY = -1


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
    """Finds rows by the id that two of their columns hold; an all-zero id means the row has none.

    One id is looked up or entered in plain Python: at most every other slot is taken, so the walk is short,
    and to call compiled code takes longer.
    """

    def __init__(self) -> None:
        """Make an empty index."""
        self._make_room(FIRST_SLOTS)

    def _make_room(self, size: int) -> None:
        self._slots = np.full(size, EMPTY, np.int32)
        self._cells = self._slots.data
        self._mask = size - 1
        self._entered = 0

    def find(self, identity: Id, high: Column, low: Column) -> int:
        """Give the row with this id, or -1, also for what is no id at all.

        `high` and `low` are the table's id columns.
        """
        if len(identity) != ID_BYTES:
            return -1
        wanted_high, wanted_low = halves(identity)
        cells, mask = self._cells, self._mask
        slot = wanted_low & mask
        row = cells[slot]
        while row >= 0 and not (low[row] == wanted_low and high[row] == wanted_high):
            slot = slot + 1 & mask
            row = cells[slot]
        return row

    def enter(self, own_low: int, high: NDArray[Any], low: NDArray[Any], count: int) -> None:
        """Enter the last of `count` rows, the low half of whose id is `own_low`."""
        row = self._entered
        if row + 1 != count or 2 * count > self._mask:
            self.extend(high, low, count)
            return
        cells, mask = self._cells, self._mask
        slot = own_low & mask
        while cells[slot] >= 0:
            slot = slot + 1 & mask
        cells[slot] = row
        self._entered = count

    def extend(self, high: NDArray[Any], low: NDArray[Any], count: int) -> None:
        """Enter every row from the last one entered up to `count`."""
        size = len(self._slots)
        if 2 * count > size:
            while 2 * count > size:
                size *= 2
            self._make_room(size)
        _insert(self._slots, low, high, self._entered, count)
        self._entered = count

    def rebuild(self, high: NDArray[Any], low: NDArray[Any], count: int) -> None:
        """Start over from the table's rows."""
        self._make_room(FIRST_SLOTS)
        self.extend(high, low, count)
