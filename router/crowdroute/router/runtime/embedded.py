"""The engine of one process over one directory: log, contents and snapshots in files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_content import SqliteContents
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.system import SystemClock, SystemIds
from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.garbage import calm_collector
from crowdroute.router.runtime.recovery import Recovered, recover
from crowdroute.router.runtime.snapshot_feed import SnapshotFeed
from crowdroute.router.runtime.warming import warm_up

CORE = "crowdroute.router.machine.shard:Shard"
"""What the snapshotter's process folds with."""


@contextlib.asynccontextmanager
async def embedded_engine(
    directory: Path,
    *,
    snapshots: bool = True,
    progress: Callable[[int, int], None] = lambda _done, _head: None,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
) -> AsyncIterator[Engine]:
    """Open a directory, fold its log, and serve from it until the block is left; then drain and close it.

    Args:
        directory: of the log, made when it is not there.
        snapshots: have a second process write snapshots.
        progress: is told the sequence folded so far and that of the head, from another thread.
        recovered: is told what the recovery took.

    Raises:
        Fenced: another process has the directory open.
        LogCorrupt: the log is damaged.
        StorageError: the directory cannot be used.
        AppendFailed: when leaving, not everything that was taken became durable.
    """
    log = await asyncio.to_thread(SqliteLog, directory)
    try:
        await asyncio.to_thread(warm_up)
        files = SnapshotFiles(directory / "snapshots")
        found = await asyncio.to_thread(recover, log, files, Shard, progress)
        recovered(found)
        calm_collector()
        contents = SqliteContents(log)
        engine = Engine(
            found.core,
            log,
            contents,
            SystemClock(found.last_us),
            SystemIds(),
            content_key=log.content_key,
            last_us=found.last_us,
            snapshot=found.snapshot,
        )
        feed = SnapshotFeed(CORE, files.directory, log.read_some, log.head()[0]) if snapshots else None
        if feed is not None:
            engine.feed_snapshotter(feed)
            feed.start()
        engine.start()
        try:
            yield engine
        finally:
            try:
                await engine.drain()
            finally:
                if feed is not None:
                    await feed.stop()
    finally:
        log.close()
