"""A process that owns a shard over the fake broker: the thin shell which the protocol is made for.

It takes one step when it is told to; a process that is not told to is frozen.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.fake_broker import FakeBroker, Request

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.kafka_owner import KafkaOwner
from crowdroute.router.adapters.kafka_position import Position, decode_position
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.adapters.kafka_records import Claim
from crowdroute.router.ports import StoredBatch

SHARD = "shard-0"
LEASE_US = 1000
"""The query lease of the model; its moves let a part or a multiple of it pass."""


@dataclass
class Query:
    """A question that waits for its answer."""

    asked_us: int
    """On the clock of the process."""
    floor: int
    """The newest batch that anybody had heard of when it was asked: the answer must know it."""


class Process:
    """An owner, its request in flight, and those who wait for its answers."""

    def __init__(self, number: int, broker: FakeBroker, section: bytes | None, generation: int) -> None:
        self.number = number
        self.reader = open_reader(broker, section)
        nonce = number.to_bytes(16, "big")
        self.owner = KafkaOwner(self.reader, Claim(SHARD, generation, nonce), query_lease_us=LEASE_US)
        self.queries: list[Query] = []
        self.misled = False
        """Whether the broker lost records that this process has read."""
        self._broker = broker
        self._elections = broker.elections
        self.request: Request | None = broker.send(number, self.owner.claim())

    def clock_us(self, now_us: int) -> int:
        """Read the clock of the machine it runs on, which is a little fast, or slow, or right."""
        return now_us * (100 + (self.number % 3 - 1) * 4) // 100

    def may_append(self, now_us: int) -> bool:
        """Say whether it serves and its last batch is durable."""
        serves_at_us = self.owner.serves_at_us
        return self.owner.idle and serves_at_us is not None and self.clock_us(now_us) >= serves_at_us

    def append(self, body: bytes, now_us: int, *, released: bool) -> None:
        """Send the next batch."""
        assert self.owner.epoch is not None
        batch = StoredBatch(
            self.reader.sequence + 1, self.owner.epoch.offset, chain(self.reader.chain, body), body
        )
        record = self.owner.append(batch, self.clock_us(now_us), released=released)
        self.request = self._broker.send(self.number, record)

    def hear(self, offset: int, now_us: int) -> None:
        """Get the broker's answer to what is in flight."""
        self._look_at_the_connection()
        self.request = None
        self.owner.acknowledged(offset, self.clock_us(now_us))

    def give_up(self) -> None:
        """Run out of patience with what is in flight, or hear of an error."""
        self.request = None
        self.owner.failed("the broker did not answer in time")

    def read(self, limit: int) -> None:
        """Read some of the records that the owner wants."""
        self._look_at_the_connection()
        if self.owner.wanted is None:
            return
        broker = self._broker
        self.owner.bounds(broker.topic_id, broker.log_start, broker.log_end)
        first, last = self.owner.wanted
        first = max(first, broker.log_start)  # as a consumer does that resets to the beginning
        for offset, record in broker.fetch(first, min(limit, max(last + 1 - first, 1))):
            self.owner.arrived(offset, record)

    def answer(self) -> list[Query]:
        """Take out the queries that may be answered now."""
        if self.request is not None or self.owner.wanted is not None:
            return []
        answered = [query for query in self.queries if self.owner.may_answer(query.asked_us)]
        self.queries = [query for query in self.queries if query not in answered]
        return answered

    def _look_at_the_connection(self) -> None:
        if self._elections != self._broker.elections:
            self._elections = self._broker.elections
            self.owner.reconnected()


def open_reader(broker: FakeBroker, section: bytes | None) -> KafkaReader:
    """Make a reader that goes on from a snapshot, or begins at the beginning."""
    position = decode_position(section) if section is not None else Position(broker.topic_id)
    reader = KafkaReader(SHARD, position)
    reader.check_topic(broker.topic_id)
    reader.check_bounds(broker.log_start, broker.log_end)
    return reader
