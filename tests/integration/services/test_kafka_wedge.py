"""kafka-python's idempotent producer never sends again once a batch expired; the log outlives that."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.services import Services

from crowdroute.router.adapters import kafka_sender
from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.errors import AppendFailed
from crowdroute.router.ports import StoredBatch

pytestmark = pytest.mark.cluster

EXPIRY_SECONDS = 2.0
"""What is given to a record; the broker is frozen for longer."""

BARE_PRODUCER = f"""
import os, signal, sys
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError

server, broker = sys.argv[1], int(sys.argv[2])

def sent(producer, value, seconds):
    try:
        producer.send("wedge", value).get(timeout=seconds)
        return "sent"
    except KafkaTimeoutError:
        return "timed out"

producer = KafkaProducer(
    bootstrap_servers=server, request_timeout_ms=1000, delivery_timeout_ms={EXPIRY_SECONDS * 1000}
)
print("before:", sent(producer, b"before", 30))
os.kill(broker, signal.SIGSTOP)
print("frozen:", sent(producer, b"expires", 30))
os.kill(broker, signal.SIGCONT)
print("another:", sent(KafkaProducer(bootstrap_servers=server), b"the broker is well", 30))
print("the same:", sent(producer, b"never", 5), flush=True)
os._exit(0)  # the producer's thread spins, and closing it would wait
"""


@contextmanager
def frozen(services: Services) -> Iterator[None]:
    broker = services.pid("kafka-1")
    os.kill(broker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker, signal.SIGCONT)


def test_a_bare_producer_whose_batch_expired_never_sends_again(services: Services) -> None:
    from tests.integration.services.kafka_client import LOG, make_topic

    make_topic(services.bootstrap, "wedge", LOG)
    broker = services.pid("kafka-1")
    try:
        ran = subprocess.run(
            [sys.executable, "-c", BARE_PRODUCER, services.bootstrap[0], str(broker)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        os.kill(broker, signal.SIGCONT)
    assert ran.stdout.splitlines() == [
        "before: sent",
        "frozen: timed out",
        "another: sent",
        "the same: timed out",
    ], ran.stderr


async def append(log: KafkaLog, body: bytes) -> None:
    sequence, previous = log.head()
    await log.append(StoredBatch(sequence + 1, log.epoch, chain(previous, body), body), ())


async def test_the_log_ends_instead_and_its_next_owner_appends(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_sender, "DEADLINE_SECONDS", EXPIRY_SECONDS)
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
