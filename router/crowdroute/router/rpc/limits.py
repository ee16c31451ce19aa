"""How often one caller may call: a bucket of tokens that fills at a steady rate.

A call is decided by the bucket of this process alone, at once. What other processes let the same caller do
is learned a moment later (`runtime.directory.sharing`) and taken from the bucket then.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from crowdroute.router.model.ids import Id
from crowdroute.router.rpc.status import TooManyCalls

MOST_BUCKETS = 100_000
"""Callers remembered; then full buckets, which limit nothing, are forgotten."""


class RateLimiter:
    """One bucket per caller: a worker over all sessions, or a token that is no worker's."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Let each caller make `burst` calls at once and `per_second` in the long run; 0 for any number."""
        self.per_second = per_second
        self.burst = burst
        self._clock = clock
        self._buckets: dict[Id, tuple[float, float]] = {}
        self._spent: defaultdict[Id, int] = defaultdict(int)

    def take(self, caller: Id) -> None:
        """Count one call.

        Raises:
            TooManyCalls: the bucket is empty.
        """
        if not self.per_second:
            return
        now = self._clock()
        level = self._level(caller, now)
        if level < 1:
            raise TooManyCalls(
                f"this credential makes more than {self.per_second:g} calls per second: slow down"
            )
        if len(self._buckets) >= MOST_BUCKETS:
            self._forget_full(now)
        self._buckets[caller] = (level - 1, now)
        if len(self._spent) >= MOST_BUCKETS:  # nobody asks for it
            self._spent.clear()
        self._spent[caller] += 1

    def drain(self) -> Mapping[Id, int]:
        """Give what each caller spent here since the last time."""
        spent, self._spent = self._spent, defaultdict(int)
        return spent

    def correct(self, caller: Id, level: float) -> None:
        """Learn what is left of a bucket when the calls to all processes are counted."""
        now = self._clock()
        self._buckets[caller] = (min(self._level(caller, now), level - self._spent.get(caller, 0)), now)

    def _level(self, caller: Id, now: float) -> float:
        level, at = self._buckets.get(caller, (self.burst, now))
        return min(self.burst, level + (now - at) * self.per_second)

    def _forget_full(self, now: float) -> None:
        self._buckets = {
            caller: (level, at)
            for caller, (level, at) in self._buckets.items()
            if level + (now - at) * self.per_second < self.burst
        }
