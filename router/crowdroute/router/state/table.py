"""Growing tables of fixed-size rows, readable field by field from Python and row by row from compiled code.

A table is one structured numpy array. Python reads and writes single cells through memoryviews of the fields,
which give plain integers several times faster than numpy scalars do; compiled kernels take `rows` whole.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_type_hints

import numpy as np
from numpy.typing import NDArray

from crowdroute.router.errors import SnapshotUnusable

Int8 = Annotated[memoryview, "i1"]
Int16 = Annotated[memoryview, "i2"]
Int32 = Annotated[memoryview, "i4"]
Int64 = Annotated[memoryview, "i8"]
if TYPE_CHECKING:
    _Reals = memoryview[float]
else:
    _Reals = memoryview  # generic for type checkers only, before Python 3.14
Float32 = Annotated[_Reals, "f4"]

FIRST_CAPACITY = 256
"""Rows a new table has room for: small enough for thousands of small projects in one process."""


class Table:
    """Rows of one kind; a subclass declares its columns as annotated memoryviews."""

    dtype: ClassVar[np.dtype[Any]]
    """The layout of a row."""
    count: int
    rows: NDArray[Any]

    def __init_subclass__(cls) -> None:
        """Lay out the rows once per kind of table: reading annotations is slow, and projects may be many."""
        hints = get_type_hints(cls, include_extras=True)
        columns = [
            (name, hint.__metadata__[0]) for name, hint in hints.items() if hasattr(hint, "__metadata__")
        ]
        cls.dtype = np.dtype(columns, align=True)

    @classmethod
    def beginning(cls, last: str) -> Struct:
        """Give what writes the columns of a row from the first to this one in one go."""
        codes = []
        for name in cls.dtype.names or ():
            codes.append(cls.dtype[name].char)
            if name == last:
                break
        return Struct("".join(codes))

    def __init__(self) -> None:
        """Make an empty table."""
        self.count = 0
        self._hold(np.zeros(FIRST_CAPACITY, self.dtype))

    def _hold(self, rows: NDArray[Any]) -> None:
        self.rows = rows
        self._capacity = len(rows)
        for name in self.dtype.names or ():
            setattr(self, name, rows[name].data)

    def add(self) -> int:
        """Append a row of zeros and give its number."""
        row = self.count
        if row == self._capacity:
            self.reserve(row + 1)
        self.count = row + 1
        return row

    def reserve(self, needed: int) -> None:
        """Make room for at least this many rows, doubling so that growth stays cheap."""
        capacity = self._capacity
        if needed <= capacity:
            return
        while capacity < needed:
            capacity *= 2
        grown = np.zeros(capacity, self.dtype)
        grown[: self.count] = self.rows[: self.count]
        self._hold(grown)

    def pack(self) -> bytes:
        """Give all rows as raw bytes."""
        return self.rows[: self.count].tobytes()

    def unpack(self, raw: bytes | memoryview) -> None:
        """Take over rows given by `pack`.

        Raises:
            SnapshotUnusable: the bytes are not a whole number of rows.
        """
        if len(raw) % self.dtype.itemsize:
            raise SnapshotUnusable(f"{type(self).__name__}: {len(raw)} bytes are no whole number of rows")
        loaded = np.frombuffer(raw, self.dtype)
        self.count = len(loaded)
        capacity = FIRST_CAPACITY
        while capacity < self.count:
            capacity *= 2
        rows = np.zeros(capacity, self.dtype)
        rows[: self.count] = loaded
        self._hold(rows)
