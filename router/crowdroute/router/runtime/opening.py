"""The shards that settings ask for: over files, or over partitions of Kafka."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from crowdroute.router.adapters.kafka_shards import require_no_shards_beyond
from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.clustered import clustered_shard, connection_to
from crowdroute.router.runtime.embedded import embedded_group, embedded_shard
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.settings import Settings, own_shards, shard_map_of


def opened_shard(
    settings: Settings,
    number: int,
    shard_map: ShardMap,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
) -> contextlib.AbstractAsyncContextManager[Engine]:
    """Give what recovers a shard; the errors are those of `embedded_shard` and `clustered_shard`.

    Args:
        settings: with the directory.
        number: of the shard.
        shard_map: under which this process has it.
        recovered: is told what the recovery took.
    """
    if settings.kafka is None:
        return embedded_shard(settings.directory, number, snapshots=settings.snapshots, recovered=recovered)
    return clustered_shard(
        settings.kafka,
        settings.directory,
        number,
        shards=shard_map.shards,
        generation=shard_map.generation,
        snapshots=settings.snapshots,
        recovered=recovered,
    )


@contextlib.asynccontextmanager
async def opened_group(
    settings: Settings,
    *,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
) -> AsyncIterator[ShardGroup]:
    """Open and serve the shards that settings give this process, until the block is left.

    Args:
        settings: of the process.
        recovered: is told what the recovery of each shard took.

    Raises:
        ConfigurationError, StorageError: as `embedded_group` and `opened_shard`.
    """
    shard_map, own = shard_map_of(settings), own_shards(settings)
    if settings.kafka is None:
        async with embedded_group(
            settings.directory, shard_map, own=own, snapshots=settings.snapshots, recovered=recovered
        ) as group:
            yield group
        return
    connection = connection_to(settings.kafka)
    await asyncio.to_thread(require_no_shards_beyond, connection, settings.kafka.name, settings.shards)
    group = ShardGroup(lambda number: opened_shard(settings, number, shard_map, recovered), shard_map)
    await group.start(own)
    try:
        yield group
    finally:
        await group.close()
