"""Engines with one promise broken each, to prove that the tests would notice."""

from __future__ import annotations

import asyncio

from crowdroute.router.runtime.shard_loop import ShardLoop


class RepliesEarly(ShardLoop):
    """The answer leaves before its batch is on disk."""

    async def observe(self) -> None:
        await asyncio.sleep(0)
