"""Tasks into Kafka, and back from there what the cluster puts out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_partition import Found, KafkaPartition
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.demo.pictures import Picture
from crowdroute.router.demo.working import NAME
from crowdroute.router.feeds.records import TaskRecord
from crowdroute.router.feeds.told import ResultRecord

TASKS_PER_SECOND = 60.0
"""How fast tasks are produced, so that the crowd is at work while more come in."""

LOOK_S = 0.1
"""Between two looks at a topic whose records are all read."""


def task_record(project: str, picture: Picture) -> TaskRecord:
    """Give the record that hands a picture in, as characters: records hold texts and addresses."""
    return TaskRecord(
        project=project,
        external_id=picture.external_id,
        content={"picture": picture.text(), NAME: str(picture.number)},
        purpose="gold" if picture.gold else "production",
        gold={"label": str(picture.digit)} if picture.gold else {},
    )


async def produce(
    connection: KafkaConnection, topic: str, records: Sequence[TaskRecord], sent: Callable[[TaskRecord], None]
) -> None:
    """Write tasks to a topic at a steady pace, and say of each when it is there.

    Raises:
        RouterError: the broker does not answer.
    """
    sender = await asyncio.to_thread(KafkaSender, connection, topic, 0)
    try:
        begun = time.monotonic()
        for number, record in enumerate(records):
            await asyncio.sleep(begun + number / TASKS_PER_SECOND - time.monotonic())
            await sender.send(
                record.model_dump_json(exclude_defaults=True).encode(), record.external_id.encode()
            )
            sent(record)
    finally:
        await asyncio.to_thread(sender.close)


class Read:
    """What was read back: each record once, however often it came."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.results: dict[str, list[ResultRecord]] = {}
        """By task: its revisions in the order in which they came."""
        self.again = 0
        """Records that had come before, as they may after a crash."""
        self._highest: dict[str, str] = {}

    def result(self, value: bytes) -> None:
        """Take a record of the topic of results."""
        record = ResultRecord.model_validate_json(value)
        if self._is_new(record.id):
            self.results.setdefault(record.task_id, []).append(record)

    def _is_new(self, identity: str) -> bool:
        """Say whether a record is none that came before: a shard's ids rise in the one partition there is."""
        shard = identity.partition("-")[0]
        if identity <= self._highest.get(shard, ""):
            self.again += 1
            return False
        self._highest[shard] = identity
        return True


async def follow(connection: KafkaConnection, topic: str, take: Callable[[bytes], None]) -> None:
    """Read a topic's only partition from its beginning, until cancelled.

    Raises:
        StorageError: the broker does not answer.
    """
    loop = asyncio.get_running_loop()
    # A thread of its own: whoever cancels must not close the partition while it is being read.
    with ThreadPoolExecutor(1, topic) as thread:
        partition = await loop.run_in_executor(thread, KafkaPartition, connection, topic, 0)
        try:
            first = 0
            while True:
                found, end = await loop.run_in_executor(thread, _rest, partition, first)
                for record in found:
                    if record.value is not None:
                        take(record.value)
                if end == first:
                    await asyncio.sleep(LOOK_S)
                first = end
        finally:
            thread.submit(partition.close)


def _rest(partition: KafkaPartition, first: int) -> tuple[list[Found], int]:
    _, end = partition.bounds()
    return list(partition.records(first, end - 1)), end
