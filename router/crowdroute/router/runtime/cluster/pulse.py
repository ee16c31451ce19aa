"""Whether a gRPC server lives: its health service answers, whatever it says of the services."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from crowdroute.router.runtime.cluster.fleet import Pulse

PULSE_S = 1.0
"""Longest wait for an answer."""

FRESH = [
    # A channel of its own for each question: one that is kept waits before it tries to connect again.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
]


async def feel(address: str, credentials: grpc.ChannelCredentials | None = None) -> Pulse:
    """Ask the health service at host:port, with TLS when there are credentials."""
    if credentials is None:
        channel = grpc.aio.insecure_channel(address, FRESH)
    else:
        channel = grpc.aio.secure_channel(address, credentials, FRESH)
    async with channel:
        try:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PULSE_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                return Pulse.SILENT
            return Pulse.GONE if error.code() is grpc.StatusCode.UNAVAILABLE else Pulse.BEATING
        return Pulse.BEATING
