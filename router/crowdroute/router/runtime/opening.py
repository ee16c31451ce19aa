"""The engine that settings ask for: over a file, or over a partition of Kafka."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.clustered import clustered_engine
from crowdroute.router.runtime.embedded import embedded_engine
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.settings import Settings


def opened_engine(
    settings: Settings,
    *,
    shard: int = 0,
    shards: int = 1,
    generation: int = 0,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
) -> contextlib.AbstractAsyncContextManager[Engine]:
    """Give what opens and serves a shard; the errors are those of `embedded_engine` and `clustered_engine`.

    Args:
        settings: with the directory of this shard.
        shard: its number, which a file does not need to know.
        shards: how many there are.
        generation: of the placement that gave this process the shard; a file has one owner at a time anyway.
        recovered: is told what the recovery took.
    """
    if settings.kafka is None:
        return embedded_engine(settings.directory, snapshots=settings.snapshots, recovered=recovered)
    return clustered_engine(
        settings.kafka,
        settings.directory,
        shard=shard,
        shards=shards,
        generation=generation,
        snapshots=settings.snapshots,
        recovered=recovered,
    )
