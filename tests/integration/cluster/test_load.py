"""A client goes on while its shard is handed over, and while its actor is killed: nothing is lost or
doubled."""

import signal
import threading
import time
from typing import Any

import pytest
from tests.support.operations import RULES
from tests.support.ray_cluster import Cluster
from tests.support.ray_nodes import Network, until

from crowdroute.api.v1 import projects_pb2, tasks_pb2, types_pb2
from crowdroute.client import Client, ClientError, Connection

pytestmark = pytest.mark.cluster

SHARD = 0
CALL_S = 3.0
ENOUGH = 20
"""Acknowledgements that show that a client is at work again."""


class Importer(threading.Thread):
    """Adds one item after the other, each until it is acknowledged, wherever the shard is served."""

    def __init__(self, network: Network, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self.refusals = 0
        self._cluster = cluster
        self._token = (network.folder / "shards" / "admin.token").read_text().strip()
        self._ended = threading.Event()
        with self.client() as client:
            request = projects_pb2.CreateProjectRequest(name=f"load {time.time()}", rules_yaml=RULES)
            self.project = client.operations.CreateProject(request).id

    def client(self) -> Client:
        """Connect to where the shard is served now."""
        return Client(Connection(self._cluster.where(SHARD), self._token, attempts=1))

    def run(self) -> None:
        while not self._ended.is_set():
            with self.client() as client:
                while not self._ended.is_set() and self._add(client):
                    pass

    def _add(self, client: Client) -> bool:
        """Add the next item; False when it may be tried elsewhere."""
        name = f"item {len(self.acknowledged)}"
        text = types_pb2.ContentPart(id="text", mime_type="text/plain", text=name)
        item = tasks_pb2.NewItem(external_id=name, content=[text])
        request = tasks_pb2.AddItemsRequest(project_id=self.project, items=[item], idempotency_key=name)
        try:
            client.operations.AddItems(request, timeout=CALL_S)
        except ClientError:
            self.refusals += 1
            return False
        self.acknowledged.append(name)
        return True

    def go_on(self) -> None:
        """Wait until some more items were acknowledged."""
        goal = len(self.acknowledged) + ENOUGH
        until("the client goes on", lambda: len(self.acknowledged) >= goal)

    def end(self) -> list[str]:
        """Stop, and give the external ids of all items that there are."""
        self._ended.set()
        self.join()
        found: list[Any] = []
        with self.client() as client:
            request = tasks_pb2.ListTasksRequest(project_id=self.project, page_size=1000)
            while True:
                page = client.operations.ListTasks(request)
                found += page.tasks
                if not page.next_page_token:
                    return [task.external_id for task in found]
                request.page_token = page.next_page_token


def test_what_was_acknowledged_is_there_once_after_moves_a_restart_and_kills(
    network: Network, cluster: Cluster
) -> None:
    cluster.rest()
    importer = Importer(network, cluster)
    importer.start()
    importer.go_on()
    for actor in ("actor-1", "actor-0"):
        cluster.do("Move", shard=SHARD, actor=actor)
        importer.go_on()
    cluster.do("Restart")
    importer.go_on()
    for _ in range(2):
        seen = cluster.rest()
        owner = next(one for one in seen["actors"] if SHARD in one["shards"])
        network.node_at(owner["address"]).signal(owner["pid"], signal.SIGKILL)
        cluster.rest(seen["generation"])
        importer.go_on()
    there = importer.end()
    assert len(there) == len(set(there))
    assert set(importer.acknowledged) <= set(there)
    assert importer.refusals > 0
    cluster.do("Move", shard=SHARD, actor="")
