"""A server that speaks as much of Redis' protocol as the checks at start ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def fake_redis(version: str, now: float) -> AsyncIterator[str]:
    """Serve until the block is left; gives the address.

    Args:
        version: that it tells.
        now: the time that it tells, in seconds.
    """
    information = f"redis_version:{version}\r\n"
    said = {
        b"HELLO": b"%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n",
        b"INFO": f"${len(information)}\r\n{information}\r\n".encode(),
        b"TIME": f"*2\r\n${len(str(int(now)))}\r\n{int(now)}\r\n$1\r\n0\r\n".encode(),
    }

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            words = []
            for _ in range(int(head[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2])
            writer.write(said.get(words[0].upper(), b"+OK\r\n"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
