"""The feeds of a cluster's actors over a real broker, while shards move from one to the other."""

from __future__ import annotations

import asyncio
import contextlib
import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.operations import RULES
from tests.support.services import Services

from crowdroute.api.v1 import projects_pb2, workers_pb2
from crowdroute.client import AsyncClient, Connection
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.cli import cluster_process
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.rpc.group.hosting import GroupHosting
from crowdroute.router.runtime.cluster.hosting import Place
from crowdroute.router.runtime.settings import FeedSettings, PeerSettings, Settings

pytestmark = pytest.mark.cluster

HERE = "127.0.0.1"
PATIENCE_SECONDS = 60.0
PORTION = 60
PROJECTS = ("cats", "dogs")


def produce(server: str, topic: str, portion: int) -> None:
    """Write a portion of records, in turn for each project."""
    from kafka import KafkaProducer

    with closing(KafkaProducer(bootstrap_servers=[server])) as producer:
        for number in range(portion * PORTION, (portion + 1) * PORTION):
            told = {
                "project": PROJECTS[number % 2],
                "external_id": f"e{number}",
                "content": {"text": f"cat {number}"},
            }
            producer.send(topic, json.dumps(told).encode())
        producer.flush()


def put_out(server: str, topic: str) -> list[str]:
    """Give the ids that stand in a topic."""
    with closing(KafkaPartition(KafkaConnection((server,)), topic, 0)) as partition:
        first, end = partition.bounds()
        return [json.loads(found.value or b"{}")["id"] for found in partition.records(first, end - 1)]


async def test_feeds_follow_their_shards_from_actor_to_actor(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = services.bootstrap[0]
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef" * 4)
    feeds = FeedSettings(servers=[server], name="moved", durability="single-broker", out=["workers"])
    settings = Settings(
        directory=tmp_path,
        address=f"{HERE}:0",
        shards=2,
        snapshots=False,
        grace_seconds=0,
        peers=PeerSettings(address=f"{HERE}:0", secret_file=secret),
        feeds=feeds,
    )
    monkeypatch.setattr(cluster_process, "write_log", lambda _level: None)

    async with contextlib.AsyncExitStack() as stack:
        monkeypatch.setattr(cluster_process, "_for_ever", stack)

        async def actor(number: int) -> GroupHosting:
            raw = settings.model_dump_json().encode()
            hosting = await cluster_process.host(raw, Place(f"actor-{number}", HERE))
            stack.push_async_callback(hosting.close)
            return hosting

        async def open_tasks(least: int) -> int:
            token = (tmp_path / "admin.token").read_text().strip()
            async with (
                AsyncClient(Connection(one.at.public, token)) as client,
                asyncio.timeout(PATIENCE_SECONDS),
            ):
                while True:
                    told = [
                        await client.operations.GetStats(projects_pb2.GetStatsRequest(project_id=each))
                        for each in projects
                    ]
                    if (found := sum(stats.tasks_open for stats in told)) >= least:
                        return found
                    await asyncio.sleep(0.05)

        async def hire(name: str) -> None:
            token = (tmp_path / "admin.token").read_text().strip()
            async with AsyncClient(Connection(one.at.public, token)) as client:
                await client.operations.UpsertWorker(workers_pb2.UpsertWorkerRequest(external_id=name))

        one, other = await actor(0), await actor(1)
        for each in (one, other):
            each.know(1, {0: one.at, 1: other.at})
        await one.open(0, 1)
        await other.open(1, 1)
        projects = []
        token = (tmp_path / "admin.token").read_text().strip()
        async with AsyncClient(Connection(one.at.public, token)) as client:
            for name in PROJECTS:
                wish = projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES)
                projects.append((await client.operations.CreateProject(wish)).id)
        await asyncio.to_thread(produce, server, feeds.topic("tasks"), 0)
        assert await open_tasks(PORTION) == PORTION  # from one to the other
        await hire("ann")

        for each in (one, other):  # they change places
            each.know(2, {0: other.at, 1: one.at})
        await one.release(0)
        await other.release(1)
        await other.open(0, 2)
        await one.open(1, 2)
        await asyncio.to_thread(produce, server, feeds.topic("tasks"), 1)
        assert await open_tasks(2 * PORTION) == 2 * PORTION
        await hire("bob")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(ids := await asyncio.to_thread(put_out, server, feeds.topic("workers"))) < 2:
                await asyncio.sleep(0.1)
        assert len(set(ids)) == len(ids) == 2  # an orderly move repeats nothing that was noted

        cluster_process._end_with(other, _failed_feed())
        assert isinstance(other.failed.result(), ConfigurationError)


def _failed_feed() -> asyncio.Future[None]:
    """Give feeds that can never go on."""
    feeding: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    feeding.set_exception(ConfigurationError("the topic was made anew"))
    return feeding
