"""CPU time of taking a task in from Kafka, beside a bare consumer that parses the same JSON.

    python benchmarks/bench_ingest.py HOST:PORT [--tasks 20000] [--rounds 3]

The broker is that of `make services-up`; its own CPU is apart. A topic is filled with tasks of one short
text. The feed reads them as `crowdroute serve` does, into an engine on disk, until all are durable; snapshots
are off. The reference is a kafka-python consumer that polls the same records and parses them with msgspec.
Both are this process's CPU time, all threads together, in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
from broker import add_server, server_of

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.commands.organisation import CreateOrganisation
from crowdroute.router.commands.project import CreateProject
from crowdroute.router.feeds.feeding import fed
from crowdroute.router.feeds.standing import FeedStanding
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.rules import Field, Label, Overlap, ProjectRules
from crowdroute.router.runtime.opening import opened_group
from crowdroute.router.runtime.settings import FeedSettings, Settings

TARGET_US = 100.0
PATIENCE_SECONDS = 300.0
TENANT, PROJECT = "default", bytes(15) + b"\1"


def fill(connection: KafkaConnection, topic: str, count: int) -> None:
    """Write so many tasks."""
    producer = connection.producer()
    for number in range(count):
        task = {
            "project": "birds",
            "external_id": f"photo-{number}",
            "content": {"text": f"A bird with a long tail on branch {number}."},
            "batch": "spring",
        }
        producer.send(topic, value=msgspec.json.encode(task), partition=0)
    producer.flush(timeout=60)
    producer.close(timeout=10)


def bare(connection: KafkaConnection, topic: str, count: int) -> float:
    """Poll and parse all records; give the seconds of CPU."""
    from kafka import TopicPartition

    consumer, where = connection.consumer(), TopicPartition(topic, 0)
    consumer.assign([where])
    consumer.seek(where, 0)
    began, seen = time.process_time(), 0
    while seen < count:
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                seen += bool(msgspec.json.decode(record.value)["external_id"])
    taken = time.process_time() - began
    consumer.close()
    return taken


async def feed(server: str, name: str, count: int) -> float:
    """Take all records in; give the seconds of CPU."""
    with tempfile.TemporaryDirectory() as folder:
        feeds = FeedSettings(servers=[server], name=name, durability="single-broker", out=[])
        settings = Settings(directory=Path(folder) / "log", snapshots=False, feeds=feeds, tenant=TENANT)
        async with opened_group(settings) as group:
            engine = group.engines[0]
            rules = ProjectRules(1, (Field("label", (Label("owl"), Label("robin"))),), overlap=Overlap(3, 3))
            await engine.submit(engine.request(organisation_stream(TENANT), CreateOrganisation(TENANT)))
            wish = CreateProject(PROJECT, "birds", rules)
            await engine.submit(engine.request(project_stream(TENANT, PROJECT), wish))
            standing = FeedStanding()
            began = time.process_time()
            async with fed(settings, group, standing) as feeding, asyncio.timeout(PATIENCE_SECONDS):
                while engine.shard.input_position(f"{name}.tasks", 0) < count and not feeding.done():
                    await asyncio.sleep(0.01)
            taken = time.process_time() - began
            assert engine.project(TENANT, PROJECT).tasks.count == count
        return taken


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_server(parser)
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    server = server_of(options)
    connection = KafkaConnection((server,))
    name = f"bench-{time.time_ns()}"
    from kafka.admin import KafkaAdminClient

    admin: KafkaAdminClient = connection.admin()
    admin.create_topics({f"{name}.tasks": {"num_partitions": 1}}, wait_for_metadata=True)
    admin.close()
    await asyncio.to_thread(fill, connection, f"{name}.tasks", options.tasks)
    rows: dict[str, list[float]] = {"bare consumer, msgspec": [], "into the engine": []}
    for measured in range(options.rounds + 1):
        seconds = {
            "bare consumer, msgspec": await asyncio.to_thread(
                bare, connection, f"{name}.tasks", options.tasks
            ),
            "into the engine": await feed(server, name, options.tasks),
        }
        if measured:  # the first round warms up
            for kind, taken in seconds.items():
                rows[kind].append(taken / options.tasks * 1e6)
    print(f"{options.tasks} tasks, {options.rounds} rounds{'µs CPU per task':>24}{'best':>8}{'ratio':>8}")
    reference = float(np.median(rows["bare consumer, msgspec"]))
    for kind, each in rows.items():
        print(f"{kind:<32}{np.median(each):20.1f}{min(each):8.1f}{np.median(each) / reference:8.2f}")
    print(f"target: {TARGET_US:.0f}")


if __name__ == "__main__":
    asyncio.run(main())
