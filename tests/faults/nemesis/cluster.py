"""The nemesis against everything that a cluster consists of."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.faults.nemesis import broker_faults, network_faults, ray_faults, redis_faults
from tests.faults.nemesis.campaign import ANNOTATORS, Say, Wanted, let_loose
from tests.faults.nemesis.cluster_ground import BROKERS, NODES, SHARDS, ClusterGround
from tests.faults.nemesis.ground import Fault
from tests.faults.nemesis.report import Account
from tests.faults.nemesis.stock import LEAST
from tests.faults.scene import prepare_shards
from tests.support.ray_nodes import ray_nodes
from tests.support.redis_server import redis_server
from tests.support.services import Services

FAULTS: tuple[Fault[ClusterGround], ...] = (
    *ray_faults.FAULTS,
    *broker_faults.FAULTS,
    *redis_faults.FAULTS,
    *network_faults.FAULTS,
)
"""Every kind there is."""


async def campaign_on_cluster(folder: Path, seed: int, lasting_s: float, say: Say) -> Account:
    """Start a cluster, let the nemesis loose on it, and end it; each kind of fault comes once at least.

    Args:
        folder: an empty folder for everything.
        seed: decides which fault comes when, and how.
        lasting_s: how long the nemesis goes on at least.
        say: told of each fault when it is over.
    """
    with contextlib.ExitStack() as stack:
        network = stack.enter_context(ray_nodes(folder, NODES))
        services = Services(folder / "services", {"BROKERS": str(BROKERS)}, host=network.outside)
        stack.callback(services.down)
        services.up()
        (folder / "redis").mkdir()
        # Nobody else reaches the address, which is that of the nodes' own bridge.
        redis = stack.enter_context(
            redis_server(folder / "redis", "--protected-mode", "no", host=network.outside)
        )
        ground = ClusterGround(network, services, redis)
        scenes = await prepare_shards(folder / "prepared", SHARDS, ANNOTATORS, LEAST, ground.kafka)
        wanted = Wanted(len(FAULTS), lasting_s)
        return await let_loose(ground, scenes, folder, seed, FAULTS, wanted, say)
