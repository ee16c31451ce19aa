"""A refit is asked for at any actor, done on any node, and taken over where the project lives."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.ray_cluster import Cluster
from tests.support.ray_nodes import Network
from tests.support.small_crowd import rules_without_chance, small_crowd

from crowdroute.api.v1 import projects_pb2
from crowdroute.client import Client, Connection
from crowdroute.router.replay.over_grpc import play_over_grpc

pytestmark = pytest.mark.cluster

LONGEST_S = 50.0
"""A job waits for a process that has to load its libraries, on a machine that carries three nodes."""


async def test_every_actor_has_a_project_refitted_wherever_it_lives(
    network: Network, cluster: Cluster, tmp_path: Path
) -> None:
    token = (network.folder / "shards" / "admin.token").read_text().strip()
    one, other = (Connection(actor["address"], token) for actor in cluster.rest()["actors"])
    crowd = small_crowd(tmp_path)
    with Client(one) as client:
        before = {project.id for project in listed(client)}
        await play_over_grpc(crowd, rules_without_chance(crowd), 1, 1, one)
        (project,) = {project.id for project in listed(client)} - before

    versions = []
    for connection in (one, other):
        with Client(connection) as client:
            request = projects_pb2.RefitProjectRequest(project_id=project)
            *_, last = client.operations.RefitProject(request, timeout=LONGEST_S)
            versions.append(last.refit.version)

    assert versions == [1, 2]


def listed(client: Client) -> list[projects_pb2.Project]:
    return list(client.operations.ListProjects(projects_pb2.ListProjectsRequest()).projects)
