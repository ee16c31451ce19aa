"""One set of Ray nodes, with a cluster on them, for all tests of this folder; each leaves it at rest."""

import os
from collections.abc import Iterator

import pytest
from tests.support.certificates import make_certificate
from tests.support.ray_nodes import Cluster, Network, ray_nodes, until, why_not

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
    make_certificate(network.folder, "peers", "groups", [node.address for node in network.nodes])
    (network.folder / "peers.secret").write_text("0123456789abcdef" * 4)
    certificate, key = (str(network.folder / f"peers.{kind}") for kind in ("pem", "key"))
    settings = {
        "directory": str(network.folder / "shards"),
        "address": "127.0.0.1:0",
        "shards": SHARDS,
        "snapshots": False,
        "peers": {
            "address": "127.0.0.1:0",
            "secret_file": str(network.folder / "peers.secret"),
            "tls": {"certificate": certificate, "key": key, "authorities": certificate},
        },
    }
    made = Cluster(network, network.nodes[1], settings)
    try:
        until("all nodes are there", lambda: len(made.ask("Show").get("nodes", ())) == len(network.nodes))
        made.do("Drain", name=network.head.address, undo=False)
        made.do("Want", shards=SHARDS, actors=2)
        yield made
    finally:
        made.close()
