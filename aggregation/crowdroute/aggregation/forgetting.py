"""How much what was said a while ago still counts."""

from __future__ import annotations

import math

from crowdroute.aggregation.errors import InvalidParameterError


class Forgetting:
    """Exponential forgetting: what was said at a moment m counts 2^(-(now - m) / half_life).

    ``now`` is the latest moment heard of: time does not go back when something is withdrawn, for what has
    faded cannot be raised again without its rounding errors. Moments are numbers of any unit, that of the
    half-life too; who gives none counts: one more than the latest. An infinite half-life forgets nothing.
    R. Kulhavý and M. B. Zarrop, "On a general concept of forgetting", International Journal of Control 58
    (1993): the posterior is mixed geometrically with the prior, which for Dirichlet counts is to shrink what
    labels added to them. Raises ``InvalidParameterError`` for a half-life that is not positive.
    """

    def __init__(self, half_life: float = math.inf) -> None:
        if not half_life > 0.0:
            raise InvalidParameterError(f"half_life is {half_life}; it must be positive, infinite for none")
        self.half_life = half_life
        self.now = 0.0
        self._begun = False

    def advance(self, moment: float | None) -> float:
        """Let it be that moment, if it is later, and return it; None is one after the latest.

        Raises ``InvalidParameterError`` for a moment that is not a finite number.
        """
        if moment is None:
            moment = self.now + 1.0
        if not math.isfinite(moment):
            raise InvalidParameterError(f"the moment is {moment}; it must be a finite number")
        self.now = max(self.now, moment) if self._begun else moment
        self._begun = True
        return moment

    def weight(self, moment: float) -> float:
        """Return how much what was said then counts now."""
        # Two to less than that is 0 in all but the smallest numbers there are.
        return float(2.0 ** max((moment - self.now) / self.half_life, -1000.0))
