"""What happens to one of three brokers, that which leads the partition of a shard; and to all of them."""

from __future__ import annotations

import asyncio
import random

from tests.faults.nemesis import brokers
from tests.faults.nemesis.cluster_ground import SHARDS, ClusterGround
from tests.faults.nemesis.ground import Fault

DEAD_S = (0.5, 8.0)
"""Shortest and longest time with two brokers: the longest outlasts the session of the dead one."""


async def _leader_killed(ground: ClusterGround, chance: random.Random) -> None:
    await ground.rest()
    await brokers.kill(ground.services, await ground.leader(chance.randrange(SHARDS)))
    await asyncio.sleep(chance.uniform(*DEAD_S))
    await asyncio.to_thread(ground.services.up)
    await ground.in_sync()
    await ground.rest()


async def _leader_frozen(ground: ClusterGround, chance: random.Random) -> None:
    await ground.rest()
    await brokers.freeze(ground.services, await ground.leader(chance.randrange(SHARDS)), chance)
    await ground.in_sync()
    await ground.rest()


async def _all_frozen(ground: ClusterGround, chance: random.Random) -> None:
    await ground.rest()
    await brokers.freeze_all(ground.services, chance)
    await ground.in_sync()
    await ground.rest()


FAULTS = (
    Fault("one of three brokers killed", _leader_killed),
    Fault("one of three brokers frozen", _leader_frozen),
    Fault("every broker frozen", _all_frozen),
)
