"""A loop over memory, as tests of it and of what it commits drive it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.counting_core import CountingCore, erasures

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.memory import ManualClock, MemoryDisk, MemoryLog
from crowdroute.router.commands import Reply
from crowdroute.router.runtime.shard_loop import ShardLoop


class Shard:
    """A loop over memory, with everything that a test wants to look at."""

    def __init__(self, loop_class: type[ShardLoop] = ShardLoop, **options: object) -> None:
        self.disk = MemoryDisk()
        self.log = MemoryLog(self.disk)
        self.clock = ManualClock()
        self.core = CountingCore()
        self.loop = loop_class(self.core, self.log, self.clock, erasures=erasures, **options)
        self.loop.start()

    def on_disk(self) -> list[str]:
        """The reasons that a process started now would find."""
        core = CountingCore()
        for stored in self.disk.batches:
            core.apply(decode_batch(stored.body, stored.sequence))
        return core.reasons


@asynccontextmanager
async def running(**options: object) -> AsyncIterator[Shard]:
    """Run a loop until the block is left, and drain it."""
    shard = Shard(**options)
    yield shard
    await shard.loop.drain()


async def turns(count: int = 10) -> None:
    """Let everything that can go on go on."""
    for _ in range(count):
        await asyncio.sleep(0)


def started(awaitable: object) -> asyncio.Task[Reply]:
    """Begin to wait for a reply."""
    return asyncio.ensure_future(awaitable)  # type: ignore[arg-type]
