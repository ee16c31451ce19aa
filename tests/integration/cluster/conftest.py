"""One set of Ray nodes, with a cluster on them, for all tests of this folder; each leaves it at rest."""

from collections.abc import Iterator

import pytest
from tests.integration.services.conftest import missing
from tests.support.ray_cluster import Cluster, cluster_settings
from tests.support.ray_nodes import Network, ray_nodes, why_not

SHARDS = 4


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    if (reason := why_not()) is not None:
        missing(reason)
    with ray_nodes(tmp_path_factory.mktemp("cluster"), nodes=3) as made:
        yield made


@pytest.fixture(scope="session")
def cluster(network: Network) -> Iterator[Cluster]:
    settings = {**cluster_settings(network, SHARDS), "directory": str(network.folder / "shards")}
    made = Cluster(network, network.nodes[1], settings)
    try:
        made.begin(SHARDS, actors=2)
        yield made
    finally:
        made.close()
