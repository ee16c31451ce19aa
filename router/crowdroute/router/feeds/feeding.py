"""The feeds of one process, until it stops: partitions of tasks are read, and the logs of shards put out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_outbox import KafkaOutbox
from crowdroute.router.adapters.kafka_partition import Found, KafkaPartition
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_topics import Durability, ensure_feeds, ensure_outbox
from crowdroute.router.errors import AtCapacity, ConfigurationError, RouterError, StorageError
from crowdroute.router.feeds.intake import Refused, TaskIntake
from crowdroute.router.feeds.outbox import Outbox
from crowdroute.router.feeds.passing import Passing
from crowdroute.router.feeds.records import dead_letter
from crowdroute.router.feeds.room import Room
from crowdroute.router.feeds.standing import FeedStanding, InputStanding, OutboxStanding
from crowdroute.router.ports import Tracer
from crowdroute.router.runtime.clustered import connection_to
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.settings import FeedSettings, Settings

IDLE_SECONDS = 0.2
"""How long a partition without new records is left alone."""

CAPACITY_SECONDS = 0.2
"""How long a partition waits when too much waits for the disk already."""

RETRY_SECONDS = 1.0
"""How long to wait before a broker that was lost is asked again."""

READ_RECORDS = 5000
READ_BYTES = 8 << 20
"""Most that one read keeps in memory, apart from its last record."""

_log = structlog.get_logger("crowdroute.feeds")


@contextlib.asynccontextmanager
async def fed(
    settings: Settings,
    engines: Mapping[int, Engine],
    standing: FeedStanding,
    tracer: Tracer | None = None,
) -> AsyncIterator[asyncio.Future[None]]:
    """Keep up the feeds that settings name while the block is entered; gives what ends only when they failed.

    Args:
        settings: of the process.
        engines: by the number of their shard, serving.
        standing: where to say how far the feeds are.
        tracer: is told of what is taken in; None: nobody is.
    """
    feeding: asyncio.Future[None]
    if settings.feeds is None:
        feeding = asyncio.get_running_loop().create_future()
    else:
        feeding = asyncio.create_task(
            _feed(settings, settings.feeds, engines, standing, tracer), name="feeds"
        )
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


async def _feed(
    settings: Settings,
    kafka: FeedSettings,
    engines: Mapping[int, Engine],
    standing: FeedStanding,
    tracer: Tracer | None,
) -> None:
    connection, durability = connection_to(kafka), Durability(kafka.durability)
    tasks = kafka.topic("tasks")
    count = await asyncio.to_thread(ensure_feeds, connection, tasks, kafka.topic("dead-letter"), durability)
    _log.info("reading tasks", topic=tasks, partitions=count)
    followers: list[_PartitionFeed | Outbox] = []
    for partition in range(count):
        place = standing.inputs[tasks, partition] = InputStanding()
        followers.append(_PartitionFeed(kafka, settings.tenant, engines, partition, place, tracer))
    if kafka.out:
        topics = [kafka.topic(kind) for kind in kafka.out]
        positions = kafka.topic("outbox")
        await asyncio.to_thread(ensure_outbox, connection, topics, positions, settings.shards, durability)
        _log.info("putting out", topics=topics)
        for shard, engine in engines.items():
            told = standing.outboxes[shard] = OutboxStanding()
            connect = partial(KafkaOutbox, connection, positions, shard)
            followers.append(Outbox(kafka, settings.tenant, engine, told, connect))
    try:
        async with asyncio.TaskGroup() as group:
            for each in followers:
                group.create_task(each.follow())
    except ExceptionGroup as failed:  # the first that failed ended the others
        raise failed.exceptions[0] from failed


class _PartitionFeed:
    """Reads one partition, in order."""

    def __init__(
        self,
        kafka: FeedSettings,
        tenant: str,
        engines: Mapping[int, Engine],
        partition: int,
        standing: InputStanding,
        tracer: Tracer | None,
    ) -> None:
        self._connection = connection_to(kafka)
        self._topic = kafka.topic("tasks")
        self._letters = kafka.topic("dead-letter")
        self._partition = partition
        self._engines = engines
        self._standing = standing
        self._intake = TaskIntake(engines, tenant, self._topic, self._send_away, tracer)
        self._passing = Passing(self._intake, Room(kafka.open_tasks), partition)
        self._sender: KafkaSender | None = None

    async def follow(self) -> None:
        """Read until cancelled; a broker that is lost is asked again."""
        while True:
            try:
                await self._connected()
            except ConfigurationError:
                raise
            except StorageError as error:
                if any(engine.failed.done() for engine in self._engines.values()):
                    raise
                _log.warning(
                    "a feed waits for its broker",
                    topic=self._topic,
                    partition=self._partition,
                    reason=error.message,
                )
                await asyncio.sleep(RETRY_SECONDS)

    async def _connected(self) -> None:
        # kafka-python's consumer is for one thread at a time, and this thread is its only one.
        thread = ThreadPoolExecutor(1, thread_name_prefix=f"feed-{self._partition}")
        loop = asyncio.get_running_loop()
        source = _Source(self._topic, self._partition)
        try:
            await loop.run_in_executor(thread, source.open, self._connection)
            while True:
                position = await self._passing.position()
                records = await loop.run_in_executor(thread, source.read, position)
                await self._take(records)
                self._tell(source.end)
                if not records:
                    await asyncio.sleep(IDLE_SECONDS)
        finally:
            thread.submit(source.close)
            thread.shutdown(wait=False)
            sender, self._sender = self._sender, None
            if sender is not None:
                sender.close()

    async def _take(self, records: Sequence[Found]) -> None:
        try:
            await self._passing.take(records)
        except AtCapacity:  # what was not taken in is read again
            await asyncio.sleep(CAPACITY_SECONDS)

    def _tell(self, end: int) -> None:
        """Say how far the partition is, and whose records began or ceased to wait."""
        standing = self._standing
        standing.position, standing.end = self._intake.position(self._partition), end
        standing.taken = self._intake.taken
        if standing.waiting != self._passing.waiting:
            standing.waiting = frozenset(self._passing.waiting)
            _log.info(
                "records of full projects wait" if standing.waiting else "no records wait any more",
                topic=self._topic,
                partition=self._partition,
                projects=sorted(standing.waiting),
            )

    async def _send_away(self, partition: int, refused: Refused) -> None:
        """Write a dead letter, and return once it is durable."""
        if self._sender is None:
            self._sender = await asyncio.to_thread(KafkaSender, self._connection, self._letters, 0)
        found = refused.found
        place = (self._topic, partition, found.offset)
        letter = dead_letter(place, found.key, found.value, refused.error)
        await self._sender.send(letter, key="/".join(map(str, place)).encode())
        self._standing.refused += 1
        _log.warning(
            "a record was refused",
            topic=self._topic,
            partition=partition,
            offset=found.offset,
            code=refused.error.code,
        )


class _Source:
    """The blocking side of a feed."""

    def __init__(self, topic: str, partition: int) -> None:
        self._topic = topic
        self._number = partition
        self._partition: KafkaPartition | None = None
        self.end = 0
        """Offset after the partition's last record, at the last read."""

    def open(self, connection: KafkaConnection) -> None:
        self._partition = KafkaPartition(connection, self._topic, self._number)

    def read(self, position: int) -> list[Found]:
        """Give the next records from a position, none when there are none yet."""
        assert self._partition is not None
        first, end = self._partition.bounds()
        self.end = end
        if position > end:
            raise ConfigurationError(
                f"{self._topic}/{self._number} ends at offset {end}, and was taken in up to {position}: the"
                " topic was made anew; give feeds another name, or restore the topic",
                {"topic": self._topic},
            )
        if 0 < position < first:
            _log.error(
                "records were deleted before they were read",
                topic=self._topic,
                partition=self._number,
                first=position,
                last=first - 1,
            )
        records: list[Found] = []
        size = 0
        for found in self._partition.records(max(position, first), end - 1):
            records.append(found)
            size += len(found.value or b"") + len(found.key or b"")
            if len(records) >= READ_RECORDS or size >= READ_BYTES:
                break
        return records

    def close(self) -> None:
        if self._partition is not None:
            self._partition.close()
