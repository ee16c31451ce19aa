"""One keeper for each shard that a group serves, while shards come and go."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from crowdroute.router.ports import Directory
from crowdroute.router.runtime.directory.keeper import Keeper
from crowdroute.router.runtime.directory.tables import tables_of
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup

LOOK_SECONDS = 1.0
"""How late a shard that was taken, or an organisation that was begun, comes to be told."""


class _Kept(NamedTuple):
    engine: Engine
    tenants: frozenset[str]
    keeper: Keeper
    running: asyncio.Task[None]


class Keepers:
    """Follows a group's shards for as long as `run` runs."""

    def __init__(self, group: ShardGroup, directory: Directory, address: str) -> None:
        """Keep nothing yet.

        Args:
            group: whose shards.
            directory: where rows are kept.
            address: where clients reach the group.
        """
        self._group = group
        self._directory = directory
        self._address = address
        self._kept: dict[int, _Kept] = {}

    @property
    def current(self) -> bool:
        """Whether everything stands in the directory as the state has it, as far as the last look told."""
        return self._kept.keys() == self._group.engines.keys() and all(
            kept.keeper.current for kept in self._kept.values()
        )

    @property
    def pending(self) -> dict[int, int]:
        """Changed rows that are not written yet, by shard."""
        return {shard: kept.keeper.pending for shard, kept in self._kept.items()}

    async def start(self) -> None:
        """Build every keyspace once; when Redis does not answer, that is left to the keepers.

        Raises:
            ConfigurationError: another cluster lives in the same namespace.
        """
        for shard, engine in self._group.engines.items():
            keeper = self._keeper(shard, engine)
            await keeper.step()
            keeper.require_ours()
            self._follow(shard, engine, keeper)

    async def run(self) -> None:
        """Have every shard kept by whoever serves it, until cancelled."""
        try:
            while True:
                self.look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for kept in self._kept.values():
                kept.running.cancel()
            await asyncio.gather(*(kept.running for kept in self._kept.values()), return_exceptions=True)
            self._kept.clear()

    def look(self) -> None:
        """Begin to keep shards that came, and leave alone those that went."""
        engines = self._group.engines
        for shard, kept in list(self._kept.items()):
            gone = engines.get(shard) is not kept.engine or kept.tenants != _tenants(kept.engine)
            if gone or kept.running.done():
                kept.running.cancel()
                del self._kept[shard]
        for shard, engine in engines.items():
            if shard not in self._kept:
                self._follow(shard, engine, self._keeper(shard, engine))

    def _keeper(self, shard: int, engine: Engine) -> Keeper:
        return Keeper(engine, self._directory, tables_of(shard, engine, self._address))

    def _follow(self, shard: int, engine: Engine, keeper: Keeper) -> None:
        running = asyncio.create_task(keeper.run(), name=f"directory-keeper-{shard}")
        self._kept[shard] = _Kept(engine, _tenants(engine), keeper, running)


def _tenants(engine: Engine) -> frozenset[str]:
    return frozenset(tenant for tenant, _ in engine.organisations())
