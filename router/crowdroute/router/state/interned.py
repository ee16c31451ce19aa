"""Values that rows refer to by a small code, in the order in which they were first seen."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Value = TypeVar("Value", bound=Hashable)


class Interned(Generic[Value]):
    """A list without repeats, looked up both ways."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        """Start from these values, coded 0, 1, 2 …."""
        self.values: list[Value] = []
        self._codes: dict[Value, int] = {}
        for value in values:
            self.code(value)

    def __len__(self) -> int:
        return len(self.values)

    def code(self, value: Value) -> int:
        """Give the value's code, a new one if it has none."""
        known = self._codes.get(value)
        if known is None:
            known = self._codes[value] = len(self.values)
            self.values.append(value)
        return known

    def find(self, value: Value) -> int | None:
        """Give the value's code, or None."""
        return self._codes.get(value)
