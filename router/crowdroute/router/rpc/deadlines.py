"""How long a call may be waited for."""

from __future__ import annotations

from typing import cast

import grpc

from crowdroute.router.rpc.status import DeadlineExceeded, DeadlineMissing

Context = grpc.aio.ServicerContext[bytes, bytes]

LONGEST_DEADLINE = 60.0
"""Seconds that a call answered with one message may ask for: what waits longer is better asked again."""

DEADLINE_TOLERANCE = 1.0
"""Seconds by which clocks and rounding may lengthen a deadline on its way."""


def require_deadline(context: Context) -> None:
    """Refuse a call that may be waited for without end, or for too long.

    Raises:
        DeadlineMissing: it has no deadline, or a distant one.
        DeadlineExceeded: its time is over already.
    """
    left = time_left(context)
    if left is None:
        raise DeadlineMissing(
            f"the call has no deadline: set one of at most {LONGEST_DEADLINE:g} seconds",
            {"field": "deadline"},
        )
    if left > LONGEST_DEADLINE + DEADLINE_TOLERANCE:
        raise DeadlineMissing(
            f"the deadline is {left:.0f} seconds away: set one of at most {LONGEST_DEADLINE:g} seconds",
            {"field": "deadline"},
        )
    if left <= 0:
        raise DeadlineExceeded("the call's time was over when it arrived")


def time_left(context: Context) -> float | None:
    """Give how many seconds of a call are left; None when it has no deadline."""
    return cast("float | None", context.time_remaining())  # the stubs leave out that there may be none
