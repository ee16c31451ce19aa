"""Time of a durable append to a log on Kafka, handed over to acknowledged, beside a bare send.

    python benchmarks/bench_kafka_append.py HOST:PORT [--appends 1000] [--bytes 300]

The broker is that of `make services-up`, which flushes each record. Both go to topics of their own with the
same settings, in turns, one append at a time. The reference is kafka-python alone: `send(...).get()` of the
same bytes with the log's own producer settings. The append does more: it keeps the chain, and the local copy
has the batch when it returns.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np
from broker import add_server, server_of

from crowdroute.router.adapters.codec import assemble, chain
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability, ensure_topics, log_topic
from crowdroute.router.ports import EventLog, StoredBatch

TARGET = 1.3
TURN = 50
"""Appends of one kind before the other has its turn."""


async def appends(log: EventLog, body: bytes, count: int) -> list[float]:
    """Append so many batches, one after the other; give the seconds of each."""
    seconds = []
    for _ in range(count):
        sequence, previous = log.head()
        whole = assemble(sequence + 1, [body])
        began = time.perf_counter()
        batch = StoredBatch(sequence + 1, log.epoch, chain(previous, whole), whole)
        await log.append(batch, ())
        seconds.append(time.perf_counter() - began)
    return seconds


def sends(producer: object, topic: str, body: bytes, count: int) -> list[float]:
    """Send so many records, each once the one before is acknowledged; give the seconds of each."""
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        producer.send(topic, value=body, partition=0).get(timeout=10)  # type: ignore[attr-defined]
        seconds.append(time.perf_counter() - began)
    return seconds


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_server(parser)
    parser.add_argument("--appends", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=300)
    options = parser.parse_args()
    server = server_of(options)
    connection = KafkaConnection((server,))
    name = f"bench-{time.time_ns()}"
    ensure_topics(connection, f"{name}-bare", 1, Durability.SINGLE_BROKER)
    body = bytes(options.bytes)
    with tempfile.TemporaryDirectory() as folder:
        place = KafkaPlace(connection, name, 0, 1, Durability.SINGLE_BROKER, Path(folder) / "kafka")
        log = await asyncio.to_thread(open_kafka_log, place, 0)
        producer = connection.producer()
        rows: dict[str, list[float]] = {"bare send and wait": [], "append": []}
        for measured in (False, True):
            for _ in range(options.appends // TURN if measured else 2):
                turn = {
                    "bare send and wait": sends(producer, log_topic(f"{name}-bare"), body, TURN),
                    "append": await appends(log, body, TURN),
                }
                if measured:
                    for kind, seconds in turn.items():
                        rows[kind] += seconds
        producer.close(timeout=5)
        log.close()
    print(
        f"{options.appends} of {options.bytes} bytes, one at a time{'p50 ms':>14}{'p99 ms':>10}{'ratio':>8}"
    )
    reference = float(np.median(rows["bare send and wait"]))
    for kind, seconds in rows.items():
        p50, p99 = np.percentile(seconds, [50, 99])
        print(f"{kind:<40}{p50 * 1e3:14.2f}{p99 * 1e3:10.2f}{p50 / reference:8.2f}")
    print(f"target for the append: {TARGET}")


if __name__ == "__main__":
    asyncio.run(main())
