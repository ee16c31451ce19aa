"""Engines that speak TLS to clients are heard by their supervisor, which has no certificate of its own."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.support.certificates import make_certificate
from tests.support.local_ray import LEFT_OPEN, forget_token
from tests.support.program import PATIENCE_S, run

from crowdroute.api.v1 import projects_pb2
from crowdroute.client import Client, Connection
from crowdroute.router.adapters.ray_library import load_ray
from crowdroute.router.runtime.cluster.ray_local import NODE, local_ray

pytestmark = [pytest.mark.cluster, LEFT_OPEN]


WITH_RAY_S = 2 * PATIENCE_S


@pytest.mark.parametrize("mutual", [False, True])
def test_a_cluster_serves_over_tls(tmp_path: Path, mutual: bool) -> None:
    make_certificate(tmp_path, "engine", "crowdroute", [NODE])
    certificate, key = tmp_path / "engine.pem", tmp_path / "engine.key"
    settings = tmp_path / "cluster.toml"
    lines = [
        f'directory = "{tmp_path / "data"}"',
        "snapshots = false",
        f'address = "{NODE}:0"',
        f'[tls]\ncertificate = "{certificate}"\nkey = "{key}"',
        *([f'client_authorities = "{certificate}"'] if mutual else []),
    ]
    settings.write_text("\n".join(lines))
    forget_token()
    # Names of sockets must be short.
    with TemporaryDirectory(prefix="cre", dir="/tmp") as sockets, local_ray(Path(sockets), 1):
        head = load_ray().get_runtime_context().gcs_address
        up = run(
            tmp_path,
            "cluster",
            "up",
            "--config",
            str(settings),
            "--ray",
            head,
            "--json",
            patience_s=WITH_RAY_S,
        )
        assert up.returncode == 0, up.stderr
        (shard,) = json.loads(up.stdout)["shards"]
        shown = {"client_certificate": certificate.read_bytes(), "client_key": key.read_bytes()}
        connection = Connection(
            shard["address"],
            (tmp_path / "data" / "admin.token").read_text().strip(),
            root_certificates=certificate.read_bytes(),
            **(shown if mutual else {}),
        )
        with Client(connection) as client:
            assert not client.operations.ListProjects(projects_pb2.ListProjectsRequest()).projects
        down = run(tmp_path, "cluster", "down", "--ray", head, patience_s=WITH_RAY_S)
        assert down.returncode == 0, down.stderr
