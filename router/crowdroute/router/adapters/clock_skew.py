"""Two clocks side by side, before anything is served."""

from __future__ import annotations

from crowdroute.router.errors import ConfigurationError

MOST_SECONDS = 2.0
"""Leases last minutes and presence a minute: below this, nobody is wronged by a move to another machine."""


def check_skew(what: str, theirs: float, ours: float, doubt: float) -> None:
    """Compare a clock with this machine's.

    Args:
        what: whose clock it is, for people.
        theirs: what it says, in seconds since 1970.
        ours: this machine's time at that moment.
        doubt: seconds by which that moment is uncertain (a round trip).

    Raises:
        ConfigurationError: they are further apart than `MOST_SECONDS`.
    """
    apart = ours - theirs
    if abs(apart) - doubt > MOST_SECONDS:
        side = "ahead of" if apart > 0 else "behind"
        raise ConfigurationError(
            f"this machine's clock is {abs(apart):.1f} s {side} that of {what}: "
            f"{MOST_SECONDS:g} s is the most; have both kept by NTP"
        )
