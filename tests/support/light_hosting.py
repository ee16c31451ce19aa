"""What tests of the fleet serve with: a health service, and logs that only their owner may have open."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]  # the stubs leave it out

from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import RouterError
from crowdroute.router.runtime.cluster.hosting import Place


class LightHosting:
    """Opens the logs below a directory, and notes who opened which by which generation."""

    def __init__(self, directory: Path, address: str) -> None:
        self.address = address
        self.failed: asyncio.Future[RouterError] = asyncio.get_running_loop().create_future()
        self._directory = directory
        self._logs: dict[int, SqliteLog] = {}

    async def open(self, shard: int, generation: int) -> str:
        self._logs[shard] = await asyncio.to_thread(SqliteLog, self._directory / f"shard-{shard}")
        with (self._directory / "opened").open("a") as notes:
            notes.write(json.dumps({"shard": shard, "generation": generation, "pid": os.getpid()}) + "\n")
        return f"{self.address}/{shard}"

    async def release(self, shard: int) -> None:
        self._logs.pop(shard).close()


async def host(settings: bytes, place: Place) -> LightHosting:
    """Listen on a free port."""
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port(f"{place.ip}:0")
    await server.start()
    hosting = LightHosting(Path(json.loads(settings)["directory"]), f"{place.ip}:{port}")
    hosting.server = server  # type: ignore[attr-defined]  # it lives as long
    return hosting
