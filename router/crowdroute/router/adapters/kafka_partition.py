"""One partition read record by record, with nothing stepped over and no silence taken for an end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from crowdroute.router.adapters.kafka_client import REQUEST_MS, KafkaConnection, require_client
from crowdroute.router.errors import StorageError

POLL_MS = 500
"""How long one look waits; a consumer also says nothing while its broker is gone."""

STALLED_SECONDS = 15.0
"""Silence in spite of records that exist, after which the consumer is given up: kafka-python has been seen to
fall silent for good, and without an error."""


class Found(NamedTuple):
    """A record of a partition."""

    offset: int
    key: bytes | None
    value: bytes | None
    traceparent: str = ""
    """Of the trace that its producer named in a header (W3C Trace Context); empty for none."""


class KafkaPartition:
    """A blocking reader of one partition; for one thread at a time."""

    def __init__(self, connection: KafkaConnection, topic: str, partition: int) -> None:
        """Connect.

        Raises:
            StorageError: no broker answers.
        """
        require_client()
        from kafka import TopicPartition

        self._place = f"partition {partition} of {topic} in {connection.place}"
        self._where = TopicPartition(topic, partition)
        self._consumer = connection.consumer()
        self._consumer.assign([self._where])

    def bounds(self) -> tuple[int, int]:
        """Give the offset of the first record that is not deleted, and that after the last one.

        Raises:
            StorageError: the partition's leader does not answer.
        """
        from kafka.errors import KafkaError

        try:
            first = self._consumer.beginning_offsets([self._where], timeout_ms=REQUEST_MS)[self._where]
            end = self._consumer.end_offsets([self._where], timeout_ms=REQUEST_MS)[self._where]
        except (KafkaError, KeyError) as error:
            raise StorageError(f"the leader of {self._place} does not answer ({error!r})") from error
        return int(first), int(end)

    def first_since(self, moment: float) -> int | None:
        """Give the offset of the first record of a time, in seconds since 1970, or later; None for none.

        Raises:
            StorageError: the partition's leader does not answer.
        """
        from kafka.errors import KafkaError

        asked = {self._where: int(moment * 1000)}
        try:
            found = self._consumer.offsets_for_times(asked, timeout_ms=REQUEST_MS)[self._where]
        except (KafkaError, KeyError) as error:
            raise StorageError(f"the leader of {self._place} does not answer ({error!r})") from error
        return None if found is None or found.offset < 0 else int(found.offset)

    def records(self, first: int, last: int) -> Iterator[Found]:
        """Yield the records from one offset through another, which must exist, as they stand there.

        A compacted or deleted offset is passed over here and noticed by whoever counts offsets.

        Raises:
            StorageError: nothing came for `STALLED_SECONDS`, or the read failed.
        """
        from kafka.errors import KafkaError

        if last < first:
            return
        self._consumer.seek(self._where, first)
        heard = time.monotonic()
        while True:
            try:
                found = self._consumer.poll(timeout_ms=POLL_MS).get(self._where, ())
            except KafkaError as error:
                raise StorageError(f"{self._place} cannot be read from offset {first} ({error!r})") from error
            for record in found:
                if record.offset > last:
                    return
                yield Found(record.offset, record.key, record.value, _traceparent(record.headers))
            if found:
                heard = time.monotonic()
            if self._consumer.position(self._where) > last:
                return
            if time.monotonic() - heard > STALLED_SECONDS:
                raise StorageError(
                    f"{self._place} has records up to offset {last}, but none came for"
                    f" {STALLED_SECONDS:.0f} s: look at the broker, then start again"
                )

    def values(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Yield offset and value of each record; otherwise as `records`."""
        for found in self.records(first, last):
            yield found.offset, found.value or b""

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()


def _traceparent(headers: Iterable[tuple[str, bytes | None]]) -> str:
    for name, value in headers:
        if name == "traceparent" and value is not None:
            return value.decode("ascii", "replace")
    return ""
