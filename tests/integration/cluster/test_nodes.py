"""A cluster on several nodes, each with an address of its own, while its parts are killed, frozen and cut
off."""

import json
import signal
import time
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.support.operations import RULES
from tests.support.ray_cluster import Cluster
from tests.support.ray_nodes import Network, until

from crowdroute.api.v1 import projects_pb2, tasks_pb2, types_pb2
from crowdroute.client import Client, Connection
from crowdroute.client.errors import ClientError

pytestmark = pytest.mark.cluster

SUPERVISOR = "ray::SupervisorProcess"
FROZEN_S = 15.0
CRASHED_S = 10.0
"""Longest that an actor may be away on a machine that everything shares; the benchmark measures."""


def placed(seen: dict[str, Any]) -> dict[int, str]:
    return {shard["shard"]: shard["actor"] for shard in seen["shards"]}


def actor(seen: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in seen["actors"] if one["name"] == name)
    return found


def serves(address: str) -> bool:
    """Whether an engine serves there."""
    with grpc.insecure_channel(address) as channel:
        try:
            told = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=2)
        except grpc.RpcError:
            return False
    return bool(told.status == health_pb2.HealthCheckResponse.SERVING)


def all_serve(seen: dict[str, Any]) -> bool:
    return all(serves(shard["address"]) for shard in seen["shards"])


def test_shards_are_spread_over_the_nodes_in_service_and_every_one_serves(
    network: Network, cluster: Cluster
) -> None:
    seen = cluster.rest()
    assert sorted(placed(seen).values()) == ["actor-0", "actor-0", "actor-1", "actor-1"]
    used = {one["address"].partition(":")[0] for one in seen["shards"]}
    assert used == {node.address for node in network.nodes[1:]}
    assert all_serve(seen)


def test_every_actor_answers_for_every_shard(network: Network, cluster: Cluster) -> None:
    seen = cluster.rest()
    token = (network.folder / "shards" / "admin.token").read_text().strip()
    clients = [Client(Connection(one["address"], token)) for one in seen["actors"]]
    for number in range(len(seen["shards"])):  # a new project lives in the shard that has fewest
        request = projects_pb2.CreateProjectRequest(name=f"project {number}", rules_yaml=RULES)
        project = clients[number % 2].operations.CreateProject(request).id
        for client in clients:
            text = types_pb2.ContentPart(id="text", mime_type="text/plain", text="a cat")
            items = [tasks_pb2.NewItem(external_id=str(client), content=[text])]
            added = client.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project, items=items))
            assert len(added.items) == 1
    for client in clients:
        assert len(client.operations.ListProjects(projects_pb2.ListProjectsRequest()).projects) >= 4
        client.close()


def test_an_actor_that_is_killed_serves_again(network: Network, cluster: Cluster) -> None:
    before = cluster.rest()
    victim = actor(before, "actor-0")
    killed = time.monotonic()
    network.node_at(victim["address"]).signal(victim["pid"], signal.SIGKILL)
    cluster.served(before["generation"])
    assert time.monotonic() - killed < CRASHED_S
    after = cluster.rest(before["generation"])
    # The same ones when its next process came within the watchdog's patience, else as many.
    assert sorted(placed(after).values()) == sorted(placed(before).values())
    assert actor(after, "actor-0")["incarnation"] != victim["incarnation"]
    assert all_serve(after)


def test_shards_of_a_frozen_actor_serve_again(network: Network, cluster: Cluster) -> None:
    before = cluster.rest()
    victim = actor(before, "actor-1")
    frozen = time.monotonic()
    network.node_at(victim["address"]).signal(victim["pid"], signal.SIGSTOP)
    cluster.served(before["generation"])
    assert time.monotonic() - frozen < FROZEN_S
    after = cluster.rest(before["generation"])
    assert actor(after, "actor-1")["incarnation"] != victim["incarnation"]
    assert sorted(placed(after).values()) == ["actor-0", "actor-0", "actor-1", "actor-1"]


def test_a_shard_is_handed_over(cluster: Cluster) -> None:
    before = cluster.rest()
    shard = min(one for one, where in placed(before).items() if where == "actor-0")
    after = cluster.do("Move", shard=shard, actor="actor-1")
    assert placed(after)[shard] == "actor-1"
    assert after["shards"][shard]["generation"] > before["shards"][shard]["generation"]
    assert all_serve(after)
    cluster.do("Move", shard=shard, actor="")


def test_a_rolling_restart_replaces_every_process(cluster: Cluster) -> None:
    before = cluster.rest()
    after = cluster.do("Restart")
    lives = [{one["name"]: one["incarnation"] for one in seen["actors"]} for seen in (before, after)]
    assert all(lives[0][name] != lives[1][name] for name in ("actor-0", "actor-1"))
    assert all_serve(after)


def test_the_head_dies_actors_serve_on_and_a_new_head_finds_them(network: Network, cluster: Cluster) -> None:
    before = cluster.rest()
    network.head.kill()
    assert all_serve(before)
    network.start_head()
    network.head.wait()
    after = cluster.rest()
    for what in ("incarnation", "pid"):
        assert [one[what] for one in after["actors"]] == [one[what] for one in before["actors"]]
    assert [one["generation"] for one in after["shards"]] == [one["generation"] for one in before["shards"]]
    assert placed(cluster.do("Move", shard=0, actor="actor-1"))[0] == "actor-1"
    cluster.do("Move", shard=0, actor="")


def test_a_node_dies_and_the_others_serve_what_it_served_until_it_is_back(
    network: Network, cluster: Cluster
) -> None:
    before = cluster.rest()
    node = network.nodes[2]
    node.kill()
    after = cluster.rest(before["generation"])
    assert {one["address"].partition(":")[0] for one in after["shards"]} == {network.nodes[1].address}
    assert all_serve(after)
    node.start(f"--address={network.address}")
    back = cluster.rest(after["generation"])
    assert len({one["address"].partition(":")[0] for one in back["shards"]}) == 2
    assert all_serve(back)


def test_an_actor_leads_while_the_supervisor_is_frozen(network: Network, cluster: Cluster) -> None:
    before = cluster.rest()
    (supervisor,) = ((node, pid) for node in network.nodes for pid in node.running(SUPERVISOR))
    supervisor[0].signal(supervisor[1], signal.SIGSTOP)
    victim = actor(before, "actor-0")
    network.node_at(victim["address"]).signal(victim["pid"], signal.SIGKILL)
    token = (network.folder / "shards" / "admin.token").read_text().strip()

    def is_all_there() -> bool:
        address = actor(before, "actor-1")["address"]
        with Client(Connection(address, token, attempts=1)) as client:
            try:
                return bool(client.operations.ListProjects(projects_pb2.ListProjectsRequest()))
            except ClientError:
                return False

    until("actor-1 answers for all shards no longer", lambda: not is_all_there())
    until("it does again, though no supervisor sees to it", is_all_there)
    after = cluster.rest(before["generation"])  # by a supervisor that was started again
    assert all_serve(after)


def test_people_see_the_cluster_and_programs_read_it(network: Network, cluster: Cluster) -> None:
    seen = cluster.rest()
    told = network.run("status", "--json")
    assert json.loads(told.stdout) == seen
    shown = network.run("status")
    assert "actor-1  serving" in shown.stdout
    assert f"generation {seen['generation']}: as wanted" in shown.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("move", "99", "actor-0"), "NOT_FOUND"),
        (("drain", "nowhere"), "NOT_FOUND"),
        (("up", "--shards", "1"), "WRONG_STATE"),
    ],
)
def test_what_cannot_be_is_refused(
    network: Network, cluster: Cluster, words: tuple[str, ...], code: str
) -> None:
    before = cluster.rest()["generation"]
    ended = network.run(*words)
    assert ended.returncode == 3
    assert ended.stderr.rstrip().endswith(f"[{code}]")
    assert ended.stdout == ""
    assert cluster.rest()["generation"] == before
