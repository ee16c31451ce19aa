"""Whether an actor lives, from what came of asking it: pure.

Ray notices a process that ended, and starts it again. It never notices one that is frozen, so that is ended
here. Asked is the gRPC server itself, because an actor that answers its supervisor and no caller is of no
use.
"""

from __future__ import annotations

from enum import StrEnum

from crowdroute.router.runtime.cluster.fleet import Pulse
from crowdroute.router.runtime.cluster.orders import Standing

FROZEN_S = 3.0
"""Silent for so long, a process is ended. A garbage collection or a slow disk takes less; with the fleet's
own time to end and start it, a frozen one serves again within 15 s."""

GONE_S = 3.0
"""Gone for so long, an actor is given up, though its next life may come: a restart takes one to three seconds
on a machine that has time for it, and another actor serves a shard again within two."""

START_S = 60.0
"""The longest that a new process may take until it listens: it may have to compile first."""

AGAIN_S = 10.0
"""Between two attempts to end a process: the fleet itself waits up to 5 s before it uses force."""


class Verdict(StrEnum):
    """What is to be thought of an actor."""

    ALIVE = "alive"
    """It answers, or did a moment ago."""
    GONE = "gone"
    """Its process ended and no other listens yet: its shards are to be served elsewhere."""
    FROZEN = "frozen"
    """The same, and its process is to be ended."""


class Watch:
    """Follows one actor; moments are seconds on a clock that only goes forward."""

    def __init__(self, now: float, address: str = "") -> None:
        """Begin with an actor that has said nothing yet.

        Args:
            now: the moment.
            address: where its server was when somebody else followed it; empty: nobody knows.
        """
        self._recorded = address
        self.standing: Standing | None = None
        """Its last word."""
        self.beats = False
        """Whether its server answered when it was asked last."""
        self._began = self._well = now
        self._gone = False
        self._served: float | None = None
        """When a server of any life answered last."""
        self._ended: float | None = None

    @property
    def address(self) -> str:
        """Where its server is to be asked; empty while it does not listen, as far as is known."""
        return self._recorded if self.standing is None else self.standing.at.public

    def said(self, standing: Standing, now: float) -> None:
        """Note what the actor said of itself."""
        known = self.standing
        if known is None or known.incarnation != standing.incarnation:
            self._well, self._gone, self._ended, self.beats = now, False, None, False
        self.standing = standing

    def felt(self, pulse: Pulse, now: float) -> None:
        """Note what came of asking its server."""
        self.beats = pulse is Pulse.BEATING
        if self.beats:
            self._well, self._gone, self._served = now, False, now
        else:
            self._gone = pulse is Pulse.GONE

    def verdict(self, now: float) -> Verdict:
        """Say what is to be thought of it."""
        quiet = now - self._well
        if self.standing is None and now - self._began >= START_S:
            return Verdict.FROZEN  # whatever beats at its address may be another's
        if not self.address:
            if quiet < START_S:  # it has time to begin, and its shards need not wait for it
                waited = self._served is not None and now - self._served >= GONE_S
                return Verdict.GONE if waited else Verdict.ALIVE
            return Verdict.FROZEN
        if quiet < (GONE_S if self._gone else FROZEN_S):
            return Verdict.ALIVE
        # A next life that hangs before its first word is frozen, too.
        return Verdict.GONE if self._gone and quiet < START_S else Verdict.FROZEN

    def end(self, now: float) -> bool:
        """Note that its process is to be ended, and say whether that was not asked for within `AGAIN_S`."""
        if self._ended is not None and now - self._ended < AGAIN_S:
            return False
        self._ended = now
        return True
