"""Puts out what one shard's log tells: reads it, sends the records, and notes how far that is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog

from crowdroute.router.adapters.kafka_outbox import Letter, Position
from crowdroute.router.errors import ConfigurationError, StorageError
from crowdroute.router.events import Entry
from crowdroute.router.feeds.outgoing import Outgoing
from crowdroute.router.feeds.standing import OutboxStanding
from crowdroute.router.feeds.telling import Teller
from crowdroute.router.ports import StoredBatch
from crowdroute.router.rpc.operations.entries import decoded, readable
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.settings import FeedSettings

READ_BYTES = 128 * 1024
"""Bytes of the log that are on their way at once: some hundred small batches, whatever waits behind them."""

NOTED_BYTES = 4 << 20
"""Bytes of the log after which the position is noted although nothing was to be told."""

RETRY_SECONDS = 1.0
"""How long to wait before a broker that was lost is asked again."""

_log = structlog.get_logger("crowdroute.feeds")


class Post(Protocol):
    """A blocking way to the topics; see `adapters.kafka_outbox`."""

    def position(self) -> Position | None:
        """Give how far the log was put out."""

    def put(self, letters: Sequence[Letter]) -> None:
        """Return once every record is durable."""

    def note(self, position: Position) -> None:
        """Remember how far the log was put out."""

    def close(self) -> None:
        """Disconnect at once."""


class Outbox:
    """Follows one shard's log.

    It only ever reads: what it has not put out yet stands in the log, so that a broker that is slow or away
    costs the engine nothing, and memory holds `READ_BYTES` of log and their records.
    """

    def __init__(
        self,
        settings: FeedSettings,
        tenant: str,
        engine: Engine,
        standing: OutboxStanding,
        connect: Callable[[], Post],
    ) -> None:
        """Put out what one tenant's streams in a shard tell.

        Args:
            settings: where to, and what.
            tenant: whose streams.
            engine: of the shard, serving.
            standing: where to say how far it is.
            connect: gives a new way to the topics, blocking.
        """
        self._settings = settings
        self._connect = connect
        self._engine = engine
        self._shard = engine.shard.number
        self._standing = standing
        self._teller = Teller(engine, tenant, settings.out)
        self._news = asyncio.Event()

    async def follow(self) -> None:
        """Put out until cancelled; a broker that is lost is asked again.

        Raises:
            ConfigurationError: what was put out is not of this log.
            StorageError: the engine stopped.
        """
        unsubscribe = self._engine.subscribe(self._on_durable)
        try:
            while True:
                try:
                    await self._connected()
                except ConfigurationError:
                    raise
                except StorageError as error:
                    if self._engine.failed.done():
                        raise
                    _log.warning("the outbox waits for its broker", shard=self._shard, reason=error.message)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            unsubscribe()

    def _on_durable(self, entries: Sequence[Entry]) -> None:
        self._standing.newest = self._engine.loop.commits.sequence
        self._news.set()

    async def _connected(self) -> None:
        loop = asyncio.get_running_loop()
        # Sending blocks, for as long as a broker takes: in a thread of its own it keeps nobody else waiting.
        thread = ThreadPoolExecutor(1, thread_name_prefix=f"outbox-{self._shard}")
        post: Post | None = None
        try:
            post = await loop.run_in_executor(thread, self._connect)
            position = await loop.run_in_executor(thread, post.position)
            at = 0 if position is None else await self._of_this_log(position)
            silent = 0
            while True:
                self._standing.reach(at, self._engine.loop.commits.sequence)
                self._news.clear()
                stored = await self._stored(at)
                if not stored:
                    await self._news.wait()
                    continue
                batches = await asyncio.to_thread(decoded, stored)
                told = await self._teller.tell(batches)
                # An erasure that was seen and is not durable yet must not leave a record out for good.
                await self._engine.observe()
                silent += sum(len(each.body) for each in stored)
                if told:
                    await loop.run_in_executor(thread, post.put, self._letters(told))
                    self._standing.put += Counter(self._settings.topic(each.kind) for each in told)
                last = stored[-1]
                if told or silent >= NOTED_BYTES:
                    noted = Position(last.sequence, last.chain.hex())
                    await loop.run_in_executor(thread, post.note, noted)
                    silent = 0
                at = last.sequence
                self._standing.at_us = max(
                    [self._standing.at_us, *(batch.entries[-1].at_us for batch in batches if batch.entries)]
                )
        finally:
            if post is not None:
                post.close()
            thread.shutdown(wait=False)

    async def _stored(self, after: int) -> list[StoredBatch]:
        return await readable(self._engine).read_some(after, READ_BYTES)

    async def _of_this_log(self, position: Position) -> int:
        """Give the sequence that was put out.

        Raises:
            ConfigurationError: it was put out of another log, or of a later state of this one.
        """
        if position.sequence <= self._engine.loop.commits.sequence:
            found = await self._stored(position.sequence - 1)
            if found and found[0].chain.hex() == position.chain:
                return position.sequence
        topic = self._settings.topic("outbox")
        raise ConfigurationError(
            f"topic {topic} says that batch {position.sequence} of shard {self._shard} was put out, and this"
            " log has another or none: it is not the log that was put out, or an old copy of it; give feeds"
            " another name, or bring the log that belongs to it",
            {"topic": topic, "sequence": str(position.sequence)},
        )

    def _letters(self, told: Sequence[Outgoing]) -> list[Letter]:
        return [Letter(self._settings.topic(each.kind), each.key, each.value) for each in told]
