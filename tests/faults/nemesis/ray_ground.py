"""Two actors on the nodes of a Ray cluster, with their log on Kafka and a door before them."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.faults.kafka_store import read_topic
from tests.faults.nemesis.door import Door
from tests.support.ray_nodes import Cluster, Network, cluster_settings

from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.settings import KafkaLogSettings

SHARDS = 2
ACTORS = 2
PORT = 7070
"""Of actor-0; actor-1 has the next."""
PATIENCE_S = 90.0
"""Longest wait until a cluster that something befell is as wanted: Ray takes its time to call a node dead."""
LATER = 1_000_000
"""A generation above all that a cluster comes to."""


class RayGround:
    """A cluster, its nodes, and the door before it."""

    def __init__(self, network: Network, kafka: KafkaLogSettings) -> None:
        """Prepare.

        Args:
            network: of Ray nodes that run; the last may die, the second is where the cluster is asked from.
            kafka: where the log is; it has been begun.
        """
        self.network = network
        self.kafka = kafka
        ports = range(PORT, PORT + ACTORS)
        self.door = Door([(node.address, port) for node in network.nodes[1:] for port in ports])
        self.cluster: Cluster

    @property
    def address(self) -> str:
        """Where the door is: whichever actor is behind it forwards what it does not serve."""
        return self.door.network.address

    @property
    def operated_at(self) -> str:
        """The same."""
        return self.address

    async def start(self) -> None:
        """Start the cluster on all nodes but the head."""
        await asyncio.to_thread(self._start)
        await self.door.open()

    def _start(self) -> None:
        settings = {
            **cluster_settings(self.network, SHARDS, PORT),
            "directory": str(self.network.disk / "shards"),
            "kafka": self.kafka.model_dump(mode="json"),
        }
        self.cluster = Cluster(self.network, self.network.nodes[1], settings)
        self.cluster.begin(SHARDS, ACTORS)

    async def wait(self, work: asyncio.Task[None]) -> None:
        """Wait for work; whatever ends meanwhile is the supervisor's to start again."""
        await work

    async def rest(self, after: int = 0) -> dict[str, Any]:
        """Wait until everything is as wanted, by a placement later than a generation."""
        return await asyncio.to_thread(self.cluster.rest, after, PATIENCE_S)

    async def served(self, after: int) -> None:
        """Wait until every shard is served, by a placement later than a generation."""
        await asyncio.to_thread(self.cluster.served, after, PATIENCE_S)

    async def stop(self) -> None:
        """Hand every shard back, and end the actors."""
        await asyncio.to_thread(self.cluster.do, "Want", shards=SHARDS, actors=0)

    async def close(self) -> None:
        """Leave no connection behind; the network ends the processes."""
        await self.door.close()
        self.cluster.close()

    def history(self) -> list[StoredBatch]:
        """Read the topic from its beginning, as another node would."""
        return read_topic(self.kafka, self.network.folder / "reader", LATER)
