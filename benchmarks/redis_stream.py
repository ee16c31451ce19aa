"""A Redis stream as a task queue: a group of consumers, each task pending until its answer is there."""

from __future__ import annotations

import secrets
from typing import Any

from queue_load import Wait
from redis.asyncio import Redis
from redis_queue import FILL_ROWS, BareRedisWorker, RedisWorker, answer_line, command

STREAM, GROUP, ANSWERS, FIELD = "stream", "annotators", "stream-answers", "text"


class RedisStreamWorker(RedisWorker):
    """One annotator with a connection and a consumer's name of its own."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self._name = secrets.token_hex(4)

    async def fill(self, texts: list[str]) -> None:
        """Begin the group and add tasks to the end of the stream."""
        await self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        for begin in range(0, len(texts), FILL_ROWS):
            async with self._client.pipeline(transaction=False) as pipeline:
                for text in texts[begin : begin + FILL_ROWS]:
                    pipeline.xadd(STREAM, {FIELD: text})
                await pipeline.execute()

    async def take(self) -> tuple[str, str]:
        """Take the oldest task that nobody had: its id, and its text."""
        found: Any = await self._client.xreadgroup(GROUP, self._name, {STREAM: ">"}, count=1)
        # RESP3 gives a mapping of streams to batches, RESP2 pairs.
        ((_, entries),) = found.items() if isinstance(found, dict) else found
        while isinstance(entries, list):
            (entries,) = entries
        key, fields = entries
        return key, fields[FIELD]

    async def answer(self, key: str, label: str) -> None:
        """Acknowledge the task and keep its answer, both or neither."""
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xack(STREAM, GROUP, key)
            pipeline.xadd(ANSWERS, {FIELD: answer_line(key, label)})
            acknowledged, _ = await pipeline.execute()
        assert acknowledged == 1


class BareRedisStreamWorker(BareRedisWorker):
    """The same commands written to a socket."""

    def take(self) -> Wait[tuple[str, str]]:
        """Take the oldest task that nobody had."""
        consumer = str(self.fileno())
        self._socket.sendall(
            command("XREADGROUP", "GROUP", GROUP, consumer, "COUNT", "1", "STREAMS", STREAM, ">")
        )
        lines = yield from self._lines(13)
        return lines[7], lines[12]

    def answer(self, key: str, label: str) -> Wait[None]:
        """Acknowledge the task and keep its answer."""
        commands = (
            command("MULTI"),
            command("XACK", STREAM, GROUP, key),
            command("XADD", ANSWERS, "*", FIELD, answer_line(key, label)),
            command("EXEC"),
        )
        self._socket.sendall(b"".join(commands))
        *_, acknowledged, _, _ = yield from self._lines(7)
        assert acknowledged == ":1"
