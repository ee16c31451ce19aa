"""Puts records out to several topics, and remembers how far beside them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from typing import NamedTuple

import msgspec

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_sender import DEADLINE_SECONDS, give_up
from crowdroute.router.errors import ConfigurationError, StorageError


class Position(msgspec.Struct, frozen=True):
    """How far a shard's log is put out: everything up to a batch is acknowledged."""

    sequence: int
    chain: str
    """Chain hash of that batch, in hexadecimal digits: it tells one log from another."""


class Letter(NamedTuple):
    """A record for a topic."""

    topic: str
    key: bytes
    value: bytes


_positions = msgspec.json.Decoder(Position)


class KafkaOutbox:
    """A blocking producer for one shard; for one thread at a time.

    The last record of the shard's partition in the topic of positions says how far the log was put out. It is
    written after what it covers was acknowledged, so it never runs ahead: lost, or overwritten by a process
    that woke up late, it makes records come again and none be left out.
    """

    def __init__(self, connection: KafkaConnection, positions: str, shard: int) -> None:
        """Connect.

        Raises:
            StorageError: no broker answers.
        """
        self._connection = connection
        self._positions = positions
        self._shard = shard
        self._producer = connection.producer()

    def position(self) -> Position | None:
        """Give how far the log was put out; None when it never was.

        Raises:
            StorageError: the broker does not answer.
            ConfigurationError: the topic holds something else.
        """
        with closing(KafkaPartition(self._connection, self._positions, self._shard)) as partition:
            first, end = partition.bounds()
            if end == first:
                return None
            found = list(partition.records(end - 1, end - 1))
        try:
            return _positions.decode(found[-1].value or b"")
        except (msgspec.DecodeError, IndexError) as error:
            raise ConfigurationError(
                f"topic {self._positions} does not end with a position of shard {self._shard} ({error}): give"
                " the outbox a topic of its own",
                {"topic": self._positions},
            ) from error

    def put(self, letters: Iterable[Letter]) -> None:
        """Return once all replicas in sync have every record; records under one key keep their order.

        Raises:
            StorageError: that is unknown of some. Close, and put out again from the last position.
        """
        try:
            self._acknowledged(
                [self._producer.send(topic, value=value, key=key) for topic, key, value in letters]
            )
        except Exception as error:
            raise self._unknown(error) from error

    def note(self, position: Position) -> None:
        """Remember how far the log was put out; raises as `put`."""
        try:
            value = msgspec.json.encode(position)
            key = str(self._shard).encode()
            self._acknowledged(
                [self._producer.send(self._positions, value=value, key=key, partition=self._shard)]
            )
        except Exception as error:
            raise self._unknown(error) from error

    def close(self) -> None:
        """Disconnect at once; what was not acknowledged is given up."""
        give_up(self._producer)

    def _acknowledged(self, sent: list[object]) -> None:
        until = time.monotonic() + DEADLINE_SECONDS
        for each in sent:
            each.get(timeout=max(0.0, until - time.monotonic()))  # type: ignore[attr-defined]

    def _unknown(self, error: Exception) -> StorageError:
        return StorageError(
            f"records were not acknowledged in {self._connection.place} ({error!r}): they are put out again"
        )
