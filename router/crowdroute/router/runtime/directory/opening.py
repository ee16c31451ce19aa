"""The directory that the settings name: in Redis, or in this process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import structlog

from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.ports import Directory
from crowdroute.router.runtime.settings import RedisSettings

_log = structlog.get_logger("crowdroute.directory")


def connection_to(redis: RedisSettings) -> RedisConnection:
    """Give the way to the server that settings name."""
    return RedisConnection(
        redis.server,
        redis.database,
        redis.user,
        redis.password_file,
        redis.authority,
        redis.certificate,
        redis.key,
        redis.timeout_ms / 1000,
    )


@contextlib.asynccontextmanager
async def opened_directory(redis: RedisSettings | None) -> AsyncIterator[Directory]:
    """Give a directory until the block is left; a Redis that is down is waited for while we serve.

    Args:
        redis: where it is; None: in this process.

    Raises:
        ConfigurationError: Redis is too old or something else, refuses us, or its clock and ours are apart.
    """
    if redis is None:
        yield MemoryDirectory()
        return
    connection = connection_to(redis)
    unreachable = await connection.check()
    directory = RedisDirectory(connection, redis.namespace)
    if unreachable:
        directory.breaker.failed(unreachable)
        _log.warning(
            "redis does not answer: serving without it until it does; is redis.server right?",
            server=redis.server,
            reason=unreachable,
        )
    try:
        yield directory
    finally:
        await directory.close()
