"""kafka-python's idempotent producer never sends again once a batch expired; the log outlives that."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError
from tests.integration.services.kafka_client import LOG, make_topic
from tests.support.services import Services

from crowdroute.router.adapters import kafka_sender
from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_log import KafkaLog, KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.errors import AppendFailed
from crowdroute.router.ports import StoredBatch

pytestmark = pytest.mark.cluster

EXPIRY_MS = 2_000
"""Delivery timeout of the bare producer: the broker is frozen for longer."""


@contextmanager
def frozen(services: Services) -> Iterator[None]:
    broker = services.pid("kafka-1")
    os.kill(broker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker, signal.SIGCONT)


def test_a_bare_producer_whose_batch_expired_never_sends_again(services: Services) -> None:
    make_topic(services.bootstrap, "wedge", LOG)
    producer = KafkaProducer(
        bootstrap_servers=services.bootstrap, request_timeout_ms=1_000, delivery_timeout_ms=EXPIRY_MS
    )
    try:
        producer.send("wedge", b"before").get(timeout=30)
        with frozen(services), pytest.raises(KafkaTimeoutError, match="has passed since batch creation"):
            producer.send("wedge", b"expires").get(timeout=30)
        with KafkaProducer(bootstrap_servers=services.bootstrap) as another:
            another.send("wedge", b"the broker is well").get(timeout=30)
        with pytest.raises(KafkaTimeoutError):
            producer.send("wedge", b"never").get(timeout=5)
    finally:
        with pytest.raises(KafkaTimeoutError):
            producer.close(timeout=0)
        producer._sender.force_close()  # its thread would spin until the end of the process


async def append(log: KafkaLog, body: bytes) -> None:
    sequence, previous = log.head()
    await log.append(StoredBatch(sequence + 1, log.epoch, chain(previous, body), body), ())


async def test_the_log_ends_instead_and_its_next_owner_appends(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_sender, "DEADLINE_SECONDS", EXPIRY_MS / 1000)
    connection = KafkaConnection(tuple(services.bootstrap))
    place = KafkaPlace(connection, "outlived", 0, 1, Durability.SINGLE_BROKER, tmp_path)
    log = await asyncio.to_thread(open_kafka_log, place, 0, query_lease_us=20_000)
    await append(log, b"before")
    with frozen(services), pytest.raises(AppendFailed, match="nothing was heard"):
        await append(log, b"unknown")
    with pytest.raises(AppendFailed):
        await append(log, b"refused, since nobody knows what became of the one before")
    await asyncio.to_thread(log.close)
    again = await asyncio.to_thread(open_kafka_log, place, 1, query_lease_us=20_000)
    await append(again, b"after")
    bodies = [stored.body for stored in again.read()]
    assert [body for body in bodies if body != b"unknown"] == [b"before", b"after"]
    again.close()
