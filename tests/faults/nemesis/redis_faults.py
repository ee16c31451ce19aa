"""What happens to the Redis beside engines; each is over when everything stands there again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from tests.faults.nemesis.ground import Fault
from tests.support.redis_server import RedisServer

GONE_S = (0.1, 3.0)
"""Shortest and longest absence: the longest outlasts the longest pause of the breaker."""

KEPT_S = 30.0
"""Longest time until the rows are there again; it is a second or two where nothing else uses the machine."""
LOOK_S = 0.1

OLD = "old.rdb"


class Beside(Protocol):
    """What has a directory in Redis beside it."""

    redis: RedisServer

    async def rows_are_kept(self) -> bool:
        """Say whether everything that belongs into the directory is there."""


async def _kept_again(ground: Beside) -> None:
    async with asyncio.timeout(KEPT_S):
        while not await ground.rows_are_kept():
            await asyncio.sleep(LOOK_S)


async def _do(step: Callable[[], None]) -> None:
    await asyncio.to_thread(step)


async def _killed(ground: Beside, chance: random.Random) -> None:
    redis = ground.redis
    await _do(redis.kill)
    await asyncio.sleep(chance.uniform(*GONE_S))
    await _do(redis.start)
    await _kept_again(ground)


async def _frozen(ground: Beside, chance: random.Random) -> None:
    redis = ground.redis
    await _do(redis.freeze)
    await asyncio.sleep(chance.uniform(*GONE_S))
    await _do(redis.thaw)
    await _kept_again(ground)


async def _emptied(ground: Beside, chance: random.Random) -> None:
    await _do(ground.redis.flush)
    await _kept_again(ground)


async def _restarted_from_an_old_dump(ground: Beside, chance: random.Random) -> None:
    redis = ground.redis
    await _do(lambda: redis.dump(OLD))
    await asyncio.sleep(chance.uniform(*GONE_S))
    await _do(lambda: redis.restart_from(OLD))
    await _kept_again(ground)


async def _old_dump_loaded(ground: Beside, chance: random.Random) -> None:
    redis = ground.redis
    await _do(lambda: redis.dump(OLD))
    await asyncio.sleep(chance.uniform(*GONE_S))
    await _do(lambda: redis.load(OLD))
    await _kept_again(ground)


FAULTS = (
    Fault("Redis killed", _killed),
    Fault("Redis frozen", _frozen),
    Fault("Redis emptied", _emptied),
    Fault("Redis restarted from an old dump", _restarted_from_an_old_dump),
    Fault("old dump loaded into Redis", _old_dump_loaded),
)
