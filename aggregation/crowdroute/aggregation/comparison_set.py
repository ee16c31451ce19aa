"""The input of models of preferences: who was shown which two items, on which sides, and chose what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.coding import Identifier, check_codes, codes_by_appearance
from crowdroute.aggregation.errors import InvalidAnnotationsError

LEFT, TIE, RIGHT = 1.0, 0.5, 0.0
"""What an answer prefers, as the share of a win that the item on the left gets."""


@dataclass(frozen=True, eq=False)
class ComparisonSet:
    """Answers about two items each, in the order given; validated once, never changed.

    ``workers``, ``left`` and ``right`` are int32 codes (comparisons,) into ``worker_ids`` and ``item_ids``,
    numbered by first appearance; ``outcomes`` are ``LEFT``, ``TIE`` or ``RIGHT``. A worker may compare two
    items more than once. Raises ``InvalidAnnotationsError``.
    """

    workers: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    outcomes: NDArray[np.float64]
    worker_ids: tuple[Identifier, ...]
    item_ids: tuple[Identifier, ...]

    def __post_init__(self) -> None:
        if len(self.workers) == 0:
            raise InvalidAnnotationsError("there are no comparisons; a set needs at least one")
        if not len(self.workers) == len(self.left) == len(self.right) == len(self.outcomes):
            raise InvalidAnnotationsError("give one worker, left item, right item and outcome per comparison")
        check_codes("worker", self.workers, self.worker_ids, every_one=True)
        for side in (self.left, self.right):
            check_codes("item", side, self.item_ids, every_one=False)
        itself = np.flatnonzero(self.left == self.right)
        if len(itself):
            raise InvalidAnnotationsError(
                f"comparison {itself[0]} is of {self.item_ids[self.left[itself[0]]]!r} with itself; leave it"
                " out"
            )
        if not np.isin(self.outcomes, (LEFT, TIE, RIGHT)).all():
            raise InvalidAnnotationsError(
                f"an outcome is none of {LEFT}, {TIE} and {RIGHT}: left, tie, right"
            )

    @classmethod
    def from_sequences(
        cls,
        workers: Sequence[Identifier],
        left: Sequence[Identifier],
        right: Sequence[Identifier],
        winners: Sequence[Identifier | None],
    ) -> Self:
        """Build a set from four columns of equal length; a winner is one of the two items, or None for a
        tie."""
        if not len(workers) == len(left) == len(right) == len(winners):
            raise InvalidAnnotationsError(
                f"the columns have {len(workers)} workers, {len(left)} and {len(right)} items and"
                f" {len(winners)} winners; give one of each per comparison"
            )
        outcomes = []
        for place, (one, other, winner) in enumerate(zip(left, right, winners, strict=True)):
            if winner is not None and winner not in (one, other):
                raise InvalidAnnotationsError(
                    f"comparison {place} is won by {winner!r}, which is neither {one!r} nor {other!r}"
                )
            outcomes.append(TIE if winner is None else LEFT if winner == one else RIGHT)
        codes, items = codes_by_appearance([*left, *right])
        worker_codes, worker_ids = codes_by_appearance(workers)
        sides = codes[: len(left)].copy(), codes[len(left) :].copy()
        return cls(worker_codes, *sides, np.array(outcomes, dtype=np.float64), worker_ids, items)

    def __len__(self) -> int:
        """Return the number of comparisons."""
        return len(self.workers)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def n_workers(self) -> int:
        return len(self.worker_ids)

    @cached_property
    def pair_of(self) -> NDArray[np.int32]:
        """Which pair each comparison is of, whichever way it was shown: codes into ``pairs``."""
        return self._paired[0]

    @cached_property
    def pairs(self) -> NDArray[np.int32]:
        """The items of each pair, as they were shown the first time: (pairs, 2), by first appearance."""
        return self._paired[1]

    @cached_property
    def _paired(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        keys = np.minimum(self.left, self.right).astype(np.int64) * self.n_items
        codes, _ = codes_by_appearance(keys + np.maximum(self.left, self.right))
        first = np.unique(codes, return_index=True)[1]
        return codes, np.column_stack([self.left[first], self.right[first]])
