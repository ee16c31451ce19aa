"""A whole cluster: actors on Ray, a log and feeds on three brokers, a directory in Redis, and a door."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Any

from tests.faults.kafka_store import read_topic
from tests.faults.nemesis.door import Door
from tests.faults.nemesis.feeding import Feeding
from tests.faults.nemesis.proxy import Proxy
from tests.faults.nemesis.stock import Source
from tests.faults.store import History
from tests.support.ray_cluster import Cluster, cluster_settings
from tests.support.ray_nodes import Network, until
from tests.support.redis_server import RedisServer
from tests.support.services import Services

from crowdroute.router.adapters.kafka_opening import KafkaPlace
from crowdroute.router.adapters.kafka_topics import log_topic
from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.runtime.clustered import connection_to, place_on_kafka
from crowdroute.router.runtime.settings import FeedSettings, KafkaLogSettings, RedisSettings

NAME = "nemesis"
NODES = 3
"""Of Ray, each with an address of its own: a head, and two for the actors."""
BROKERS = 3
SHARDS = 2
ACTORS = 2
PORT = 7070
"""Of actor-0; actor-1 has the next."""
PATIENCE_S = 90.0
"""Longest wait until a cluster that something befell is as wanted: Ray takes its time to call a node dead."""
LATER = 1_000_000
"""A generation above all that a cluster comes to."""


class ClusterGround:
    """A cluster, what it stands on, and the door before it."""

    def __init__(self, network: Network, services: Services, redis: RedisServer) -> None:
        """Prepare.

        Args:
            network: of Ray nodes that run; the last may die, the second is where the cluster is asked from.
            services: of three brokers, which the nodes reach.
            redis: for the directory, which the nodes reach.
        """
        self.network = network
        self.services = services
        self.redis = redis
        self.kafka = KafkaLogSettings(servers=services.bootstrap, name=NAME)
        self._feeds = FeedSettings(servers=services.bootstrap, name=NAME, out=["results"])
        self._feeding = Feeding(self._feeds)
        ports = range(PORT, PORT + ACTORS)
        self._door = Door([(node.address, port) for node in network.nodes[1:] for port in ports])
        self.cluster: Cluster

    @property
    def proxy(self) -> Proxy:
        """The door's: whichever actor is behind it forwards what it does not serve."""
        return self._door.proxy

    @property
    def address(self) -> str:
        """Where the door is."""
        return self.proxy.address

    @property
    def operated_at(self) -> str:
        """The same."""
        return self.address

    async def start(self) -> None:
        """Start the cluster on all nodes but the head."""
        await asyncio.to_thread(self._start)
        await self._door.open()

    def _start(self) -> None:
        settings = {
            **cluster_settings(self.network, SHARDS, PORT),
            "directory": str(self.network.disk / "shards"),
            "kafka": self.kafka.model_dump(mode="json"),
            "feeds": self._feeds.model_dump(mode="json"),
            "redis": {"server": self.redis.server},
        }
        self.cluster = Cluster(self.network, self.network.nodes[1], settings)
        self.cluster.begin(SHARDS, ACTORS)

    def sources(self, project: str) -> Sequence[Source]:
        """Records in the topic of tasks."""
        return (partial(self._feeding.bring, project),)

    async def wait(self, work: asyncio.Task[None]) -> None:
        """Wait for work; whatever ends meanwhile is the supervisor's to start again."""
        await work

    async def rest(self, after: int = 0) -> dict[str, Any]:
        """Wait until everything is as wanted, by a placement later than a generation."""
        return await asyncio.to_thread(self.cluster.rest, after, PATIENCE_S)

    async def served(self, after: int) -> None:
        """Wait until every shard is served, by a placement later than a generation."""
        await asyncio.to_thread(self.cluster.served, after, PATIENCE_S)

    async def leader(self, shard: int) -> int:
        """Give the broker that leads the partition of a shard."""
        partitions = await asyncio.to_thread(self._partitions, [log_topic(NAME)])
        return next(one["leader_id"] for one in partitions if one["partition_index"] == shard)

    async def in_sync(self) -> None:
        """Wait until every partition has all its replicas again."""

        def look() -> bool:
            return all(len(one["isr_nodes"]) == BROKERS for one in self._partitions(None))

        await asyncio.to_thread(until, "every replica is in sync", look, PATIENCE_S)

    def _partitions(self, topics: list[str] | None) -> list[dict[str, Any]]:
        with closing(connection_to(self.kafka).admin()) as admin:
            told = admin.describe_topics(topics)
        return [dict(partition) for topic in told for partition in topic["partitions"]]

    async def rows_are_kept(self) -> bool:
        """Say whether everything that actors keep in Redis is there."""
        settings = RedisSettings(server=self.redis.server)
        directory = RedisDirectory(RedisConnection(settings.server), settings.namespace)
        try:
            found = {one.name for one in await directory.keyspaces() if one.state == "present"}
        finally:
            await directory.close()
        of_shards = {f"{kind}/{shard}" for kind in ("shards", "work") for shard in range(SHARDS)}
        return found == of_shards | {"profiles/default", "placement/default"}

    async def untold(self, results: int) -> int:
        """Wait until so many tasks have a result in the topic of results; give how many have none."""
        return await self._feeding.untold(results, PATIENCE_S)

    async def stop(self) -> None:
        """Hand every shard back, and end the actors."""
        await asyncio.to_thread(self.cluster.do, "Want", shards=SHARDS, actors=0)

    async def close(self) -> None:
        """Leave no connection behind; the network ends the processes."""
        await self._door.close()
        self.cluster.close()

    def place(self, copy: str, shard: int) -> KafkaPlace:
        """Give a shard for somebody with a copy of their own."""
        return place_on_kafka(self.kafka, self.network.folder / copy, shard, SHARDS)

    def history(self, shard: int) -> History:
        """Read the topic from its beginning, as another node would."""
        return read_topic(self.place("reader", shard), LATER)
