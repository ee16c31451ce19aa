"""What faults are done to, and what a fault is."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from tests.faults.nemesis.proxy import Proxy
from tests.faults.nemesis.stock import Source
from tests.faults.serving import Serving
from tests.faults.store import History, Store


class Behind(Protocol):
    """What clients reach through a proxy."""

    @property
    def proxy(self) -> Proxy:
        """What breaks on the way of clients."""


class Served(Behind, Protocol):
    """What a crowd works at, whatever runs it."""

    @property
    def address(self) -> str:
        """Where annotators reach it, through whatever breaks on the way; known once it was started."""

    @property
    def operated_at(self) -> str:
        """Where operators reach it."""

    async def start(self) -> None:
        """Serve."""

    def sources(self, project: str) -> Sequence[Source]:
        """Give the ways, besides calls, in which tasks of a project of that name come in."""

    async def wait(self, work: asyncio.Task[None]) -> None:
        """Wait for work between two faults, and start again meanwhile what ended as it may."""

    async def untold(self, results: int) -> int:
        """Wait until so many results were put out to whoever reads them elsewhere; give how many were not."""

    async def stop(self) -> None:
        """End in order."""

    async def close(self) -> None:
        """Leave nothing behind."""

    def history(self, shard: int) -> History:
        """Read the log of a shard; nobody serves from it any more."""


class Ground:
    """An engine, the proxy before it, and what is behind it."""

    def __init__(self, engine: Serving, store: Store) -> None:
        """Prepare.

        Args:
            engine: to be served.
            store: where its log is.
        """
        self.engine = engine
        self.proxy = Proxy("127.0.0.1", engine.port)
        self.store = store

    @property
    def address(self) -> str:
        """Where the proxy before the engine is."""
        return self.proxy.address

    @property
    def operated_at(self) -> str:
        """Where the engine itself is."""
        return self.engine.address

    async def start(self) -> None:
        """Start the engine."""
        await self.engine.start()
        await self.proxy.accept()

    def sources(self, project: str) -> Sequence[Source]:
        """None."""
        return ()

    async def wait(self, work: asyncio.Task[None]) -> None:
        """Wait for work; an engine that ended as it may is started again, as systemd would."""
        while not work.done():
            ended = asyncio.create_task(self.engine.ended())
            await asyncio.wait((work, ended), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                ended.cancel()
            elif not work.done():
                assert self.engine.last_code() in self.store.ends_with, self.engine.words
                await self.engine.start()
        await work

    async def untold(self, results: int) -> int:
        """Nothing is put out."""
        return 0

    async def stop(self) -> None:
        """Tell the engine to end."""
        self.engine.send(signal.SIGTERM)
        assert await self.engine.ended() == 0, self.engine.words

    async def close(self) -> None:
        """Leave no connection and no process behind."""
        await self.proxy.close()
        await self.engine.close()

    def history(self, shard: int) -> History:
        """Read the store, which has one."""
        return self.store.history()


Target_contra = TypeVar("Target_contra", contravariant=True)


class Fault(NamedTuple, Generic[Target_contra]):
    """One way to break something."""

    kind: str
    """Its name in reports."""
    strike: Callable[[Target_contra, random.Random], Awaitable[None]]
    """Breaks it, and returns when it is mended; takes its choices from the random numbers."""
