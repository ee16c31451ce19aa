"""Who won against whom how often, kept so that compiled loops can walk the opponents of one item."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FIRST_ROOM = 4
"""Opponents that a row has room for at first; it doubles when they are more."""

Opponents = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
"""Codes of opponents, the item's half-wins against each, and theirs against it; views, not to be kept."""


class _Row:
    """The opponents of one item, in no order that means anything."""

    def __init__(self) -> None:
        self.place: dict[int, int] = {}
        self.codes = np.empty(_FIRST_ROOM, dtype=np.int64)
        self.won, self.lost = np.zeros(_FIRST_ROOM), np.zeros(_FIRST_ROOM)

    def place_of(self, other: int) -> int:
        place = self.place.get(other)
        if place is None:
            place = len(self.place)
            if place == len(self.codes):
                self.codes, self.won, self.lost = (
                    np.concatenate([one, np.zeros_like(one)]) for one in (self.codes, self.won, self.lost)
                )
            self.place[other] = place
            self.codes[place], self.won[place], self.lost[place] = other, 0.0, 0.0
        return place

    def drop(self, other: int) -> None:
        place, last = self.place.pop(other), len(self.place)
        if place != last:
            moved = int(self.codes[last])
            self.place[moved] = place
            self.codes[place], self.won[place], self.lost[place] = moved, self.won[last], self.lost[last]


class HalfWins:
    """Half-wins of items, by codes from 0, against each other: each kept in the rows of both."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []

    def make_room(self, items: int) -> None:
        """Let there be as many items."""
        self._rows.extend(_Row() for _ in range(items - len(self._rows)))

    def add(self, one: int, other: int, won: float, lost: float) -> None:
        """Add half-wins of the one and of the other; negative ones take back what was added. O(1)."""
        for row, opponent, to_won, to_lost in (
            (self._rows[one], other, won, lost),
            (self._rows[other], one, lost, won),
        ):
            place = row.place_of(opponent)
            # Taking away what was added before can leave a rounding error behind, never evidence.
            row.won[place] = max(row.won[place] + to_won, 0.0)
            row.lost[place] = max(row.lost[place] + to_lost, 0.0)

    def drop(self, one: int, other: int) -> None:
        """Forget that the two were ever compared. O(1)."""
        self._rows[one].drop(other)
        self._rows[other].drop(one)

    def between(self, one: int, other: int) -> tuple[float, float]:
        """Return the half-wins of the one, and of the other, of two that were compared."""
        row = self._rows[one]
        place = row.place[other]
        return float(row.won[place]), float(row.lost[place])

    def of(self, item: int) -> Opponents:
        """Return whom it was compared with, and how that went."""
        row = self._rows[item]
        n = len(row.place)
        return row.codes[:n], row.won[:n], row.lost[:n]

    def fade(self, share: float) -> None:
        """Leave a share of every half-win. O(pairs)."""
        for row in self._rows:
            row.won *= share
            row.lost *= share
