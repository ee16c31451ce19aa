"""One set of Ray nodes, with a cluster on them, for all tests of this folder; each leaves it at rest."""

import os
from collections.abc import Iterator

import pytest
from tests.support.ray_nodes import Cluster, Network, cluster_settings, ray_nodes, why_not

SHARDS = 4


def absent(missing: str) -> None:
    """End the test: real nodes are part of the check in CI, and no duty on a laptop."""
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    if (missing := why_not()) is not None:
        absent(missing)
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
