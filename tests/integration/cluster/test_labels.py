"""What is decided does not hang on what carries it: one process, or actors of a cluster."""

from pathlib import Path

import pytest
from tests.support.ray_cluster import Cluster
from tests.support.ray_nodes import Network
from tests.support.small_crowd import TASKS, rules_without_chance, small_crowd

from crowdroute.client import Connection
from crowdroute.router.replay.outcome import Ending
from crowdroute.router.replay.over_grpc import play_over_grpc
from crowdroute.router.replay.temporary import temporary_engine

pytestmark = pytest.mark.cluster


async def test_a_crowd_whose_workers_come_one_by_one_gets_the_same_labels_from_one_process_and_from_a_cluster(
    network: Network, cluster: Cluster, tmp_path: Path
) -> None:
    crowd = small_crowd(tmp_path)
    rules = rules_without_chance(crowd)
    async with temporary_engine() as connection:
        alone = await play_over_grpc(crowd, rules, 1, 1, connection)
    token = (network.folder / "shards" / "admin.token").read_text().strip()
    for actor in cluster.rest()["actors"]:  # one of them forwards every call
        together = await play_over_grpc(crowd, rules, 1, 1, Connection(actor["address"], token))
        assert together.labels == alone.labels
        assert together.endings == alone.endings
        assert together.used == alone.used
    assert alone.endings.count(Ending.FINALISED) > TASKS / 2
    assert alone.used < len(crowd.answers)
