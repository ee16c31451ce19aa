"""The proxy passes bytes on, and breaks connections as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from tests.faults.nemesis.proxy import Proxy, Way

SOON_S = 5.0


class Line(NamedTuple):
    """A client's connection through the proxy to a server that echoes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: bytearray
    """What the server was sent, in all."""

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def back(self, count: int) -> bytes:
        async with asyncio.timeout(SOON_S):
            return await self.reader.readexactly(count)


class Wire(NamedTuple):
    """An echo behind a proxy."""

    proxy: Proxy
    received: bytearray
    lines: list[Line]

    async def line(self) -> Line:
        host, _, port = self.proxy.address.partition(":")
        self.lines.append(Line(*await asyncio.open_connection(host, int(port)), self.received))
        return self.lines[-1]


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    received = bytearray()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                received.extend(data)
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    proxy = Proxy(*server.sockets[0].getsockname()[:2])
    await proxy.accept()
    made = Wire(proxy, received, [])
    yield made
    for line in made.lines:
        line.writer.transport.abort()
    await proxy.close()
    server.close()
    await server.wait_closed()


async def test_bytes_go_both_ways(wire: Wire) -> None:
    line = await wire.line()
    line.send(b"hello")
    assert await line.back(5) == b"hello"


async def test_a_cut_connection_is_reset_and_a_new_one_works(wire: Wire) -> None:
    line = await wire.line()
    line.send(b"hello")
    await line.back(5)
    wire.proxy.cut()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await line.back(1)
    line = await wire.line()
    line.send(b"again")
    assert await line.back(5) == b"again"


async def test_what_is_held_comes_later_and_whole(wire: Wire) -> None:
    line = await wire.line()
    line.send(b"one")
    await line.back(3)
    wire.proxy.hold()
    line.send(b"two")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await line.reader.read(1)
    assert bytes(wire.received) == b"one"
    wire.proxy.release()
    assert await line.back(3) == b"two"


async def test_a_reply_that_is_swallowed_was_carried_out(wire: Wire) -> None:
    line = await wire.line()
    line.send(b"one")
    await line.back(3)
    wire.proxy.swallow(Way.TO_CLIENTS)
    line.send(b"two")
    async with asyncio.timeout(SOON_S):
        while bytes(wire.received) != b"onetwo":
            await asyncio.sleep(0)
    wire.proxy.deliver()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await line.back(1)


async def test_a_call_that_is_swallowed_never_arrives(wire: Wire) -> None:
    line = await wire.line()
    wire.proxy.swallow(Way.TO_ENGINE)
    line.send(b"lost")
    await line.writer.drain()
    wire.proxy.deliver()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await line.back(1)
    assert not wire.received


async def test_a_proxy_that_refuses_is_back_at_the_same_address(wire: Wire) -> None:
    address = wire.proxy.address
    await wire.proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await wire.line()
    await wire.proxy.accept()
    assert wire.proxy.address == address
    line = await wire.line()
    line.send(b"hello")
    assert await line.back(5) == b"hello"


async def test_a_server_that_is_not_there_resets(wire: Wire) -> None:
    gone = Proxy("127.0.0.1", 1)
    await gone.accept()
    host, _, port = gone.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.transport.abort()
    await gone.close()
