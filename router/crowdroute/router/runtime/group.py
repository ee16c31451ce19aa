"""The shards of one process behind one door: the service object of every profile.

A group starts in three steps, which together are `start`: every shard recovers; then it is read from their
streams what lives where; then they serve. A shard may join (`take`) or leave (`release`) while the others go
on. What a caller asks of a stream goes to the engine that has it; what one shard must tell another crosses
over as `runtime.crossing` says. A group of one shard is that shard's engine and nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from crowdroute.router.adapters.system import SystemClock, SystemIds
from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.project import CreateProject
from crowdroute.router.errors import NotReady, RouterError
from crowdroute.router.events import Entry
from crowdroute.router.model.ids import Id
from crowdroute.router.ports import ContentChange
from crowdroute.router.runtime.carrier import Carrier
from crowdroute.router.runtime.crossing import Crossing
from crowdroute.router.runtime.engine import Engine, EngineState
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.whereabouts import Whereabouts

Open = Callable[[int], AbstractAsyncContextManager[Engine]]
"""Opens the shard of a number: recovers it and gives its engine, not started; leaving closes it again."""

_GRAVITY = (EngineState.SERVING, EngineState.STARTING, EngineState.DRAINING, EngineState.FAILED)


def _nothing_to_open(shard: int) -> AbstractAsyncContextManager[Engine]:
    raise NotReady(f"shard {shard} is not this group's to open", {"shard": str(shard)})


Follower = Callable[[int, int, Sequence[Entry]], None]
"""Is told what became durable: number of the shard, sequence of the batch, its entries; must not raise."""

Beside = Callable[[Engine], Callable[[], Awaitable[None]]]
"""Begins what runs beside a shard that serves, at once, and gives what ends it; neither may raise."""


class ShardGroup:
    """Some shards of an installation, in one process and one event loop."""

    def __init__(self, open_shard: Open, shard_map: ShardMap | None = None) -> None:
        """Prepare; nothing is opened before `start`.

        Args:
            open_shard: opens a shard.
            shard_map: how many shards there are, and who serves those that this group does not; None: this
                group serves the only one.
        """
        self._open = open_shard
        self.where = Whereabouts(shard_map or ShardMap())
        """What lives where."""
        self.engines = self.where.engines
        """Those that serve, by number."""
        self.copies = self.where.copies
        """By stream: the organisations that shards here need to know and that do not live in all of them."""
        self.peers: Carrier | None = None
        """Takes commands to shards of other processes; set by who serves the group, where there are any."""
        self._opened: dict[int, contextlib.AsyncExitStack] = {}
        self.crossing = Crossing(self.engines, self.copies, self, self.where.shard_map.shards)
        # For calls that reach a group without a shard, and are forwarded.
        self._clock = SystemClock()
        self._ids = SystemIds()
        self._followers: list[Follower] = []
        self._beside: list[Beside] = []
        self._started = False
        self._draining = False
        self.failed: asyncio.Future[RouterError] = asyncio.get_running_loop().create_future()
        """Done, with the reason, once a shard can never go on; the process must then exit."""

    @classmethod
    def alone(cls, engine: Engine) -> ShardGroup:
        """Give the group of one engine that somebody else starts, drains and closes."""
        group = cls(_nothing_to_open)
        group._opened[engine.shard.number] = contextlib.AsyncExitStack()
        group._adopt(engine.shard.number, engine)
        group._started = True
        return group

    # Life

    async def start(self, shards: Iterable[int]) -> None:
        """Recover these shards, read what lives where, and serve.

        Raises:
            ConfigurationError: a log is not that of its shard.
            StorageError: a shard cannot be recovered; those that were opened are closed again.
        """
        try:
            found = {shard: await self._recover(shard) for shard in sorted(shards)}
            for shard, engine in found.items():
                await self.where.learn(shard, engine)
            for shard, engine in found.items():
                self._serve(shard, engine)
            for copy in tuple(self.copies.values()):
                await self.crossing.catch_up(copy)
        except BaseException:
            await self.close()
            raise
        if self.where.is_many:
            self.crossing.start()
        self._started = True

    async def take(self, shard: int, shard_map: ShardMap) -> None:
        """Recover one more shard and serve it, while the others go on; several may be taken at once.

        Args:
            shard: its number.
            shard_map: who serves what from now on, of a higher generation.

        Raises:
            NotReady: a newer placement is known.
            ConfigurationError, StorageError: as `start`.
        """
        self.where.place(shard_map)
        engine = await self._recover(shard)
        try:
            await self.where.learn(shard, engine)
            # Nothing is awaited between the two: `learn` looked at those that serve.
            self._serve(shard, engine)
            self._tell(shard, engine.loop.commits.sequence, ())
            for copy in tuple(self.copies.values()):
                await self.crossing.catch_up(copy)
        except BaseException:  # or it would keep everybody else from it
            if shard in self.engines:
                self.where.leave(shard)
            await self._opened.pop(shard).aclose()
            raise

    async def release(self, shard: int, shard_map: ShardMap) -> None:
        """Stop serving a shard, while the others go on: take nothing new for it, make durable and answer what
        was taken, and close its log. Afterwards another group may take it.

        Args:
            shard: its number.
            shard_map: who serves what from now on, of a higher generation.

        Raises:
            NotReady: a newer placement is known.
            AppendFailed: not everything that was taken became durable.
        """
        self.where.place(shard_map)
        self.where.leave(shard)
        await self._opened.pop(shard).aclose()

    async def close(self) -> None:
        """Drain and close every shard.

        Raises:
            AppendFailed: not everything that was taken became durable.
        """
        self._draining = True
        await self.crossing.stop()
        async with contextlib.AsyncExitStack() as stack:
            for opened in self._opened.values():
                stack.push_async_exit(opened)
            self._opened = {}

    @property
    def shard_map(self) -> ShardMap:
        """Who serves each shard, as far as is known here."""
        return self.where.shard_map

    @property
    def state(self) -> EngineState:
        """Whether commands are taken."""
        if self.failed.done():
            return EngineState.FAILED
        if self._draining:
            return EngineState.DRAINING
        if not self._started:
            return EngineState.STARTING
        states = (engine.state for engine in self.engines.values())
        return max(states, key=_GRAVITY.index, default=EngineState.SERVING)

    def send_seekers_away(self) -> None:
        """Tell whoever waits for work that there will be none from this process."""
        for engine in self.engines.values():
            engine.waiting.close()

    async def _recover(self, shard: int) -> Engine:
        stack = contextlib.AsyncExitStack()
        self._opened[shard] = stack
        return await stack.enter_async_context(self._open(shard))

    def _serve(self, shard: int, engine: Engine) -> None:
        self._adopt(shard, engine)
        engine.start()
        for beside in self._beside:
            self._opened[shard].push_async_callback(beside(engine))

    def _adopt(self, shard: int, engine: Engine) -> None:
        self.engines[shard] = engine
        engine.subscribe(partial(self._on_durable, engine))

        def learn(failed: asyncio.Future[RouterError]) -> None:
            if not failed.cancelled() and not self.failed.done():
                self.failed.set_result(failed.result())

        engine.failed.add_done_callback(learn)

    # Commands

    async def submit(self, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Decide a command where its stream lives and answer when its effect is durable.

        Raises:
            Refusal: nothing changed.
            RouterError: whether it took effect is unknown.
        """
        if self.where.is_many and type(request.command) is CreateProject:
            return await self.crossing.create(request, request.command, contents)
        return await self.where.engine(request.stream).submit(request, contents)

    async def carry(self, shard: int, request: Request, contents: Sequence[ContentChange] = ()) -> Reply:
        """Have a command that crosses over decided in a shard, here or in another process."""
        engine = self.engines.get(shard)
        if engine is not None:
            return await engine.submit(request, contents)
        if self.peers is None:
            raise NotReady(f"nobody serves shard {shard} at the moment: call again", {"shard": str(shard)})
        return await self.peers.carry(shard, request, contents)

    def request(
        self,
        stream: str,
        command: Command,
        *,
        principal: str = "",
        request: str = "",
        key: str = "",
        digest: bytes = b"",
    ) -> Request:
        """Put a command into its envelope, with fresh random bytes; see `Engine.request`."""
        return Request(stream, command, self.new_id(), principal, request, key, digest)

    async def observe(self) -> None:
        """Return when everything decided here so far is durable.

        Raises:
            AppendFailed: it never will be; the answer must not be given.
        """
        for engine in tuple(self.engines.values()):
            await engine.observe()

    def subscribe(self, on_durable: Follower) -> Callable[[], None]:
        """Have the entries of each shard's batches told once they are durable, and none of a shard when it is
        taken while others serve; gives what ends it."""
        self._followers.append(on_durable)
        return lambda: self._followers.remove(on_durable)

    def accompany(self, beside: Beside) -> Callable[[], None]:
        """Have something run beside every shard that serves here, now and from now on, which is ended before
        its shard is closed; gives what lets it begin for no other."""
        self._beside.append(beside)
        for shard, engine in self.engines.items():
            self._opened[shard].push_async_callback(beside(engine))
        return lambda: self._beside.remove(beside)

    def crossings_held(self) -> AbstractAsyncContextManager[None]:
        """Let nothing cross from a project to its organisation, nor a project begin in another shard, for as
        long as the block lasts."""
        return self.crossing.held

    # Ids and time

    def new_id(self) -> Id:
        """Give a fresh id."""
        for engine in self.engines.values():
            return engine.new_id()
        return self._ids.entropy()

    def now_us(self) -> int:
        """Give logged time."""
        for engine in self.engines.values():
            return engine.now_us()
        return self._clock.now_us()

    # What became durable

    def _on_durable(self, engine: Engine, entries: Sequence[Entry]) -> None:
        shard, sequence = engine.shard.number, engine.loop.commits.sequence
        if self.where.is_many:
            for entry in entries:
                if entry.stream.endswith("/organisation"):
                    copy = self.where.copy_of(entry.stream, shard)
                    copy.local = shard in self.engines
                    self.crossing.fold_into(copy, entry, sequence)
        self._tell(shard, sequence, entries)

    def _tell(self, shard: int, sequence: int, entries: Sequence[Entry]) -> None:
        for follower in tuple(self._followers):
            follower(shard, sequence, entries)
