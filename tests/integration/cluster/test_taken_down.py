"""The end of the cluster that the tests of this folder share; by its name it comes after all that need it."""

import json

import pytest
from tests.support.ray_cluster import Cluster
from tests.support.ray_nodes import Network

from crowdroute.router.adapters.sqlite_log import SqliteLog

pytestmark = pytest.mark.cluster


def test_a_cluster_that_is_taken_down_gives_its_logs_back(network: Network, cluster: Cluster) -> None:
    shards = len(cluster.rest()["shards"])
    ended = network.run("down", "--json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["actors"] == []
    assert network.run("status").returncode == 3
    for shard in range(shards):
        SqliteLog(network.folder / "shards", shard).close()
