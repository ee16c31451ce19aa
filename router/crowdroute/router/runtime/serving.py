"""An engine over a log that is open: recovery, contents, clock, snapshotter; whatever keeps the log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from crowdroute.router.adapters.shared_snapshots import snapshots_at
from crowdroute.router.adapters.sqlite_content import Held, SqliteContents
from crowdroute.router.adapters.system import SystemClock, SystemIds
from crowdroute.router.machine.shard import Shard
from crowdroute.router.ports import EventLog, StoredBatch
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.garbage import calm_collector
from crowdroute.router.runtime.recovery import Recovered, recover
from crowdroute.router.runtime.snapshot_feed import SnapshotFeed
from crowdroute.router.runtime.warming import warm_up

CORE = "crowdroute.router.machine.shard:Shard"
"""What the snapshotter's process folds with."""


class ServableLog(EventLog, Held, Protocol):
    """A log with the contents beside it, and a key for the digests in it."""

    content_key: bytes

    async def read_some(self, after: int, limit_bytes: int) -> list[StoredBatch]:
        """Give the batches above `after` that fit into `limit_bytes`, but one at least if there is one."""


@contextlib.asynccontextmanager
async def engine_over(
    log: ServableLog,
    folder: Path,
    *,
    number: int = 0,
    snapshots: bool = True,
    shared: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _head: None,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
) -> AsyncIterator[Engine]:
    """Fold a log, for who starts the engine; leaving drains it, and leaves the log open.

    Args:
        log: opened by this process.
        folder: where snapshots are kept.
        number: of the shard.
        snapshots: have a second process write snapshots.
        shared: URL of the folder in which nodes share the shard's snapshots; None: each has its own.
        progress: is told the sequence folded so far and that of the head, from another thread.
        recovered: is told what the recovery took.

    Raises:
        LogCorrupt: the log is damaged.
        ConfigurationError: the driver of `shared` is not installed.
        AppendFailed: when leaving, not everything that was taken became durable.
    """
    await asyncio.to_thread(warm_up)
    _, saved = snapshots_at(folder, shared)
    found = await asyncio.to_thread(recover, log, saved, partial(Shard, number), progress)
    recovered(found)
    calm_collector()
    engine = Engine(
        found.core,
        log,
        SqliteContents(log),
        SystemClock(found.last_us),
        SystemIds(),
        content_key=log.content_key,
        last_us=found.last_us,
        snapshot=found.snapshot,
    )
    feed = SnapshotFeed(CORE, folder, log.read_some, log.head()[0], shared=shared) if snapshots else None
    if feed is not None:
        engine.feed_snapshotter(feed)
        feed.start()
    try:
        yield engine
    finally:
        try:
            await engine.drain()
        finally:
            if feed is not None:
                await feed.stop()
