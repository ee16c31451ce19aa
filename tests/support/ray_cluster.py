"""A cluster of the engine on Ray nodes, as a test asks for things of it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

from tests.support.certificates import make_certificate
from tests.support.ray_nodes import PATIENCE_S, Network, Node, until


class Cluster:
    """A cluster on such nodes, asked by a client in the network of one: a question per line, an answer per
    line."""

    def __init__(self, network: Network, node: Node, settings: dict[str, Any]) -> None:
        self.network = network
        self._turn = threading.Lock()
        words = [sys.executable, "-m", "tests.support.cluster_driver", network.address, json.dumps(settings)]
        with (network.folder / "driver.log").open("ab") as log:
            self.process = subprocess.Popen(
                node.command(*words),
                env=network.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def begin(self, shards: int, actors: int) -> None:
        """Start it on all nodes but the head's."""
        everybody = len(self.network.nodes)
        until("all nodes are there", lambda: len(self.ask("Show").get("nodes", ())) == everybody)
        self.do("Drain", name=self.network.head.address, undo=False)
        self.do("Want", shards=shards, actors=actors)

    def ask(self, kind: str, **question: Any) -> dict[str, Any]:
        """Ask the supervisor; gives its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self._turn:
            self.process.stdin.write(json.dumps({"type": kind, **question}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        assert line, (self.network.folder / "driver.log").read_text()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def where(self, shard: int) -> str:
        """Wait until somebody serves a shard, and give the address."""

        def look() -> str | None:
            seen = self.ask("Show")["shards"][shard]
            return seen["address"] if seen["stage"] == "serving" else None

        found: str = until(f"shard {shard} is served", look)
        return found

    def rest(self, after: int = 0, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until everything is as wanted, by a placement later than a generation, and give the answer."""

        def look() -> dict[str, Any] | None:
            seen = self.ask("Show")
            return seen if seen.get("resting") and seen["generation"] > after else None

        found: dict[str, Any] = until("everything is as wanted", look, patience_s)
        return found

    def served(self, after: int, patience_s: float = PATIENCE_S) -> None:
        """Wait until every shard is served, by a placement later than a generation."""

        def look() -> bool:
            seen = self.ask("Show")
            return seen.get("generation", 0) > after and all(
                shard["stage"] == "serving" for shard in seen["shards"]
            )

        until("every shard is served", look, patience_s)

    def do(self, kind: str, **question: Any) -> dict[str, Any]:
        """Ask for something and wait until it is done."""
        before = self.ask("Show")["generation"]
        assert self.ask(kind, **question)["type"] == "Overview"
        return self.rest(before)

    def close(self) -> None:
        """End the client."""
        self.process.kill()
        self.process.communicate()


def cluster_settings(network: Network, shards: int, port: int = 0) -> dict[str, Any]:
    """Give settings for a cluster on a network, without a log: its certificates and its secret are made.

    Args:
        network: of its nodes.
        shards: how many there are.
        port: of the first actor; 0: each takes a free one.
    """
    make_certificate(network.folder, "peers", "groups", [node.address for node in network.nodes])
    (network.folder / "peers.secret").write_text("0123456789abcdef" * 4)
    certificate, key = (str(network.folder / f"peers.{kind}") for kind in ("pem", "key"))
    return {
        "address": f"127.0.0.1:{port}",
        "shards": shards,
        "snapshots": False,
        "peers": {
            "address": "127.0.0.1:0",
            "secret_file": str(network.folder / "peers.secret"),
            "tls": {"certificate": certificate, "key": key, "authorities": certificate},
        },
    }
