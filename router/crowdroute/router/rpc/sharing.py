"""An engine and its server beside a directory, for as long as they serve."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from crowdroute.router.ports import Directory
from crowdroute.router.rpc.server import Server
from crowdroute.router.runtime.directory.keeper import Keeper
from crowdroute.router.runtime.directory.sharing import share
from crowdroute.router.runtime.directory.tables import Placement, Profiles, ShardAddress
from crowdroute.router.runtime.engine import Engine

PAUSE_SECONDS = 1.0
"""After a defect in what is only derived: it is told, and serving goes on."""

_log = structlog.get_logger("crowdroute.directory")


@contextlib.asynccontextmanager
async def shared(
    directory: Directory, server: Server, engine: Engine, *, tenant: str, address: str, shard: int = 0
) -> AsyncIterator[Keeper]:
    """Keep the directory as the engine has it, and exchange presence and limits, until the block is left.

    Args:
        directory: where.
        server: serves the engine.
        engine: holds the tenant's organisation.
        tenant: whose workers and projects are told.
        address: where other machines reach the server.
        shard: number of the engine's shard.

    Raises:
        ConfigurationError: another cluster lives in the same namespace.
    """
    keeper = Keeper(
        engine,
        directory,
        [Profiles(engine, tenant), Placement(engine, tenant), ShardAddress(shard, address, engine.log.epoch)],
    )
    server.gate.presence.meet(tenant)
    await keeper.start()
    tasks = [
        asyncio.create_task(_going_on(keeper.run), name="directory-keeper"),
        asyncio.create_task(
            _going_on(lambda: share(directory, server.gate.presence, server.gate.limiter)),
            name="directory-sharing",
        ),
    ]
    try:
        yield keeper
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _going_on(run: Callable[[], Awaitable[None]]) -> None:
    """Run until it ends or is cancelled; begin again after an unexpected error."""
    while True:
        try:
            return await run()
        except Exception as error:
            _log.error("the directory's task failed", exc_info=error)
            await asyncio.sleep(PAUSE_SECONDS)
