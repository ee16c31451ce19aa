"""Whether a gRPC server lives: its health service answers, whatever it says of the services.

A server that speaks TLS is greeted as TLS begins, and its answer is not read on: that takes no authority to
trust, and no certificate of one's own where the server wants one. A process that is frozen, has ended or is
cut off answers no greeting either.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

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

OF_TLS = (b"\x15", b"\x16")
"""How an answer to a greeting begins: with an alert, or with the handshake. Other servers begin otherwise."""


class Pulses:
    """Asks servers, and remembers which of them speak TLS: another question would be an error in their
    log."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._encrypted: set[str] = set()

    async def feel(self, address: str) -> Pulse:
        """Ask what listens at host:port whether it lives."""
        if address not in self._encrypted:
            felt = await _ask(address)
            if felt is not Pulse.GONE:
                return felt
        felt = await _greet(address)
        if felt is Pulse.BEATING:
            self._encrypted.add(address)
        elif felt is Pulse.GONE:  # the next life there may speak without
            self._encrypted.discard(address)
        return felt


async def _ask(address: str) -> Pulse:
    """Ask the health service of a server that speaks without encryption."""
    async with grpc.aio.insecure_channel(address, FRESH) as channel:
        try:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=PULSE_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                return Pulse.SILENT
            return Pulse.GONE if error.code() is grpc.StatusCode.UNAVAILABLE else Pulse.BEATING
        return Pulse.BEATING


async def _greet(address: str) -> Pulse:
    """Begin to speak TLS, and see whether that is answered."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(PULSE_S):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            with contextlib.closing(writer):
                writer.write(_greeting())
                answer = await reader.read(1)
    except TimeoutError:
        return Pulse.SILENT
    except OSError:
        return Pulse.GONE
    return Pulse.BEATING if answer in OF_TLS else Pulse.GONE


def _greeting() -> bytes:
    """Give what a client of TLS says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is said to the server that anybody may not hear
    context.set_alpn_protocols(["h2"])
    said = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), said).do_handshake()
    return said.read()
