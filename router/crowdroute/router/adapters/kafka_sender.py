"""Sends records and gives the offset at which all replicas in sync have each; crash-only."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.errors import AppendFailed

if TYPE_CHECKING:
    from kafka import KafkaProducer

DEADLINE_SECONDS = 10.0
"""Longest wait for an acknowledgement. Past it the outcome is unknown and the process ends. It is much
shorter than kafka-python's own delivery timeout, because a producer whose batch expired never sends again."""


class KafkaSender:
    """A producer for one partition."""

    def __init__(self, connection: KafkaConnection, topic: str, partition: int) -> None:
        """Connect.

        Raises:
            StorageError: no broker answers.
        """
        self._topic = topic
        self._partition = partition
        self._producer = connection.producer()

    async def send(self, value: bytes | None, key: bytes | None = None) -> int:
        """Give the offset of a record once it is durable.

        Raises:
            AppendFailed: it was not acknowledged in time, or refused; it may come into the log later.
        """
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[int] = loop.create_future()

        def succeeded(metadata: Any) -> None:
            loop.call_soon_threadsafe(_tell, heard, int(metadata.offset))

        def failed(error: BaseException) -> None:
            loop.call_soon_threadsafe(_fail, heard, error)

        try:
            sent = self._producer.send(self._topic, value=value, key=key, partition=self._partition)
            sent.add_callback(succeeded)
            sent.add_errback(failed)
            return await asyncio.wait_for(heard, DEADLINE_SECONDS)
        except TimeoutError as error:
            raise self._unknown(f"nothing was heard for {DEADLINE_SECONDS:.0f} s") from error
        except Exception as error:
            raise self._unknown(repr(error)) from error

    def send_and_wait(self, value: bytes | None, key: bytes | None = None) -> int:
        """Do as `send`, blocking; for the time before an event loop serves.

        Raises:
            AppendFailed: as `send`.
        """
        return int(self._acknowledged(value, key).offset)

    def written_at(self, value: bytes | None, key: bytes | None = None) -> float:
        """Do as `send_and_wait`, and give the time of the record as the topic has it, in seconds since 1970.

        Raises:
            AppendFailed: as `send`.
        """
        return int(self._acknowledged(value, key).timestamp) / 1000

    def _acknowledged(self, value: bytes | None, key: bytes | None) -> Any:
        try:
            sent = self._producer.send(self._topic, value=value, key=key, partition=self._partition)
            return sent.get(timeout=DEADLINE_SECONDS)
        except Exception as error:
            raise self._unknown(repr(error)) from error

    def _unknown(self, reason: str) -> AppendFailed:
        return AppendFailed(
            f"a record for partition {self._partition} of {self._topic} was not acknowledged ({reason}): what"
            " became of it is unknown; start again",
            {"topic": self._topic},
        )

    def close(self) -> None:
        """Disconnect at once; what was not acknowledged is given up."""
        give_up(self._producer)


def give_up(producer: KafkaProducer) -> None:
    """Disconnect a producer at once, whatever is on its way."""
    from kafka.errors import KafkaTimeoutError

    try:
        producer.close(timeout=0)
    except KafkaTimeoutError:
        # It gives up closing, and its thread goes on trying, while a record is on its way.
        producer._sender.force_close()


def _tell(heard: asyncio.Future[int], offset: int) -> None:
    if not heard.done():
        heard.set_result(offset)


def _fail(heard: asyncio.Future[int], error: BaseException) -> None:
    if not heard.done():
        heard.set_exception(error)
