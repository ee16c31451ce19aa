"""A growing two-dimensional array beside a table, row for row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.errors import SnapshotUnusable


class Matrix:
    """Rows of equal width and one number type, filled with a constant until written."""

    def __init__(self, dtype: str, fill: float, width: int = 0, capacity: int = 256) -> None:
        """Make an empty matrix."""
        self._dtype = np.dtype(dtype)
        self._fill = fill
        self._hold(np.full((capacity, width), fill, self._dtype))

    def _hold(self, values: NDArray[Any]) -> None:
        self.values = values
        self.cells = values.data
        self._capacity: int = values.shape[0]
        self.width: int = values.shape[1]

    def reserve(self, rows: int, width: int) -> None:
        """Make room for this many rows and columns."""
        if rows <= self._capacity and width <= self.width:
            return
        grown_rows = self._capacity
        while grown_rows < rows:
            grown_rows *= 2
        grown = np.full((grown_rows, max(width, self.width)), self._fill, self._dtype)
        grown[: self._capacity, : self.width] = self.values
        self._hold(grown)

    def pack(self, rows: int) -> bytes:
        """Give the first rows as raw bytes, the width before them."""
        return self.width.to_bytes(8, "little") + self.values[:rows].tobytes()

    def unpack(self, raw: bytes | memoryview, rows: int) -> None:
        """Take over what `pack` gave.

        Raises:
            SnapshotUnusable: the bytes are not that many rows.
        """
        width = int.from_bytes(raw[:8], "little")
        if len(raw) - 8 != rows * width * self._dtype.itemsize:
            raise SnapshotUnusable(f"a matrix of {rows} rows and {width} columns has {len(raw) - 8} bytes")
        self.reserve(max(rows, 1), width)
        self.values[:rows, :width] = np.frombuffer(raw, self._dtype, offset=8).reshape(rows, width)
