"""Who leads while the supervisor is not heard: the first in rank of those who stand by.

Ray takes half a minute and more to call a node dead that was cut off, and never notices a frozen process.
So whoever leads leaves a sign of it beside the record, and each actor of the cluster looks for the signs:
when all before it in rank are silent, it leads until one of them is heard again. That two may lead for a
moment harms nobody: each generation of the placement is written by one.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from crowdroute.router.errors import FleetUnavailable
from crowdroute.router.ports import Beats
from crowdroute.router.runtime.cluster.supervisor import Supervisor

FIRST = 0
"""Rank of the supervisor proper; the actors come after it, in the order of their numbers."""

LOOK_S = 1.0
"""Pause between two signs, and between two looks at those of others."""

SILENT_S = 4.0
"""Without a sign for so long, one is not waited for: a step takes a second where nobody answers. With a
second until this one leads, and the watchdog's patience after it, a shard is still served elsewhere within
15 s."""

RENEW_S = 60.0
"""Between two attempts to end the process of the supervisor proper: the next one may take long to begin."""

_log = structlog.get_logger("crowdroute.standby")


class Succession:
    """Whether it is one's turn to lead, from the signs of those before in rank: pure."""

    def __init__(self, rank: int, now: float) -> None:
        """Begin to listen.

        Args:
            rank: one's own.
            now: seconds on a clock that only goes forward.
        """
        self._rank = rank
        self._since = now
        self._signs: dict[int, tuple[str, float]] = {}

    def leads(self, signs: Mapping[int, str], now: float) -> bool:
        """Say whether everybody before has been silent for `SILENT_S`, given the newest sign of each rank."""
        for rank, sign in signs.items():
            if rank < self._rank and self._signs.get(rank, ("", 0.0))[0] != sign:
                self._signs[rank] = sign, now
        heard = max((at for _, at in self._signs.values()), default=self._since)
        return now - max(heard, self._since) >= SILENT_S

    def could_not_look(self, now: float) -> None:
        """Note that nobody could have been heard: silence counts anew from here."""
        self._since = now


class Signs:
    """Leaves a sign for as long as a supervisor takes steps."""

    def __init__(self, led: Supervisor, beats: Beats, rank: int) -> None:
        """Begin with no sign.

        Args:
            led: whose steps they are of.
            beats: where they are left.
            rank: under which.
        """
        self._led = led
        self._beats = beats
        self._rank = rank
        self._life = secrets.token_hex(4)
        self._told = 0

    async def run(self) -> None:
        """Leave a sign after the other, for ever."""
        while True:
            with contextlib.suppress(FleetUnavailable):  # nobody can look for it either
                await self.leave()
            await asyncio.sleep(LOOK_S)

    async def leave(self) -> None:
        """Leave a sign, unless no step was taken since the last.

        Raises:
            FleetUnavailable: whether it was left is unknown.
        """
        if self._led.steps != self._told:
            self._told = self._led.steps
            await self._beats.beat(self._rank, f"{self._life}-{self._told}")


class Standby:
    """An actor's readiness to lead."""

    def __init__(
        self,
        rank: int,
        beats: Beats,
        make: Callable[[], Supervisor],
        renew: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to listen.

        Args:
            rank: after `FIRST`; of nobody else.
            beats: where signs are left.
            make: makes a supervisor that has seen nothing yet.
            renew: ends the process of the supervisor proper, which may be frozen, and has it started again.
            clock: seconds; only goes forward.
        """
        self._rank = rank
        self._beats = beats
        self._make = make
        self._renew = renew
        self._clock = clock
        self._succession = Succession(rank, clock())
        self._announced = False
        self._leading: asyncio.Task[None] | None = None

    @property
    def leads(self) -> bool:
        """Whether it leads now."""
        return self._leading is not None

    async def run(self) -> None:
        """Look for the signs of those before, and lead while there are none, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Look once, and begin or cease to lead."""
        if self._leading is not None and self._leading.done():
            self._leading.result()  # it never ends but by a defect
        try:
            leads = self._succession.leads(await self._beats.heard(), self._clock())
            if leads and self._leading is None and not self._announced:
                # All who stand by come to it at once: those behind hear this one before they begin.
                await self._beats.beat(self._rank, secrets.token_hex(4))
                self._announced = True
                return
        except FleetUnavailable:
            self._succession.could_not_look(self._clock())
            return
        if leads and self._leading is None:
            _log.warning("nobody leads: this actor does for now", rank=self._rank)
            self._leading = asyncio.create_task(self._lead(), name="leading")
        elif not leads:
            self._announced = False
            await self._cease()

    async def _cease(self) -> None:
        if self._leading is not None:
            _log.warning("somebody before this actor leads again", rank=self._rank)
            leading, self._leading = self._leading, None
            leading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await leading

    async def _lead(self) -> None:
        led = self._make()
        async with asyncio.TaskGroup() as together:
            together.create_task(led.run())
            together.create_task(Signs(led, self._beats, self._rank).run())
            together.create_task(self._renew_first())

    async def _renew_first(self) -> None:
        while True:
            with contextlib.suppress(FleetUnavailable):
                await self._renew()
            await asyncio.sleep(RENEW_S)
