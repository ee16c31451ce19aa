"""A group whose shards come and go as a cluster's supervisor says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from crowdroute.router.ports import Jobs
from crowdroute.router.rpc.assembly import serve_group
from crowdroute.router.rpc.bootstrap import bootstrap
from crowdroute.router.rpc.group.forwarding import Forwarding
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.rpc.group.server import peers_served
from crowdroute.router.rpc.server import Server
from crowdroute.router.rpc.sharing import shared
from crowdroute.router.runtime.cluster.orders import At
from crowdroute.router.runtime.directory.opening import opened_directory
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.opening import opened_shard
from crowdroute.router.runtime.placement import FIRST_SHARD, Owner, ShardMap
from crowdroute.router.runtime.settings import Settings

OPENED_AT_ONCE = 4
"""Shards: most of the time of each is spent waiting, for brokers and for the lease of the owner before, so
they wait together; more would keep the loop, which answers for those that serve, from the processor."""


class GroupHosting:
    """`Hosting` over partitions of Kafka, or over the logs of a directory that every node must see."""

    def __init__(self, settings: Settings, server: Server, ip: str, jobs: Jobs) -> None:
        """Begin without shards; `start` inside the event loop.

        Args:
            settings: with the addresses of this process; ports may be 0.
            server: for clients.
            ip: of the node.
            jobs: what does batch work outside this process.
        """
        self._settings = settings
        self._server = server
        self._ip = ip
        self._jobs = jobs
        self.group = ShardGroup(self._open, ShardMap(settings.shards, generation=0))
        self.failed = self.group.failed
        self.at = At("")
        self.forwarding: Forwarding | None = None
        """The way to the other groups, once it listens for them."""
        self._grants: dict[int, int] = {}
        """By shard, the generation of the grant that it was last opened by."""
        self._serves = False
        self._running = contextlib.AsyncExitStack()
        self._opening = asyncio.Semaphore(OPENED_AT_ONCE)
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, for clients and for the other groups.

        Raises:
            ConfigurationError: the settings cannot work.
        """
        settings = self._settings
        directory = await self._running.enter_async_context(opened_directory(settings.redis))
        await self._server.start()
        await self.group.start(())
        peers = ""
        if settings.peers is not None:
            serving = peers_served(Peers(settings.peers), self._server, self.group)
            self.forwarding = await self._running.enter_async_context(serving)
            peers = f"{self._ip}:{self.forwarding.port}"
            await self._serve()
        self.at = At(f"{self._ip}:{self._server.port}", peers)
        sharing = shared(directory, self._server, self.group, self.at.public)
        await self._running.enter_async_context(sharing)

    async def close(self) -> None:
        """Take nothing new, answer what was taken, and close every shard."""
        await self._server.stop()
        if self._following is not None:
            await self._following
        await self._running.aclose()
        await self.group.close()

    def know(self, generation: int, owners: Mapping[int, At]) -> None:
        """Learn who serves the shards of others; see `Hosting.know`."""
        others = {shard: Owner(at.peers, at.public) for shard, at in owners.items() if at != self.at}
        self.group.where.place(ShardMap(self._settings.shards, generation, others))
        if self.forwarding is not None:
            self._following = asyncio.create_task(self._follow(self.forwarding, self._following))

    async def open(self, shard: int, generation: int) -> None:
        """Recover a shard and serve it; see `Hosting.open`."""
        async with self._opening:
            self._grants[shard] = generation
            await self.group.take(shard, self.group.shard_map)
            try:
                if shard == FIRST_SHARD:
                    engine = self.group.engines[shard]
                    await bootstrap(engine, self._settings.tenant, self._settings.directory)
                await self._serve()
            except BaseException:
                # Who says that it failed to open a shard must not serve it: another grant may open it here.
                await self.group.release(shard, self.group.shard_map)
                raise

    async def release(self, shard: int) -> None:
        """Answer what was taken for a shard, and close its log; see `Hosting.release`."""
        await self.group.release(shard, self.group.shard_map)

    def _open(self, shard: int) -> contextlib.AbstractAsyncContextManager[Engine]:
        # Claimed at the generation of the grant: a newer placement is known to whoever lost the shard by it.
        granted = self.group.shard_map._replace(generation=self._grants[shard])
        return opened_shard(self._settings, shard, granted)

    async def _serve(self) -> None:
        """Begin to carry calls out: with peers at once, since they can be forwarded, else with a shard."""
        if not self._serves:
            self._serves = True
            await serve_group(self._server, self.group, self._jobs)

    async def _follow(self, forwarding: Forwarding, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        await forwarding.follow_shard_map()
