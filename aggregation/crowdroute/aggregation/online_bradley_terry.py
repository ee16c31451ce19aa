"""Bradley-Terry kept up to date, one comparison at a time."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.bradley_terry import BradleyTerry, precision_of
from crowdroute.aggregation.coding import Identifier
from crowdroute.aggregation.comparison_set import LEFT, RIGHT, TIE, ComparisonSet
from crowdroute.aggregation.errors import InvalidParameterError, OutOfRangeError

_SWEEPS = 2
"""Newton steps of either item after a comparison: a third moves them by less than a thousandth."""


class Gap(NamedTuple):
    """How far the online scores foretell wins otherwise than the batch, over the pairs compared."""

    mean: float
    largest: float


class OnlineBradleyTerry:
    """The scores of ``BradleyTerry``, followed by Newton steps on the two items of each comparison.

    A comparison adds whole half-wins to the counts of its pair, and ``remove`` takes them back: the counts,
    which are all that the posterior depends on, are then exactly as if it had never been given. Each of the
    two items then takes a Newton step towards the mode given the others' scores: coordinate ascent, whose
    only resting place is the batch's mode. What lies between is ``gap``; ``refit`` closes it. A comparison
    costs O(items that the two were compared with); memory is one entry per pair.
    """

    def __init__(self, score_scale: float = 1.5) -> None:
        self.score_scale = score_scale
        self._precision = precision_of("score_scale", score_scale)
        self._score: dict[Identifier, float] = {}
        self._half_wins: dict[Identifier, dict[Identifier, int]] = {}
        """Of each item, the half-wins against each item it was compared with."""

    @property
    def scores_(self) -> dict[Identifier, float]:
        """The score of every item that was ever named, in the order of first appearance."""
        return dict(self._score)

    def partial_fit(self, left: Identifier, right: Identifier, outcome: float) -> Self:
        """Take in one comparison: ``LEFT``, ``RIGHT`` or ``TIE``.

        Raises ``InvalidParameterError`` for another outcome, and for an item compared with itself.
        """
        self._count(left, right, outcome, 1)
        return self

    def remove(self, left: Identifier, right: Identifier, outcome: float) -> Self:
        """Take one comparison back, as it was given or the other way round.

        Raises ``OutOfRangeError`` where there is none such.
        """
        halves = _halves(left, right, outcome)
        for item, other, its in ((left, right, halves[0]), (right, left, halves[1])):
            if self._half_wins.get(item, {}).get(other, 0) < its:
                raise OutOfRangeError(
                    f"there is no such comparison of {left!r} and {right!r} to take back; each goes once"
                )
        self._count(left, right, outcome, -1)
        return self

    def predict_proba(self, first: Identifier, second: Identifier) -> float:
        """Return P(first is preferred to second); of an item never named, as if its score were 0."""
        return _chance(self._score.get(first, 0.0) - self._score.get(second, 0.0))

    def refit(self) -> Self:
        """Bring every score to the batch's. O(pairs) per Newton step and direction."""
        batch = self._batch()
        if batch is not None:
            self._score.update(batch)
        return self

    def gap(self) -> Gap:
        """Return how far what the scores foretell of the compared pairs lies from the batch's."""
        batch = self._batch() or {}
        apart: NDArray[np.float64] = np.array(
            [
                abs(self.predict_proba(one, other) - _chance(batch[one] - batch[other]))
                for one, other in self._pairs()
            ]
            or [0.0]
        )
        return Gap(float(apart.mean()), float(apart.max()))

    def _pairs(self) -> list[tuple[Identifier, Identifier]]:
        """Return every pair compared, once, in an order that does not depend on that of the comparisons."""
        pairs = [
            (one, other)
            for one, against in self._half_wins.items()
            for other in against
            if _name(one) < _name(other)
        ]
        return sorted(pairs, key=lambda pair: (_name(pair[0]), _name(pair[1])))

    def _batch(self) -> dict[Identifier, float] | None:
        rows: list[tuple[Identifier, Identifier, Identifier | None]] = []
        for one, other in self._pairs():
            wins, losses = self._half_wins[one][other], self._half_wins[other][one]
            # Half-wins as ties, and whole ones where they are whole: what the posterior sees is the same.
            ties = min(wins, losses)
            rows += [(one, other, None)] * ties
            rows += [(one, other, one)] * ((wins - ties) // 2) + [(one, other, other)] * (
                (losses - ties) // 2
            )
        if not rows:
            return None
        left, right, winners = zip(*rows, strict=True)
        comparisons = ComparisonSet.from_sequences(["all"] * len(rows), left, right, winners)
        return {
            **dict.fromkeys(self._score, 0.0),
            **BradleyTerry(self.score_scale).fit(comparisons).predict(),
        }

    def _count(self, left: Identifier, right: Identifier, outcome: float, step: int) -> None:
        halves = _halves(left, right, outcome)
        for item, other, its in ((left, right, halves[0]), (right, left, halves[1])):
            self._score.setdefault(item, 0.0)
            against = self._half_wins.setdefault(item, {})
            against[other] = against.get(other, 0) + step * its
        if self._half_wins[left][right] == self._half_wins[right][left] == 0:
            del self._half_wins[left][right], self._half_wins[right][left]
        for _ in range(_SWEEPS):
            self._step(left)
            self._step(right)

    def _step(self, item: Identifier) -> None:
        """Move one score by a Newton step of the log-posterior, the others standing still."""
        score = self._score[item]
        slope, curve = -score * self._precision, self._precision
        for other, halves in self._half_wins[item].items():
            count = (halves + self._half_wins[other][item]) / 2
            chance = _chance(score - self._score[other])
            slope += halves / 2 - count * chance
            curve += count * chance * (1.0 - chance)
        self._score[item] = score + max(-1.0, min(1.0, slope / curve))


def _halves(left: Identifier, right: Identifier, outcome: float) -> tuple[int, int]:
    if left == right or outcome not in (LEFT, TIE, RIGHT):
        raise InvalidParameterError(
            f"{left!r} against {right!r} with outcome {outcome} is no comparison; give two items, and"
            f" {LEFT}, {TIE} or {RIGHT} for left, tie or right"
        )
    return int(2 * outcome), int(2 * (1.0 - outcome))


def _name(item: Identifier) -> tuple[str, str]:
    """Return what items are ordered by: 1 and "1" are two items."""
    return str(item), repr(item)


def _chance(log_odds: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * log_odds))
