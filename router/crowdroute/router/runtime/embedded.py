"""The engine of one process over one directory: log, contents and snapshots in files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.serving import engine_over


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
        async with engine_over(
            log, directory, snapshots=snapshots, progress=progress, recovered=recovered
        ) as engine:
            yield engine
    finally:
        log.close()
