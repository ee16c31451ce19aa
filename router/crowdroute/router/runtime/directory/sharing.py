"""What a process shares besides rows, again and again: presence, and what was spent of rate limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from crowdroute.router.model.ids import Id
from crowdroute.router.ports import Directory
from crowdroute.router.runtime.directory.presence import Presence

SHARE_SECONDS = 0.25
"""How late one process learns what another spent: a credential can exceed its rate by so much of it per
process, once."""

PRESENCE_EVERY = 4
"""Presence is exchanged every so many turns: each second."""

LIMITS = "calls"


class Spending(Protocol):
    """Buckets that are spent from here and elsewhere."""

    per_second: float
    burst: float

    def drain(self) -> Mapping[Id, int]:
        """Give what was spent since the last time."""

    def correct(self, credential: Id, level: float) -> None:
        """Learn what is left when everybody's spending is counted."""


async def share(
    directory: Directory, presence: Presence, spending: Spending, tenants: Callable[[], Iterable[str]]
) -> None:
    """Exchange until cancelled.

    Args:
        directory: where others look.
        presence: of workers.
        spending: of callers.
        tenants: gives those that are known here.
    """
    turn = 0
    while True:
        await share_limits(directory, spending)
        if turn % PRESENCE_EVERY == 0:
            await presence.exchange(directory, tenants())
        turn += 1
        await asyncio.sleep(SHARE_SECONDS)


async def share_limits(directory: Directory, spending: Spending) -> None:
    """Tell what was spent here, and learn what is left."""
    spent = {credential.hex(): calls for credential, calls in spending.drain().items()}
    if not spent or not spending.per_second:
        return
    left = await directory.settle(LIMITS, spent, spending.per_second, spending.burst)
    for name, level in left.items():
        spending.correct(bytes.fromhex(name), level)
