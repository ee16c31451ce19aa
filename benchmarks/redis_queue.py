"""A Redis list as a reliable task queue: a taken task waits in a second list until its answer is there."""

from __future__ import annotations

import socket
from typing import Self, cast

from peer_servers import Peer
from queue_load import Wait
from redis.asyncio import Redis

TODO, DOING, ANSWERS = "todo", "doing", "answers"
FILL_ROWS = 5_000
RECEIVE = 1 << 16


class RedisWorker:
    """One annotator with a connection of its own."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    @classmethod
    async def connect(cls, peer: Peer) -> Self:
        client = Redis(
            host="127.0.0.1",
            port=peer.port,
            password=peer.password,
            decode_responses=True,
            single_connection_client=True,
        )
        await client.initialize()
        return cls(client)

    async def fill(self, texts: list[str]) -> None:
        """Add tasks to the end of the queue."""
        for begin in range(0, len(texts), FILL_ROWS):
            await self._client.rpush(TODO, *texts[begin : begin + FILL_ROWS])

    async def take(self) -> tuple[str, str]:
        """Take the oldest task: its key, which is all of it, and its text."""
        text = cast(str | None, await self._client.lmove(TODO, DOING, "LEFT", "RIGHT"))
        assert text is not None
        return text, text

    async def answer(self, key: str, label: str) -> None:
        """Put the answer in the place of the task, both or neither."""
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.lrem(DOING, 1, key)
            pipeline.rpush(ANSWERS, answer_line(key, label))
            removed, _ = await pipeline.execute()
        assert removed == 1

    async def close(self) -> None:
        await self._client.aclose()


class BareRedisWorker:
    """The same commands written to a socket; of the replies it reads as many lines as they have."""

    def __init__(self, peer: Peer) -> None:
        self._socket = socket.create_connection(("127.0.0.1", peer.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(command("AUTH", peer.password))
        for _ in self._lines(1):
            pass  # receiving waits by itself

    def fileno(self) -> int:
        return self._socket.fileno()

    def take(self) -> Wait[tuple[str, str]]:
        """Take the oldest task."""
        self._socket.sendall(command("LMOVE", TODO, DOING, "LEFT", "RIGHT"))
        _, text = yield from self._lines(2)
        return text, text

    def answer(self, key: str, label: str) -> Wait[None]:
        """Put the answer in the place of the task, both or neither."""
        commands = (
            command("MULTI"),
            command("LREM", DOING, "1", key),
            command("RPUSH", ANSWERS, answer_line(key, label)),
            command("EXEC"),
        )
        self._socket.sendall(b"".join(commands))
        *_, removed, _ = yield from self._lines(6)
        assert removed == ":1"

    def close(self) -> None:
        self._socket.close()

    def _lines(self, count: int) -> Wait[list[str]]:
        data = b""
        while data.count(b"\r\n") < count:
            yield
            chunk = self._socket.recv(RECEIVE)
            data += chunk
            if not chunk or data.startswith((b"-", b"$-1", b"*-1")) or b"\r\n-" in data:
                raise ConnectionError(f"Redis refuses or hangs up: {data!r}")
        return data.decode().split("\r\n")[:-1]


def answer_line(key: str, label: str) -> str:
    return f"{key.partition(':')[0]}:{label}"


def command(*words: str) -> bytes:
    """Write a command as Redis's protocol has it: an array of strings with their lengths in bytes."""
    parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
    return "".join(parts).encode()
