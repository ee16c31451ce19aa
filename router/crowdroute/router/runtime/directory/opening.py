"""The directory that the settings name: Redis, or this process alone."""

from __future__ import annotations

import structlog

from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.adapters.redis_connecting import RedisAddress
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.ports import Directory
from crowdroute.router.runtime.settings import RedisSettings

_log = structlog.get_logger("crowdroute.directory")


def redis_address(settings: RedisSettings) -> RedisAddress:
    """Say where Redis is.

    Raises:
        ConfigurationError: the settings cannot be right, or a secret is missing.
    """
    return RedisAddress(
        settings.url.get_secret_value(),
        user=settings.user,
        password=None if settings.password is None else settings.password.get_secret_value(),
        password_file=settings.password_file,
        authorities=settings.authorities,
        certificate=settings.certificate,
        key=settings.key,
        timeout_seconds=settings.timeout_ms / 1000,
    )


async def open_directory(settings: RedisSettings | None) -> Directory:
    """Give a directory that is ready; a Redis that is down is waited for while we serve.

    Raises:
        ConfigurationError: Redis is too old, refuses us, or its clock and ours are apart.
    """
    if settings is None:
        return MemoryDirectory()
    address = redis_address(settings)
    unreachable = await address.check()
    if unreachable:
        _log.warning("redis is not there yet: serving without", address=str(address), reason=unreachable)
    return RedisDirectory(address, settings.namespace)
