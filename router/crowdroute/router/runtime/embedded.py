"""The shards of one process over one directory: log, contents and snapshots in files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from crowdroute.router.adapters.sqlite_files import shards_in, snapshots_path
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.unfinished_copy import require_finished
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.serving import engine_over


@contextlib.asynccontextmanager
async def embedded_shard(
    directory: Path,
    number: int = 0,
    *,
    snapshots: bool = True,
    progress: Callable[[int, int], None] = lambda _done, _head: None,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
) -> AsyncIterator[Engine]:
    """Open a shard of a directory and fold its log, for who starts the engine; leaving drains and closes it.

    Args:
        directory: of the log, made when it is not there.
        number: of the shard.
        snapshots: have a second process write snapshots.
        progress: is told the sequence folded so far and that of the head, from another thread.
        recovered: is told what the recovery took.

    Raises:
        Fenced: another process has the log open.
        LogCorrupt: the log is damaged.
        ConfigurationError: the directory is a copy of another log that was not finished.
        StorageError: the directory cannot be used.
        AppendFailed: when leaving, not everything that was taken became durable.
    """
    require_finished(directory)
    log = await asyncio.to_thread(SqliteLog, directory, number)
    try:
        async with engine_over(
            log,
            snapshots_path(directory, number),
            number=number,
            snapshots=snapshots,
            progress=progress,
            recovered=recovered,
        ) as engine:
            yield engine
    finally:
        log.close()


@contextlib.asynccontextmanager
async def embedded_group(
    directory: Path,
    shard_map: ShardMap | None = None,
    *,
    own: Iterable[int] | None = None,
    snapshots: bool = True,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
) -> AsyncIterator[ShardGroup]:
    """Serve the shards of a directory until the block is left; then drain and close them.

    Args:
        directory: of the logs, made when it is not there.
        shard_map: how many shards there are and who serves the others; None: one shard.
        own: numbers of the shards to serve; None: all.
        snapshots: have a second process per shard write snapshots.
        recovered: is told what the recovery of each shard took.

    Raises:
        ConfigurationError: the directory holds the log of a shard that is to be served by nobody.
        Fenced, StorageError: as `embedded_shard`.
    """
    shard_map = shard_map or ShardMap()
    numbers = range(shard_map.shards) if own is None else sorted(own)
    left = sorted({*shards_in(directory)} - {*numbers})
    if left:
        raise ConfigurationError(
            f"{directory} holds the log of shard {left[0]}, but there are to be {shard_map.shards} shards, of"
            f" which {', '.join(map(str, numbers))} here: a number of shards can grow and not shrink; see"
            " `shards` in the settings",
            {"shard": str(left[0])},
        )

    def open_shard(number: int) -> contextlib.AbstractAsyncContextManager[Engine]:
        return embedded_shard(directory, number, snapshots=snapshots, recovered=recovered)

    group = ShardGroup(open_shard, shard_map)
    await group.start(numbers)
    try:
        yield group
    finally:
        await group.close()
