"""A server and its group beside a directory, for as long as they serve."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from crowdroute.router.ports import Directory
from crowdroute.router.rpc.server import Server
from crowdroute.router.runtime.directory.keepers import Keepers
from crowdroute.router.runtime.directory.sharing import share
from crowdroute.router.runtime.group import ShardGroup

PAUSE_SECONDS = 1.0
"""After a defect in what is only derived: it is told, and serving goes on."""

_log = structlog.get_logger("crowdroute.directory")


@contextlib.asynccontextmanager
async def shared(
    directory: Directory, server: Server, group: ShardGroup, address: str
) -> AsyncIterator[None]:
    """Tell others what is here, and learn from them, until the block is left.

    Args:
        directory: where.
        server: serves the group.
        group: started; its shards may come and go.
        address: where clients reach the server.

    Raises:
        ConfigurationError: another cluster lives in the same namespace.
    """
    server.gate.directory = directory
    async with contextlib.AsyncExitStack() as around:
        # Without others nobody needs the rows: who is in this process reads the state itself.
        if directory.has_others:
            keeping = rows_kept(directory, group, address)
            server.gate.keepers = await around.enter_async_context(keeping)
        await around.enter_async_context(calls_shared(directory, server, group))
        yield


@contextlib.asynccontextmanager
async def rows_kept(directory: Directory, group: ShardGroup, address: str) -> AsyncIterator[Keepers]:
    """Keep the directory's rows as the group's shards have them.

    Raises:
        ConfigurationError: another cluster lives in the same namespace.
    """
    keepers = Keepers(group, directory, address)
    await keepers.start()
    async with _going_on("directory-keepers", keepers.run):
        yield keepers


@contextlib.asynccontextmanager
async def calls_shared(directory: Directory, server: Server, group: ShardGroup) -> AsyncIterator[None]:
    """Exchange who called, and how often."""
    gate = server.gate

    def tenants() -> list[str]:
        return [tenant for tenant, _ in group.where.organisations()]

    async with _going_on("directory-calls", lambda: share(directory, gate.presence, gate.limiter, tenants)):
        yield


@contextlib.asynccontextmanager
async def _going_on(name: str, run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run beside the block; begin again after an unexpected error."""

    async def go_on() -> None:
        while True:
            try:
                await run()
            except Exception as error:
                _log.error("the directory's task failed", task=name, exc_info=error)
                await asyncio.sleep(PAUSE_SECONDS)

    task = asyncio.create_task(go_on(), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
