"""A circuit breaker: who does not answer is left alone for a while, and then asked once."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_PAUSE_SECONDS = 0.25
"""After the first failure: a restart of Redis takes less."""

LONGEST_PAUSE_SECONDS = 2.0
"""However often it failed: so long does it take at most to notice that it is back."""


class Breaker:
    """Closed: calls are made. Open: none is made before the pause is over; then one, which decides."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin closed.

        Args:
            clock: seconds.
        """
        self._clock = clock
        self._pause = 0.0
        self._until = 0.0
        self._trying = False
        self.failure = ""
        """What went wrong last; empty while closed."""

    @property
    def closed(self) -> bool:
        """Whether the last call was answered."""
        return not self._pause

    def admits(self) -> bool:
        """Say whether a call may be made now; it must then be reported by `succeeded` or `failed`."""
        if self.closed:
            return True
        if self._trying or self._clock() < self._until:
            return False
        self._trying = True
        return True

    def succeeded(self) -> bool:
        """Note an answer; gives whether the breaker was open."""
        was_open = not self.closed
        self._pause, self._trying, self.failure = 0.0, False, ""
        return was_open

    def dropped(self) -> None:
        """Note that the caller did not wait for the answer, which says nothing about who was asked."""
        self._trying = False

    def failed(self, why: str) -> bool:
        """Note that there was no answer; gives whether the breaker was closed."""
        was_closed = self.closed
        self._pause = min(self._pause * 2 or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        self._until = self._clock() + self._pause
        self._trying = False
        self.failure = why
        return was_closed
