"""The feeds of one process, until it stops: partitions of tasks are read, and the logs of shards put out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

import structlog

from crowdroute.router.adapters.kafka_outbox import KafkaOutbox
from crowdroute.router.adapters.kafka_topics import Durability, ensure_feeds, ensure_outbox
from crowdroute.router.errors import RouterError, StorageError
from crowdroute.router.feeds.elsewhere import HandedOver
from crowdroute.router.feeds.outbox import Outbox
from crowdroute.router.feeds.owners import Owners
from crowdroute.router.feeds.partition_feed import PartitionFeed
from crowdroute.router.feeds.room import Room
from crowdroute.router.feeds.standing import FeedStanding, InputStanding, OutboxStanding
from crowdroute.router.ports import Tracer
from crowdroute.router.rpc.group.forwarding import Forwarding
from crowdroute.router.runtime.clustered import connection_to
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import FIRST_SHARD
from crowdroute.router.runtime.settings import FeedSettings, Settings

RETRY_SECONDS = 1.0
"""How long to wait before brokers that were silent are asked again."""

_log = structlog.get_logger("crowdroute.feeds")


@contextlib.asynccontextmanager
async def fed(
    settings: Settings,
    group: ShardGroup,
    standing: FeedStanding,
    tracer: Tracer | None = None,
    forwarding: Forwarding | None = None,
) -> AsyncIterator[asyncio.Future[None]]:
    """Keep up the feeds that settings name while the block is entered; gives what ends only when they failed.

    Args:
        settings: of the process.
        group: the shards of the process, which may come and go.
        standing: where to say how far the feeds are.
        tracer: is told of what is taken in; None: nobody is.
        forwarding: the way to the shards of other processes; None: there are none.
    """
    feeding: asyncio.Future[None]
    if settings.feeds is None:
        feeding = asyncio.get_running_loop().create_future()
    else:
        feeds = _Feeds(settings, settings.feeds, group, standing, tracer, forwarding)
        feeding = asyncio.create_task(feeds.run(), name="feeds")
    try:
        yield feeding
    finally:
        feeding.cancel()
        await asyncio.wait((feeding,))


def failure_of(feeding: asyncio.Future[None]) -> RouterError | None:
    """Give what ended feeds that were left; None when they only were told to stop.

    Raises:
        Exception: a defect ended them.
    """
    error = None if feeding.cancelled() else feeding.exception()
    if error is None or isinstance(error, RouterError):
        return error
    raise error


def ensure_topics(kafka: FeedSettings, shards: int) -> int:
    """See that every topic of feeds is there and safe; give the number of partitions of tasks. Blocks.

    Args:
        kafka: where they are, and which.
        shards: how many there are in the installation.

    Raises:
        ConfigurationError: one of them could lose what it acknowledged.
        StorageError: no broker answers.
    """
    connection, durability = connection_to(kafka), Durability(kafka.durability)
    partitions = ensure_feeds(connection, kafka.topic("tasks"), kafka.topic("dead-letter"), durability)
    if kafka.out:
        topics = [kafka.topic(kind) for kind in kafka.out]
        ensure_outbox(connection, topics, kafka.topic("outbox"), shards, durability)
    return partitions


class _Feeds:
    """The feeds of the shards that this process serves, for as long as it serves each.

    Beside every shard runs its outbox; beside the one with the organisation every partition is read, so that
    one process reads, whichever serves that shard.
    """

    def __init__(
        self,
        settings: Settings,
        kafka: FeedSettings,
        group: ShardGroup,
        standing: FeedStanding,
        tracer: Tracer | None,
        forwarding: Forwarding | None,
    ) -> None:
        self._settings = settings
        self._kafka = kafka
        self._group = group
        self._standing = standing
        self._tracer = tracer
        self._forwarding = forwarding
        room = Room(kafka.open_tasks)
        self._owners = Owners(group, settings.tenant, kafka.topic("tasks"), room, forwarding)
        self._partitions = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Feed until cancelled, or until a feed failed."""
        self._partitions = await self._ensured()
        if self._kafka.out:
            _log.info("putting out", topics=[self._kafka.topic(kind) for kind in self._kafka.out])
        if self._forwarding is not None:
            self._forwarding.inputs = HandedOver(self._owners)
        leave = self._group.accompany(self._begin)
        try:
            await self._failed
        finally:
            leave()
            if self._forwarding is not None:
                self._forwarding.inputs = None
            await _end(tuple(self._tasks))

    async def _ensured(self) -> int:
        """Return once the topics are there and safe; brokers that are away are asked again.

        The shards serve meanwhile: a process that ended because of it would take them along, and the next one
        would be no better off.
        """
        while True:
            try:
                return await asyncio.to_thread(ensure_topics, self._kafka, self._settings.shards)
            except StorageError as error:
                _log.warning("the feeds wait for their brokers", reason=error.message)
            await asyncio.sleep(RETRY_SECONDS)

    def _begin(self, engine: Engine) -> Callable[[], Awaitable[None]]:
        """Begin the feeds beside one shard; gives what ends them."""
        shard, tasks = engine.shard.number, self._kafka.topic("tasks")
        followers: list[PartitionFeed | Outbox] = []
        inputs: list[tuple[str, int]] = []
        if shard == FIRST_SHARD:
            _log.info("reading tasks", topic=tasks, partitions=self._partitions)
            for partition in range(self._partitions):
                inputs.append((tasks, partition))
                place = self._standing.inputs[tasks, partition] = InputStanding()
                followers.append(PartitionFeed(self._kafka, self._owners, partition, place, self._tracer))
        if self._kafka.out:
            told = self._standing.outboxes[shard] = OutboxStanding()
            connect = partial(KafkaOutbox, connection_to(self._kafka), self._kafka.topic("outbox"), shard)
            followers.append(Outbox(self._kafka, self._settings.tenant, engine, told, connect))
        begun = [asyncio.create_task(each.follow()) for each in followers]
        for task in begun:
            self._tasks.add(task)
            task.add_done_callback(self._ended)

        async def end() -> None:
            await _end(begun)
            self._owners.forget(shard)
            self._standing.outboxes.pop(shard, None)
            for each in inputs:
                self._standing.inputs.pop(each, None)

        return end

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
