"""What happens to the actors of a cluster, to its supervisor, and to the nodes of Ray."""

from __future__ import annotations

import asyncio
import random
import resource
import signal
from functools import partial
from typing import Any

from tests.faults.nemesis.cluster_ground import PATIENCE_S, SHARDS, ClusterGround
from tests.faults.nemesis.engine_faults import DISK_ROOM
from tests.faults.nemesis.ground import Fault
from tests.support.ray_nodes import Network, Node, until

from crowdroute.router.adapters.kafka_opening import open_kafka_log

HEADLESS_S = (0.5, 4.0)
"""Shortest and longest time without a head."""
UNLED_S = (1.0, 9.0)
"""Shortest and longest time without a supervisor that does anything: after the longest an actor leads."""
AHEAD = 3
"""Generations by which a stranger is ahead of the cluster: it must find its way above."""
RAYLET = "raylet/raylet"
SUPERVISOR = "ray::SupervisorProcess"


class _Owner:
    """The actor that serves a shard."""

    def __init__(self, ground: ClusterGround, seen: dict[str, Any], chance: random.Random) -> None:
        self.shard = chance.randrange(SHARDS)
        one = next(actor for actor in seen["actors"] if self.shard in actor["shards"])
        self.node: Node = ground.network.node_at(one["address"])
        self.pid: int = one["pid"]

    def send(self, number: signal.Signals) -> None:
        self.node.signal(self.pid, number)

    def limit_files(self, size: int) -> None:
        resource.prlimit(self.node.outside(self.pid), resource.RLIMIT_FSIZE, (size, size))

    def is_gone(self) -> bool:
        return self.pid not in self.node.pids().values()


async def _actor_killed(ground: ClusterGround, chance: random.Random) -> None:
    seen = await ground.rest()
    _Owner(ground, seen, chance).send(signal.SIGKILL)
    await ground.rest(seen["generation"])


async def _actor_frozen(ground: ClusterGround, chance: random.Random) -> None:
    seen = await ground.rest()
    _Owner(ground, seen, chance).send(signal.SIGSTOP)
    await ground.rest(seen["generation"])


async def _actor_wakes_when_its_shard_has_moved(ground: ClusterGround, chance: random.Random) -> None:
    """Nobody can end the frozen actor, because what would end it on its node is frozen, too."""
    seen = await ground.rest()
    owner = _Owner(ground, seen, chance)
    (raylet,) = owner.node.running(RAYLET)
    owner.node.signal(raylet, signal.SIGSTOP)
    owner.send(signal.SIGSTOP)
    await ground.served(seen["generation"])
    owner.send(signal.SIGCONT)
    await asyncio.to_thread(until, "the old owner has ended", owner.is_gone)
    owner.node.signal(raylet, signal.SIGCONT)
    await _mended(ground, owner.node)


async def _shard_taken_by_a_stranger(ground: ClusterGround, chance: random.Random) -> None:
    """A process that no supervisor sent claims the shard: its owner must go at its next append."""
    seen = await ground.rest()
    owner = _Owner(ground, seen, chance)
    generation = seen["generation"] + AHEAD
    await asyncio.to_thread(_claim, ground, owner.shard, generation)
    await asyncio.to_thread(until, "the owner has ended", owner.is_gone)
    assert '"code": "FENCED"' in owner.node.words(owner.pid), owner.node.words(owner.pid)
    await ground.rest(generation)


def _claim(ground: ClusterGround, shard: int, generation: int) -> None:
    open_kafka_log(ground.place(f"stranger-{generation}", shard), generation).close()


async def _disk_full(ground: ClusterGround, chance: random.Random) -> None:
    """No file of the actor may grow: neither its copy of the log, nor what it says."""
    seen = await ground.rest()
    owner = _Owner(ground, seen, chance)
    owner.limit_files(chance.randrange(*DISK_ROOM))
    await asyncio.to_thread(until, "the actor has ended", owner.is_gone, PATIENCE_S)
    await ground.rest(seen["generation"])


async def _supervisor_killed(ground: ClusterGround, chance: random.Random) -> None:
    await ground.rest()
    _to_supervisor(ground, signal.SIGKILL)
    await ground.rest()


async def _actor_killed_while_nobody_leads(ground: ClusterGround, chance: random.Random) -> None:
    """Ray starts the actor again; it waits for a grant until somebody leads."""
    seen = await ground.rest()
    _to_supervisor(ground, signal.SIGSTOP)
    _Owner(ground, seen, chance).send(signal.SIGKILL)
    await asyncio.sleep(chance.uniform(*UNLED_S))
    _to_supervisor(ground, signal.SIGCONT)
    await ground.rest(seen["generation"])


def _to_supervisor(ground: ClusterGround, number: signal.Signals) -> None:
    for node in ground.network.nodes:
        for pid in node.running(SUPERVISOR):
            node.signal(pid, number)


async def _head_killed(ground: ClusterGround, chance: random.Random) -> None:
    await ground.rest()
    network = ground.network
    await asyncio.to_thread(network.head.kill)
    await asyncio.sleep(chance.uniform(*HEADLESS_S))
    await asyncio.to_thread(until, "Ray's head runs again", partial(_heads, network), PATIENCE_S)
    await ground.rest()


def _heads(network: Network) -> bool:
    """Say whether the head runs; started until it does: Ray's start gives up on a machine that is busy."""
    if network.head.has_ended():
        network.start_head()
    return network.head.runs()


async def _node_killed(ground: ClusterGround, chance: random.Random) -> None:
    seen = await ground.rest()
    node = ground.network.nodes[-1]
    await asyncio.to_thread(node.kill)
    await ground.served(seen["generation"])
    await _mended(ground, node)


async def _node_cut_off(ground: ClusterGround, chance: random.Random) -> None:
    seen = await ground.rest()
    node = ground.network.nodes[-1]
    node.cut()
    await ground.served(seen["generation"])
    node.mend()
    await _mended(ground, node)


async def _mended(ground: ClusterGround, node: Node) -> None:
    """Start a node again whose Ray has ended, if it has, and wait until it has an actor again.

    The Ray of a node that was called dead meanwhile ends when it hears of that, which may be later.
    """

    def look() -> bool:
        if node.has_ended():
            node.start(f"--address={ground.network.address}")
        seen = ground.cluster.ask("Show")
        at = [actor["address"].partition(":")[0] for actor in seen.get("actors", ())]
        return bool(seen.get("resting")) and node.address in at

    await asyncio.to_thread(until, f"{node.address} has an actor again", look, PATIENCE_S)


FAULTS = (
    Fault("actor killed", _actor_killed),
    Fault("actor frozen", _actor_frozen),
    Fault("actor wakes when its shard has moved", _actor_wakes_when_its_shard_has_moved),
    Fault("shard taken by a stranger", _shard_taken_by_a_stranger),
    Fault("actor's disk full", _disk_full),
    Fault("supervisor killed", _supervisor_killed),
    Fault("actor killed, supervisor frozen", _actor_killed_while_nobody_leads),
    Fault("Ray's head killed", _head_killed),
    Fault("node killed", _node_killed),
    Fault("node cut off", _node_cut_off),
)
