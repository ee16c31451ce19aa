"""The shards that settings ask for: over files, or one over a partition of Kafka."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.clustered import clustered_engine
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.settings import Settings, own_shards, placement_of


@contextlib.asynccontextmanager
async def opened_group(
    settings: Settings,
    *,
    shard: int = 0,
    shards: int = 1,
    generation: int = 0,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
) -> AsyncIterator[ShardGroup]:
    """Open and serve what settings name; the errors are those of `embedded_group` and `clustered_engine`.

    Args:
        settings: with the directory.
        shard: of a log on Kafka, its number.
        shards: how many there are on Kafka.
        generation: of the placement that gave this process the shard; a file has one owner at a time anyway.
        recovered: is told what the recovery took.
    """
    if settings.kafka is None:
        async with embedded_group(
            settings.directory,
            placement_of(settings),
            own=own_shards(settings),
            snapshots=settings.snapshots,
            recovered=recovered,
        ) as group:
            yield group
        return
    async with clustered_engine(
        settings.kafka,
        settings.directory,
        shard=shard,
        shards=shards,
        generation=generation,
        snapshots=settings.snapshots,
        recovered=recovered,
    ) as engine:
        yield ShardGroup.alone(engine)
