"""The shards of one process of a cluster: each an engine over its own directory, with a gRPC server of its
own.

The directories lie below one that every node must see, so this is for the nodes of one machine, or of
machines that share a disk whose locks hold between them.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]  # the stubs leave it out

from crowdroute.router.errors import RouterError
from crowdroute.router.rpc.assembly import make_server, serve_engine
from crowdroute.router.rpc.bootstrap import bootstrap
from crowdroute.router.runtime.cluster.hosting import Place
from crowdroute.router.runtime.opening import opened_engine
from crowdroute.router.runtime.settings import ClusterSettings, Settings
from crowdroute.router.runtime.warming import warm_up

_log = structlog.get_logger("crowdroute.hosting")


class EngineHosting:
    """`Hosting` of one process."""

    def __init__(
        self, settings: Settings, place: Place, address: str, health_server: grpc.aio.Server
    ) -> None:
        """Begin without shards.

        Args:
            settings: of every engine; address and directory are its shard's own.
            place: where this process is.
            address: host:port of its health service.
            health_server: what listens there; it lives as long.
        """
        self._health_server = health_server
        self.address = address
        self.failed: asyncio.Future[RouterError] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._cluster = settings.cluster or ClusterSettings()
        self._place = place
        self._shards: dict[int, contextlib.AsyncExitStack] = {}

    async def open(self, shard: int, generation: int) -> str:
        """Open a shard's directory, fold its log, and serve it; see `Hosting.open`."""
        port = self._cluster.port and self._cluster.port + shard
        settings = self._settings.model_copy(
            update={
                "address": f"{self._place.ip}:{port}",
                "directory": shard_directory(self._settings.directory, shard),
            }
        )
        async with contextlib.AsyncExitStack() as opening:
            server = make_server(settings)
            engine = await opening.enter_async_context(
                opened_engine(settings, shard=shard, shards=self._cluster.shards, generation=generation)
            )
            engine.failed.add_done_callback(self._fail)
            await bootstrap(engine, settings.tenant, settings.directory)
            opening.push_async_callback(server.stop)
            await server.start()
            await serve_engine(server, engine)
            self._shards[shard] = opening.pop_all()
        return f"{self._place.ip}:{server.port}"

    async def release(self, shard: int) -> None:
        """Finish the calls under way, drain the engine, and close its log; see `Hosting.release`."""
        await self._shards.pop(shard).aclose()

    def _fail(self, failure: asyncio.Future[RouterError]) -> None:
        if not failure.cancelled() and not self.failed.done():
            self.failed.set_result(failure.result())


def shard_directory(directory: Path, shard: int) -> Path:
    """Give the directory of one shard."""
    return directory / f"shard-{shard:04d}"


async def host(settings: bytes, place: Place) -> EngineHosting:
    """Load what engines need, and listen: the `HostingFactory` of a cluster's actors."""
    found = Settings.model_validate_json(settings)
    await asyncio.to_thread(warm_up)
    server = grpc.aio.server()
    serving = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(serving, server)
    await serving.set("", health_pb2.HealthCheckResponse.SERVING)
    port = server.add_insecure_port(f"{place.ip}:0")
    await server.start()
    return EngineHosting(found, place, f"{place.ip}:{port}", server)
