"""Whether a server is there, silent or gone."""

import socket

import grpc
import pytest
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]

from crowdroute.router.runtime.cluster import pulse
from crowdroute.router.runtime.cluster.fleet import Pulse


async def test_a_server_that_answers_beats() -> None:
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    assert await pulse.feel(f"127.0.0.1:{port}") is Pulse.BEATING
    await server.stop(None)


async def test_a_server_that_takes_connections_and_says_nothing_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulse, "PULSE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert await pulse.feel(f"127.0.0.1:{mute.getsockname()[1]}") is Pulse.SILENT


async def test_where_nothing_listens_it_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as left:
        port = left.getsockname()[1]
    assert await pulse.feel(f"127.0.0.1:{port}") is Pulse.GONE
