"""Leads clients to one of several servers that serves, as a load balancer with health checks does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.faults.nemesis.proxy import Proxy

from crowdroute.router.runtime.cluster.pulse import FRESH

CHECK_S = 1.0
"""Longest wait for an answer to a health check."""
LOOK_S = 0.25
"""Pause between two looks at the server that clients are led to."""


class Door:
    """One address; behind it is the first server that serves, until it no longer does."""

    def __init__(self, servers: Sequence[tuple[str, int]]) -> None:
        """Prepare.

        Args:
            servers: where servers may be; not all of them need be there.
        """
        self._servers = list(servers)
        self.proxy = Proxy(*self._servers[0])
        self._leading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Take connections, once a server serves."""
        while not await self._look():
            await asyncio.sleep(LOOK_S)
        await self.proxy.accept()
        self._leading = asyncio.create_task(self._lead())

    async def close(self) -> None:
        """Leave no connection behind."""
        if self._leading is not None:
            self._leading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._leading
            await self.proxy.close()

    async def _lead(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> bool:
        """Lead to another server if the one that clients are led to does not serve; False when none does."""
        if await _serves(self.proxy.engine):
            return True
        told = await asyncio.gather(*map(_serves, self._servers))
        for server, serves in zip(self._servers, told, strict=True):
            if serves:
                self.proxy.engine = server
                self.proxy.cut()
                return True
        return False


async def _serves(server: tuple[str, int]) -> bool:
    host, port = server
    async with grpc.aio.insecure_channel(f"{host}:{port}", FRESH) as channel:
        try:
            told = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=CHECK_S
            )
        except grpc.aio.AioRpcError:
            return False
    return bool(told.status == health_pb2.HealthCheckResponse.SERVING)
