"""Time and randomness from the machine.

Logged time = start anchor + what has passed since on a clock that cannot be set. Setting the wall clock while
the engine runs (by hand, by NTP, for summer time) changes nothing. Three rules bound what a wrong clock can
do:

* Logged time never falls below the last logged moment. A wall clock that is behind at the start is not waited
  for: the engine goes on from the last moment, at the right pace.
* A wall clock that is ahead at the start by more than `LONGEST_OUTAGE_US` is not believed: the engine goes on
  that long after the last moment. What is believed counts as an outage, and the live leases are extended by
  it.
* A jump of the running clock by more than `JUMP_US` between two readings counts only as far as the wall clock
  went the same way (the machine slept, the process was frozen); the rest is cut.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from crowdroute.router.model.ids import ID_BYTES, Id

JUMP_US = 60_000_000
"""A minute: the shard loop looks at the clock every second, so what is shorter is load, not a defect."""

JUMP_TOLERANCE_US = 5_000_000
"""How much less than the running clock the wall clock may show and still confirm a jump: an NTP step."""

LONGEST_OUTAGE_US = 30 * 86_400 * 1_000_000
"""Thirty days: longer than any outage that somebody would resume from without a look at the clock."""


def lease_clock_us() -> int:
    """Read the clock by which queries may be answered, which goes on while the machine is suspended."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


DRAWN_BYTES = 256 * ID_BYTES
"""Random bytes asked for at a time: each question is a change of thread, which costs more than the bytes."""

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed_ns() -> int:
    """Read a clock that nobody can set and that goes on while the machine sleeps (on Linux)."""
    return time.clock_gettime_ns(_CLOCK)


class SystemClock:
    """`Clock` of one process."""

    def __init__(
        self,
        last_us: int | None = None,
        elapsed: Callable[[], int] = elapsed_ns,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        """Anchor logged time.

        Args:
            last_us: the last moment in the log; None when it is empty.
            elapsed: nanoseconds on a clock that only goes forward.
            wall: nanoseconds since the epoch, as the machine believes.
        """
        self._elapsed = elapsed
        self._wall = wall
        self._elapsed_us = elapsed() // 1000
        self._wall_us = wall() // 1000
        self._now_us = self._wall_us
        if last_us is not None:
            self._now_us = min(max(self._wall_us, last_us), last_us + LONGEST_OUTAGE_US)
        self.cut_us = 0
        """Microseconds of unexplained jumps that were cut so far."""

    @property
    def behind_us(self) -> int:
        """Give how far logged time is behind the wall clock (negative: ahead of it), in microseconds."""
        now_us = self.now_us()
        return self._wall_us - now_us

    def now_us(self) -> int:
        """Give logged time in microseconds since the epoch."""
        elapsed_us, wall_us = self._elapsed() // 1000, self._wall() // 1000
        step = elapsed_us - self._elapsed_us
        if step > JUMP_US:
            shown = wall_us - self._wall_us
            if shown < step - JUMP_TOLERANCE_US:
                self.cut_us += step - max(shown, 0)
                step = max(shown, 0)
        self._elapsed_us, self._wall_us = elapsed_us, wall_us
        self._now_us += max(step, 0)
        return self._now_us


class SystemIds:
    """`Ids` from the operating system's generator; for one process, not for copies that it forks."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._drawn = b""
        self._used = 0

    def entropy(self) -> Id:
        """Give 16 random bytes."""
        if self._used == len(self._drawn):
            self._drawn, self._used = os.urandom(DRAWN_BYTES), 0
        self._used += ID_BYTES
        return self._drawn[self._used - ID_BYTES : self._used]
