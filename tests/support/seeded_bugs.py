"""Engines with one promise broken each, to prove that the tests would notice."""

from __future__ import annotations

import asyncio
from typing import Any

from crowdroute.router.runtime.shard_loop import ShardLoop

SLOW_COMMIT_S = 0.05
"""So long that a crowd is answered many times meanwhile, and a kill comes in between at any moment."""


class RepliesEarly(ShardLoop):
    """The answer leaves before its batch is on disk."""

    async def observe(self) -> None:
        await asyncio.sleep(0)


class RepliesLongBefore(RepliesEarly):
    """The same over a slow disk, where every crash shows it."""

    async def _append(self, batch: Any) -> None:
        await asyncio.sleep(SLOW_COMMIT_S)
        await super()._append(batch)
