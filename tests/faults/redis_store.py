"""Files under an engine that has a directory in Redis beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.faults.store import Files
from tests.support.redis_server import RedisServer

from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.runtime.settings import RedisSettings


class BesideRedis(Files):
    """A directory of files, and a Redis that is a test's own."""

    def __init__(self, redis: RedisServer, directory: Path) -> None:
        """Name the directory, and where Redis is."""
        super().__init__(directory)
        self.redis = redis
        self.variables: Mapping[str, str] = {"CROWDROUTE_REDIS__SERVER": redis.server}

    async def rows_are_kept(self) -> bool:
        """Say whether everything that the engine keeps in Redis is there."""
        settings = RedisSettings(server=self.redis.server)
        directory = RedisDirectory(RedisConnection(settings.server), settings.namespace)
        try:
            found = {one.name for one in await directory.keyspaces() if one.state == "present"}
        finally:
            await directory.close()
        return found == {"shards/0", "work/0", "profiles/default", "placement/default"}
