"""Which workers are there: seen by this process, or told of by others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from crowdroute.router.model.ids import Id
from crowdroute.router.ports import Directory

PRESENT_US = 60 * 1_000_000
"""Who called within a minute is present: front-ends renew leases and ask for work more often."""

REMEMBERED_US = 900 * 1_000_000
"""Who was seen longer ago is forgotten."""

OVERLAP_US = 5 * 1_000_000
"""By how much what is asked for overlaps what was told before: other clocks may lag by less."""


def wall_clock_us() -> int:
    """Give this machine's time; presence is told to people and decides nothing, so that no log holds it."""
    return time.time_ns() // 1000


class Presence:
    """When each worker was seen last; noting and looking never wait."""

    def __init__(self, now_us: Callable[[], int] = wall_clock_us) -> None:
        """Know of nobody.

        Args:
            now_us: the time, in microseconds since 1970.
        """
        self._now_us = now_us
        self._seen: dict[str, dict[Id, int]] = {}
        self._fresh: dict[str, dict[Id, int]] = {}
        self._asked: dict[str, int] = {}

    def saw(self, tenant: str, worker: Id) -> None:
        """Note that a worker called."""
        now = self._now_us()
        self._seen.setdefault(tenant, {})[worker] = now
        self._fresh.setdefault(tenant, {})[worker] = now

    def last_us(self, tenant: str, worker: Id) -> int:
        """Give when a worker called last; 0 when that is long ago or unknown."""
        moment = self._seen.get(tenant, {}).get(worker, 0)
        return moment if moment >= self._now_us() - REMEMBERED_US else 0

    def count(self, tenant: str) -> int:
        """Give how many workers are present."""
        since = self._now_us() - PRESENT_US
        return sum(moment >= since for moment in self._seen.get(tenant, {}).values())

    async def exchange(self, directory: Directory, tenants: Iterable[str]) -> None:
        """Tell others whom we saw, and learn whom they saw; forget who was not seen for long.

        Args:
            directory: where it is told.
            tenants: all that are known here, whether any of their workers called or not.
        """
        now = self._now_us()
        fresh, self._fresh = self._fresh, {}
        for tenant in tenants:
            known = self._seen.setdefault(tenant, {})
            seen = fresh.get(tenant, {})
            await directory.see(tenant, {worker.hex(): moment for worker, moment in seen.items()})
            since = max(self._asked.get(tenant, 0) - OVERLAP_US, now - REMEMBERED_US)
            for name, moment in (await directory.seen(tenant, since)).items():
                worker = bytes.fromhex(name)
                known[worker] = max(moment, known.get(worker, 0))
            self._asked[tenant] = now
            for worker in [worker for worker, moment in known.items() if moment < now - REMEMBERED_US]:
                del known[worker]
