"""How often one credential may call: a bucket of tokens that fills at a steady rate."""

from __future__ import annotations

import time
from collections.abc import Callable

from crowdroute.router.model.ids import Id
from crowdroute.router.rpc.status import TooManyCalls

MOST_BUCKETS = 100_000
"""Credentials remembered; then full buckets, which limit nothing, are forgotten."""


class RateLimiter:
    """One bucket per credential."""

    def __init__(self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Let each credential make `burst` calls at once and `per_second` in the long run; 0 for any
        number."""
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[Id, tuple[float, float]] = {}

    def take(self, credential: Id) -> None:
        """Count one call.

        Raises:
            TooManyCalls: the bucket is empty.
        """
        if not self._per_second:
            return
        now = self._clock()
        level, at = self._buckets.get(credential, (self._burst, now))
        level = min(self._burst, level + (now - at) * self._per_second)
        if level < 1:
            raise TooManyCalls(
                f"this credential makes more than {self._per_second:g} calls per second: slow down"
            )
        if len(self._buckets) >= MOST_BUCKETS:
            self._forget_full(now)
        self._buckets[credential] = (level - 1, now)

    def _forget_full(self, now: float) -> None:
        self._buckets = {
            credential: (level, at)
            for credential, (level, at) in self._buckets.items()
            if level + (now - at) * self._per_second < self._burst
        }
