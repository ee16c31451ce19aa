"""Whether a server is there, silent or gone."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]
from tests.support.certificates import make_certificate

from crowdroute.router.runtime.cluster import pulse
from crowdroute.router.runtime.cluster.fleet import Pulse


async def test_a_server_that_answers_beats() -> None:
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    assert await pulse.Pulses().feel(f"127.0.0.1:{port}") is Pulse.BEATING
    await server.stop(None)


async def test_a_server_that_takes_connections_and_says_nothing_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulse, "PULSE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert await pulse.Pulses().feel(f"127.0.0.1:{mute.getsockname()[1]}") is Pulse.SILENT


async def test_where_nothing_listens_it_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as left:
        port = left.getsockname()[1]
    assert await pulse.Pulses().feel(f"127.0.0.1:{port}") is Pulse.GONE


@contextlib.asynccontextmanager
async def encrypted(folder: Path, *, mutual: bool, port: int = 0) -> AsyncIterator[int]:
    """Serve health over TLS; gives the port."""
    make_certificate(folder, "server", "crowdroute.svc")
    key, certificate = ((folder / f"server.{kind}").read_bytes() for kind in ("key", "pem"))
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    credentials = grpc.ssl_server_credentials([(key, certificate)], certificate if mutual else None, mutual)
    port = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


@pytest.mark.parametrize("mutual", [False, True])
async def test_a_server_that_speaks_tls_beats_whomever_it_trusts(tmp_path: Path, mutual: bool) -> None:
    pulses = pulse.Pulses()
    async with encrypted(tmp_path, mutual=mutual) as port:
        for _ in range(3):
            assert await pulses.feel(f"127.0.0.1:{port}") is Pulse.BEATING
    assert await pulses.feel(f"127.0.0.1:{port}") is Pulse.GONE


async def test_a_server_that_spoke_tls_and_is_frozen_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulses = pulse.Pulses()
    async with encrypted(tmp_path, mutual=False) as port:
        assert await pulses.feel(f"127.0.0.1:{port}") is Pulse.BEATING
    monkeypatch.setattr(pulse, "PULSE_S", 0.05)
    with socket.create_server(("127.0.0.1", port)):
        assert await pulses.feel(f"127.0.0.1:{port}") is Pulse.SILENT


async def test_what_answers_a_greeting_otherwise_than_in_tls_is_no_server_of_ours() -> None:
    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"what?")
        writer.close()

    async with await asyncio.start_server(chat, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await pulse.Pulses().feel(f"127.0.0.1:{port}") is Pulse.GONE
