"""Who serves each shard, as the settings say."""

from __future__ import annotations

from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.placement import Owner, ShardMap
from crowdroute.router.runtime.settings.whole import Settings


def shard_map_of(settings: Settings) -> ShardMap:
    """Give who serves each shard.

    Raises:
        ConfigurationError: a shard that does not exist is said to be served elsewhere, or one by two.
    """
    if settings.peers is None:
        return ShardMap(settings.shards)
    others: dict[int, Owner] = {}
    for other in settings.peers.others:
        for shard in other.shards:
            if shard in others or not 0 <= shard < settings.shards:
                raise ConfigurationError(
                    f"settings: peers.others: shard {shard} "
                    + (
                        "has two owners"
                        if shard in others
                        else f"does not exist: shards is {settings.shards}, and they are numbered from 0"
                    )
                )
            others[shard] = Owner(other.peers, other.public)
    return ShardMap(settings.shards, settings.peers.generation, others)


def own_shards(settings: Settings) -> list[int]:
    """Give the numbers of the shards that this process serves.

    Raises:
        ConfigurationError: there is none left.
    """
    others = shard_map_of(settings).others
    own = [shard for shard in range(settings.shards) if shard not in others]
    if not own:
        raise ConfigurationError(
            "settings: peers.others: the other processes serve all shards, and this one none"
        )
    return own
