"""First-in, first-out lists of task rows, woven into one array: any task is added or taken out in constant
time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NOWHERE = -1
"""Of a link's bucket: the task is in no list."""
ASIDE = -2
"""Of a link's bucket: the task has its turn in time but is in no list, because it has an allow list."""

FIRST_CAPACITY = 256

LINK = np.dtype([("next", "i4"), ("prev", "i4"), ("bucket", "i4"), ("spare", "i4"), ("turn", "i8")])
"""Neighbours in the list, the list, and when the task came into it (smaller came earlier)."""


class Lists:
    """`buckets` lists per signature, each with a head and a tail."""

    def __init__(self, buckets: int) -> None:
        """Make empty lists for no signature yet."""
        self._buckets = buckets
        self.links: NDArray[Any] = np.zeros(FIRST_CAPACITY, LINK)
        self.ends: NDArray[np.int32] = np.zeros((0, 2), np.int32)
        self.clear()

    def clear(self) -> None:
        """Empty every list."""
        self.links["bucket"] = NOWHERE
        self.ends[:] = -1

    def follow(self, tasks: int, signatures: int) -> None:
        """Have room for this many tasks and signatures."""
        capacity = len(self.links)
        if tasks > capacity:
            while capacity < tasks:
                capacity *= 2
            grown = np.zeros(capacity, LINK)
            grown["bucket"] = NOWHERE
            grown[: len(self.links)] = self.links
            self.links = grown
        if signatures * self._buckets > len(self.ends):
            ends = np.full((signatures * self._buckets, 2), -1, np.int32)
            ends[: len(self.ends)] = self.ends
            self.ends = ends
