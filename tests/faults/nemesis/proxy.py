"""Stands between clients and an engine, and breaks their connections in the ways that networks do."""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum, auto

CHUNK = 1 << 16
"""Bytes read at once."""


class Way(Enum):
    """Which way bytes go."""

    TO_ENGINE = auto()
    TO_CLIENTS = auto()


class Proxy:
    """Passes bytes on, as long as nothing else is wanted."""

    def __init__(self, host: str, port: int) -> None:
        """Prepare to stand before an engine; it need not be there yet."""
        self.delay_s = 0.0
        """How long each piece of data takes on its way."""
        self.engine = (host, port)
        """Where connections lead that are made from now on."""
        self._port = 0
        self._server: asyncio.Server | None = None
        self._pairs: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, asyncio.StreamWriter | None]] = {}
        self._passing = asyncio.Event()
        self._passing.set()
        self._swallowed: set[Way] = set()

    @property
    def address(self) -> str:
        """Where clients connect to."""
        return f"127.0.0.1:{self._port}"

    async def accept(self) -> None:
        """Take connections, from now on or again; always at the same address."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Take no more connections, and reset those that are."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._settled()

    def cut(self) -> None:
        """Reset every connection."""
        for pair in self._pairs.values():
            for writer in pair:
                if writer is not None:
                    writer.transport.abort()

    def hold(self) -> None:
        """Let nothing through in either way; connections stay, and what is sent waits."""
        self._passing.clear()

    def release(self) -> None:
        """Let everything through that was held."""
        self._passing.set()

    def swallow(self, way: Way) -> None:
        """Drop what goes one way: senders believe that it has arrived."""
        self._swallowed.add(way)

    def deliver(self) -> None:
        """Drop nothing any more, and reset every connection: none can go on without what was dropped."""
        self._swallowed.clear()
        self.cut()

    async def close(self) -> None:
        """Leave no connection behind."""
        self._passing.set()
        await self.refuse()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pairs[task] = (writer, None)
        engine: asyncio.StreamWriter | None = None
        try:
            answers, engine = await asyncio.open_connection(*self.engine)
            self._pairs[task] = (writer, engine)
            ways = (
                asyncio.create_task(self._pass(reader, engine, Way.TO_ENGINE)),
                asyncio.create_task(self._pass(answers, writer, Way.TO_CLIENTS)),
            )
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the engine is not there: a reset tells the client
        finally:
            for each in (writer, engine):
                if each is not None:
                    each.transport.abort()
            del self._pairs[task]

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: Way) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._passing.wait()
                if way not in self._swallowed:
                    sink.write(data)
                    await sink.drain()

    async def _settled(self) -> None:
        while self._pairs:
            await asyncio.wait(list(self._pairs))
