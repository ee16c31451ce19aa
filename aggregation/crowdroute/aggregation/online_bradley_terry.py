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
from crowdroute.aggregation.forgetting import Forgetting
from crowdroute.aggregation.half_wins import HalfWins

_SWEEPS = 2
"""Newton steps of either item after a comparison: a third moves them by less than a thousandth."""


_FADED = 2.0**-200
"""Of what was kept before; a float64 reaches down to 2^-1022."""


class _Said(NamedTuple):
    """What one comparison says, whichever item was shown on the left."""

    one: Identifier
    other: Identifier
    """Ordered by ``_name``."""
    halves: int
    """Half-wins of the one; the other has what is left of two."""
    weight: float

    @property
    def pair(self) -> tuple[Identifier, Identifier]:
        return self.one, self.other


class Gap(NamedTuple):
    """How far the online scores foretell wins otherwise than the batch, over the pairs compared."""

    mean: float
    largest: float


class OnlineBradleyTerry:
    """The scores of ``BradleyTerry``, followed by Newton steps on the two items of each comparison.

    A comparison adds half-wins to the counts of its pair, and ``remove`` takes them back: the counts, which
    are all that the posterior depends on, are then as if it had never been given (exactly, where nothing is
    forgotten). Each of the two items then takes a Newton step towards the mode given the others' scores:
    coordinate ascent, whose only resting place is the batch's mode. What lies between is ``gap``; ``refit``
    closes it. A comparison costs O(items that the two were compared with).

    With a finite ``half_life`` older comparisons count less (``Forgetting``), in the unit of the moments
    given to ``partial_fit``; by default those count the comparisons. A score then moves when its item is
    compared again, or at a ``refit``.
    """

    def __init__(self, score_scale: float = 1.5, half_life: float = math.inf) -> None:
        self.score_scale = score_scale
        self.half_life = half_life
        self._precision = precision_of("score_scale", score_scale)
        self._forgetting = Forgetting(half_life)
        self._code: dict[Identifier, int] = {}
        self._score: NDArray[np.float64] = np.zeros(0)
        """By codes; there is room for more than the items named."""
        self._half_wins = HalfWins()
        """As they counted at ``_as_of``: a common factor is the same for all, so that none need fade one by
        one."""
        self._as_of = 0.0
        self._given: dict[tuple[Identifier, Identifier], dict[_Said, list[float]]] = {}
        """Of each pair, the moments of what was said and not taken back."""

    @property
    def scores_(self) -> dict[Identifier, float]:
        """The score of every item that was ever named, in the order of first appearance."""
        return dict(zip(self._code, self._score.tolist(), strict=False))

    def partial_fit(
        self,
        left: Identifier,
        right: Identifier,
        outcome: float,
        moment: float | None = None,
        weight: float = 1.0,
    ) -> Self:
        """Take in one comparison: ``LEFT``, ``RIGHT`` or ``TIE``.

        ``moment`` says when it was made; None: one after the latest so far. ``weight`` is how many
        comparisons it counts for: more than one for gold and for those who are known to be right. Raises
        ``InvalidParameterError`` for another outcome, for an item compared with itself, for a moment that is
        not finite and for a weight that is not positive.
        """
        said = _said(left, right, outcome, weight)
        moment = self._forgetting.advance(moment)
        self._rebase()
        for item in (left, right):
            self._code.setdefault(item, len(self._code))
        if len(self._code) > len(self._score):
            self._score = np.concatenate([self._score, np.zeros(len(self._code))])
        self._half_wins.make_room(len(self._code))
        self._given.setdefault(said.pair, {}).setdefault(said, []).append(moment)
        self._count(said, self._worth(moment))
        self._move(said)
        return self

    def remove(
        self,
        left: Identifier,
        right: Identifier,
        outcome: float,
        moment: float | None = None,
        weight: float = 1.0,
    ) -> Self:
        """Take one comparison back, as it was given or the other way round; with no moment, the last such.

        Raises ``OutOfRangeError`` where there is none such.
        """
        said = _said(left, right, outcome, weight)
        moments = self._given.get(said.pair, {}).get(said, [])
        if not moments or (moment is not None and moment not in moments):
            raise OutOfRangeError(
                f"there is no such comparison of {left!r} and {right!r} to take back; each goes once"
            )
        if moment is None:
            moment = moments[-1]
        moments.remove(moment)
        self._count(said, -self._worth(moment))
        if not moments:
            del self._given[said.pair][said]
        if not self._given[said.pair]:
            # Nothing is left, not even a rounding error.
            del self._given[said.pair]
            self._half_wins.drop(self._code[left], self._code[right])
        self._move(said)
        return self

    def predict_proba(self, first: Identifier, second: Identifier) -> float:
        """Return P(first is preferred to second); of an item never named, as if its score were 0."""
        scores = (
            float(self._score[self._code[item]]) if item in self._code else 0.0 for item in (first, second)
        )
        return _chance(next(scores) - next(scores))

    def refit(self) -> Self:
        """Bring every score to the batch's. O(pairs) per Newton step and direction."""
        batch = self._batch()
        self._score[: len(batch)] = list(batch.values())
        return self

    def gap(self) -> Gap:
        """Return how far what the scores foretell of the compared pairs lies from the batch's."""
        batch = self._batch()
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
        return sorted(self._given, key=lambda pair: (_name(pair[0]), _name(pair[1])))

    def _batch(self) -> dict[Identifier, float]:
        scores = dict.fromkeys(self._code, 0.0)
        pairs = self._pairs()
        if not pairs:
            return scores
        left, right = zip(*pairs, strict=True)
        comparisons = ComparisonSet.from_sequences(
            ["all"] * 2 * len(pairs), left + left, right + right, left + right
        )
        halves = [self._half_wins.between(self._code[one], self._code[other]) for one, other in pairs]
        weights = 0.5 * self._scale() * np.array(halves).T.ravel()
        return scores | BradleyTerry(self.score_scale).fit(comparisons, weights=weights).predict()

    def _worth(self, moment: float) -> float:
        """Return what something said then counts in the unit of the kept half-wins."""
        return self._forgetting.weight(moment) / self._scale()

    def _scale(self) -> float:
        """Return how much of the kept half-wins is left now."""
        return self._forgetting.weight(self._as_of)

    def _rebase(self) -> None:
        """Let all half-wins fade, once in a while: what is said now would become too large beside them."""
        if not self._given:
            self._as_of = self._forgetting.now
        left = self._scale()
        if left < _FADED:
            self._half_wins.fade(left)
            self._as_of = self._forgetting.now

    def _count(self, said: _Said, worth: float) -> None:
        one, other = self._code[said.one], self._code[said.other]
        half = worth * said.weight
        self._half_wins.add(one, other, half * said.halves, half * (2 - said.halves))

    def _move(self, said: _Said) -> None:
        # Not imported with the package: numba waits for the first comparison.
        from crowdroute.aggregation import score_kernels

        one, other = self._code[said.one], self._code[said.other]
        score_kernels.step_both(
            self._score,
            one,
            *self._half_wins.of(one),
            other,
            *self._half_wins.of(other),
            self._scale(),
            self._precision,
            _SWEEPS,
        )


def _said(left: Identifier, right: Identifier, outcome: float, weight: float) -> _Said:
    if left == right or outcome not in (LEFT, TIE, RIGHT):
        raise InvalidParameterError(
            f"{left!r} against {right!r} with outcome {outcome} is no comparison; give two items, and"
            f" {LEFT}, {TIE} or {RIGHT} for left, tie or right"
        )
    if not 0.0 < weight < math.inf:
        raise InvalidParameterError(f"the weight is {weight}; it must be positive and finite")
    if _name(left) < _name(right):
        return _Said(left, right, int(2 * outcome), weight)
    return _Said(right, left, int(2 * (1.0 - outcome)), weight)


def _name(item: Identifier) -> tuple[str, str]:
    """Return what items are ordered by: 1 and "1" are two items."""
    return str(item), repr(item)


def _chance(log_odds: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * log_odds))
