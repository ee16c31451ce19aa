"""One partition of tasks: read in order, its records given to whoever owns their projects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_partition import Found, KafkaPartition
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.errors import (
    AtCapacity,
    ConfigurationError,
    Moved,
    NotReady,
    ShuttingDown,
    StorageError,
)
from crowdroute.router.feeds.intake import TaskIntake
from crowdroute.router.feeds.owners import Owners
from crowdroute.router.feeds.passing import Passing
from crowdroute.router.feeds.records import dead_letter
from crowdroute.router.feeds.runs import Refused
from crowdroute.router.feeds.standing import InputStanding
from crowdroute.router.ports import Tracer
from crowdroute.router.runtime.clustered import connection_to
from crowdroute.router.runtime.settings import FeedSettings

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


class PartitionFeed:
    """Reads one partition, in order."""

    def __init__(
        self,
        kafka: FeedSettings,
        owners: Owners,
        partition: int,
        standing: InputStanding,
        tracer: Tracer | None,
    ) -> None:
        """Prepare.

        Args:
            kafka: where the topics are.
            owners: take records in.
            partition: number of the partition.
            standing: where to say how far it is.
            tracer: is told of what is taken in; None: nobody is.
        """
        self._connection = connection_to(kafka)
        self._topic = kafka.topic("tasks")
        self._letters = kafka.topic("dead-letter")
        self._partition = partition
        self._group = owners.group
        self._standing = standing
        self._intake = TaskIntake(owners, self._send_away, tracer)
        self._passing = Passing(self._intake, partition)
        self._sender: KafkaSender | None = None

    async def follow(self) -> None:
        """Read until cancelled; a broker or an owner that is away is asked again, from where the logs are."""
        while True:
            try:
                await self._connected()
            except ConfigurationError:
                raise
            except (StorageError, NotReady, Moved, ShuttingDown) as error:
                if any(engine.failed.done() for engine in self._group.engines.values()):
                    raise
                _log.warning(
                    "a feed waits",
                    topic=self._topic,
                    partition=self._partition,
                    reason=error.message,
                )
                self._passing.go_back()
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
