"""A crowd at each shard of a cluster on Ray, and imports, while its only broker is frozen: what they are
told, what it costs the actors in memory, and when each shard goes on.

The cluster is left to itself: Ray starts what ends, the supervisor gives shards out, actors open them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

from tests.checker import Report
from tests.checker.project import KnownFacts
from tests.faults.annotators import Crowd
from tests.faults.journal import START, Journal, Line
from tests.faults.kafka_frozen import (
    ANSWERS,
    IMPORT_ITEMS,
    ITEM_BYTES,
    UNDER_WAY_S,
    Phase,
    importing,
    weighed,
)
from tests.faults.kafka_store import read_topic
from tests.faults.nemesis import brokers
from tests.faults.nemesis.report import merged
from tests.faults.scene import Scene, prepare_shards
from tests.faults.verdict import judge
from tests.support.ray_cluster import Cluster, cluster_settings
from tests.support.ray_nodes import Network, ray_nodes
from tests.support.services import Services

from crowdroute.router.runtime.clustered import place_on_kafka
from crowdroute.router.runtime.settings import FeedSettings, KafkaLogSettings

NAME = "frozen"
NODES = 2
"""Of Ray: a head, and one for the actors."""
SHARDS = ACTORS = 2
PORT = 7070
"""Of the first actor; the second has the next."""
ACTOR = b"ray::ActorProcess"
"""How the process of an actor names itself."""

ANNOTATORS, TASKS = 24, 5_000
"""People in all, and tasks of each shard: more than they do while a cluster is waited for."""
PATIENCE_S = 120.0
"""Longest wait for anything; a machine that everything shares is slow."""
IMPORT_MIB = IMPORT_ITEMS * ITEM_BYTES / 2**20
"""What is in each import."""
LATER = 1_000_000
"""A generation above all that a cluster comes to."""


class FrozenCluster(NamedTuple):
    """What came of a freeze."""

    seconds: float
    """For which the broker was frozen."""
    told: int
    """Grants and receipts of annotators, and imports, that were acknowledged meanwhile."""
    refused: Counter[str]
    """Codes that importers got meanwhile."""
    memory: dict[Phase, float]
    """Most MiB resident in the process of any actor."""
    back_s: dict[int, float]
    """By shard: from the end of the freeze to the next receipt."""
    served_s: float
    """From the end of the freeze until the supervisor saw every shard served."""


class Verdict(NamedTuple):
    """What came of everything."""

    answers: int
    """Receipts in all."""
    errors: list[BaseException]
    """Of annotators."""
    broken: Report
    told_otherwise: Report


class CrowdedCluster:
    """A cluster with a crowd at work in each shard."""

    def __init__(self, network: Network, services: Services, cluster: Cluster, scenes: list[Scene]) -> None:
        """Let everybody begin to work; inside the event loop.

        Args:
            network: of the cluster's nodes.
            services: with one broker that nobody else uses.
            cluster: serving.
            scenes: one in each shard, that in the organisation's first.
        """
        self._node = network.nodes[1]
        self._folder = network.folder
        self._services = services
        self._cluster = cluster
        self._scenes = scenes
        self._journals = [Journal(network.folder / f"journal-{scene.shard}") for scene in scenes]
        self._crowds = []
        for scene, journal in zip(scenes, self._journals, strict=True):
            journal.note(Line(START))
            self._crowds.append(Crowd(scene, self._at(scene), journal))

    def _at(self, scene: Scene) -> str:
        """Give each scene a door of its own; behind either, calls find their way."""
        return f"{self._node.address}:{PORT + scene.shard}"

    async def killed(self) -> dict[int, float]:
        """Kill all actors at once while the broker is well; gives the seconds until the next receipt of
        each shard."""
        await self._work(ANSWERS)
        before = await self._generation()
        for pid in self._actors():
            os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        await asyncio.sleep(UNDER_WAY_S)
        async with asyncio.timeout(PATIENCE_S):
            back_s = await self._back(killed)
        await asyncio.to_thread(self._cluster.rest, before, PATIENCE_S)
        return back_s

    async def frozen(self, seconds: float) -> FrozenCluster:
        """Freeze the broker for so many seconds, with imports meanwhile, and see every shard go on."""
        memory: dict[Phase, float] = {}
        refused: Counter[str] = Counter()
        async with weighed(self._actors, Phase.BEFORE, memory):
            await self._work(ANSWERS)
        before = await self._generation()
        broker = brokers.pid(self._services, brokers.ONLY)
        os.kill(broker, signal.SIGSTOP)
        try:
            await asyncio.sleep(UNDER_WAY_S)
            known = self._told()
            async with contextlib.AsyncExitStack() as meanwhile:
                await meanwhile.enter_async_context(weighed(self._actors, Phase.FROZEN, memory))
                for scene in self._scenes:
                    await meanwhile.enter_async_context(importing(scene, self._at(scene), refused))
                await asyncio.sleep(seconds - UNDER_WAY_S)
            told = self._told() - known + refused.pop("", 0)
        finally:
            os.kill(broker, signal.SIGCONT)
        thawed = time.monotonic()
        async with asyncio.timeout(PATIENCE_S):
            back_s, served_s = await asyncio.gather(self._back(thawed), self._served(before, thawed))
        async with weighed(self._actors, Phase.AFTER, memory):
            await self._work(ANSWERS)
        return FrozenCluster(seconds, told, refused, memory, back_s, served_s)

    async def judged(self) -> Verdict:
        """Let everybody finish, end the cluster in order, and judge its logs."""
        errors = [error for crowd in self._crowds for error in await crowd.stop()]
        await asyncio.to_thread(self._cluster.do, "Want", shards=SHARDS, actors=0)
        facts: KnownFacts = {}
        judged = []
        for scene, journal in zip(self._scenes, self._journals, strict=True):
            place = place_on_kafka(kafka_of(self._services), self._folder / "reader", scene.shard, SHARDS)
            history = await asyncio.to_thread(read_topic, place, LATER)
            judged.append(judge(history.batches, scene.stream, journal.close(), facts))
        answers = sum(journal.answers for journal in self._journals)
        broken, told_otherwise = (merged(reports) for reports in zip(*judged, strict=True))
        return Verdict(answers, errors, broken, told_otherwise)

    async def _generation(self) -> int:
        seen = await asyncio.to_thread(self._cluster.ask, "Show")
        return int(seen["generation"])

    def _told(self) -> int:
        return sum(journal.lines for journal in self._journals)

    def _actors(self) -> list[int]:
        """Give the processes of the actors that there are at this moment."""
        found = []
        for pid in self._node.pids():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(ACTOR):
                    found.append(pid)
        return found

    async def _work(self, answers: int) -> None:
        """Wait for so many more receipts in each shard."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(crowd.answers(answers) for crowd in self._crowds))

    async def _back(self, since: float) -> dict[int, float]:
        """Give the seconds from a moment to the next receipt, by shard."""

        async def back(crowd: Crowd) -> float:
            await crowd.answers(1)
            return time.monotonic() - since

        waited = await asyncio.gather(*map(back, self._crowds))
        return {scene.shard: seconds for scene, seconds in zip(self._scenes, waited, strict=True)}

    async def _served(self, after: int, since: float) -> float:
        await asyncio.to_thread(self._cluster.served, after, PATIENCE_S)
        return time.monotonic() - since


def kafka_of(services: Services) -> KafkaLogSettings:
    """Give the settings of the cluster's log."""
    return KafkaLogSettings(servers=services.bootstrap, name=NAME, durability="single-broker")


@contextlib.asynccontextmanager
async def crowded_cluster(folder: Path) -> AsyncIterator[CrowdedCluster]:
    """Have a cluster of two actors serve two shards, with feeds, on a broker of its own, as long as the block
    lasts.

    Args:
        folder: an empty folder for everything.
    """
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(ray_nodes(folder, NODES))
        services = Services(folder / "services", host=network.outside)
        stack.callback(services.down)
        await asyncio.to_thread(services.up)
        kafka = kafka_of(services)
        scenes = await prepare_shards(folder / "prepared", SHARDS, ANNOTATORS, TASKS, kafka)
        feeds = FeedSettings(servers=kafka.servers, name=NAME, durability=kafka.durability, out=["results"])
        settings = {
            **cluster_settings(network, SHARDS, PORT),
            "directory": str(network.disk / "shards"),
            "kafka": kafka.model_dump(mode="json"),
            "feeds": feeds.model_dump(mode="json"),
        }
        cluster = Cluster(network, network.nodes[1], settings)
        stack.callback(cluster.close)
        await asyncio.to_thread(cluster.begin, SHARDS, ACTORS)
        yield CrowdedCluster(network, services, cluster, scenes)
