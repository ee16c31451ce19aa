"""Two clusters on one log would take its shards from each other for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.integration.services.conftest import requirements
from tests.support.local_ray import LEFT_OPEN, forget_token
from tests.support.program import Served, run
from tests.support.services import Services

from crowdroute.router.adapters.ray_library import load_ray
from crowdroute.router.runtime.cluster.ray_local import local_ray

pytestmark = [pytest.mark.cluster, LEFT_OPEN]

__all__ = ["requirements"]


@pytest.fixture
def services(requirements: None, tmp_path: Path) -> Iterator[Services]:
    stack = Services(tmp_path / "services")
    stack.up()
    yield stack
    stack.down()


def test_a_cluster_does_not_begin_on_a_log_that_another_serves(services: Services, tmp_path: Path) -> None:
    settings = tmp_path / "crowdroute.toml"
    kafka = (f"servers = {json.dumps(services.bootstrap)}", 'name = "one"', 'durability = "single-broker"')
    settings.write_text("\n".join(("[kafka]", *kafka)))
    first = Served(tmp_path, tmp_path / "data", "--config", str(settings))
    try:
        forget_token()
        # Names of sockets must be short.
        with TemporaryDirectory(prefix="crt", dir="/tmp") as sockets, local_ray(Path(sockets), 1):
            head = load_ray().get_runtime_context().gcs_address
            second = run(tmp_path, "cluster", "up", "--config", str(settings), "--ray", head)
        assert second.returncode == 2, second.stderr
        assert "another cluster serves the log one" in second.stderr
        assert "give this one a kafka.name of its own" in second.stderr
        assert second.stderr.endswith("[CONFIGURATION]\n")
    finally:
        assert first.stop() == 0, "it was disturbed"
