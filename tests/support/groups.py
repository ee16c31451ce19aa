"""Two groups of one installation, each with a server, an address for peers and a shard of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from crowdroute.client import AsyncClient, Connection
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.ports import Tracer
from crowdroute.router.rpc.assembly import make_server, serve_group
from crowdroute.router.rpc.bootstrap import TOKEN_FILE, bootstrap
from crowdroute.router.rpc.group.peers import Peers
from crowdroute.router.rpc.group.server import peers_served
from crowdroute.router.rpc.server import Server
from crowdroute.router.rpc.sharing import shared
from crowdroute.router.runtime.directory.opening import opened_directory
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.settings import (
    LimitSettings,
    OtherGroup,
    PeerSettings,
    Settings,
    own_shards,
    shard_map_of,
)

PATIENCE = 10.0


def free_ports(count: int) -> list[int]:
    """Give ports that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Running(NamedTuple):
    """One group that serves."""

    group: ShardGroup
    server: Server
    settings: Settings

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return self.settings.address

    def client(self, token: str) -> AsyncClient:
        """Give a client with a token."""
        return AsyncClient(Connection(self.address, token))


def pair_of_settings(directory: Path, generations: tuple[int, int] = (1, 1)) -> list[Settings]:
    """Give the settings of two processes with a shard each."""
    secret = directory / "peers.secret"
    secret.write_text("0123456789abcdef" * 4)
    ports = free_ports(4)
    public = [f"127.0.0.1:{port}" for port in ports[:2]]
    private = [f"127.0.0.1:{port}" for port in ports[2:]]
    return [
        Settings(
            directory=directory / f"group-{own}",
            address=public[own],
            grace_seconds=0,
            shards=2,
            snapshots=False,
            limits=LimitSettings(calls_per_second=0),
            peers=PeerSettings(
                address=private[own],
                secret_file=secret,
                generation=generations[own],
                others=[OtherGroup(shards=[1 - own], peers=private[1 - own], public=public[1 - own])],
            ),
        )
        for own in (0, 1)
    ]


@contextlib.asynccontextmanager
async def running(settings: Settings, tracer: Tracer | None = None) -> AsyncIterator[Running]:
    """Serve one group as `crowdroute serve` does."""
    assert settings.peers is not None
    server = make_server(settings, tracer)
    await server.start()
    try:
        async with (
            opened_directory(settings.redis) as directory,
            embedded_group(
                settings.directory, shard_map_of(settings), own=own_shards(settings), snapshots=False
            ) as group,
            peers_served(Peers(settings.peers), server, group),
        ):
            if 0 in group.engines:
                await bootstrap(group.engines[0], settings.tenant, settings.directory)
            await serve_group(server, group, ProcessJobs())
            async with shared(directory, server, group, settings.address):
                yield Running(group, server, settings)
            await server.stop()
    finally:
        await server.stop()


class Pair(NamedTuple):
    """Both groups, and the first administrator's token."""

    home: Running
    """Has shard 0, and in it the organisation."""
    away: Running
    """Has shard 1."""
    token: str


@contextlib.asynccontextmanager
async def pair(directory: Path, tracer: Tracer | None = None, **more: object) -> AsyncIterator[Pair]:
    """Serve two groups that know each other, with some settings of both otherwise."""
    first, second = (settings.model_copy(update=more) for settings in pair_of_settings(directory))
    async with running(first, tracer) as home, running(second, tracer) as away:
        await known(away)
        yield Pair(home, away, (first.directory / TOKEN_FILE).read_text().strip())


async def known(away: Running) -> None:
    """Return once a group knows the organisation that lives elsewhere."""
    async with asyncio.timeout(PATIENCE):
        while not any(copy.machine.state.tokens for copy in away.group.copies.values()):
            await asyncio.sleep(0.01)
