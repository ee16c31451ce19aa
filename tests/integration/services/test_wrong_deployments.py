"""`crowdroute serve` ends with one clear line where the log on Kafka could not be kept safely."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.program import COMMAND, PATIENCE_S, environment
from tests.support.services import Services

pytestmark = pytest.mark.cluster

SINGLE = 'durability = "single-broker"'
SAFE = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "flush.messages": "1",
    "unclean.leader.election.enable": "false",
}


def ended(folder: Path, servers: list[str], name: str, *lines: str, top: str = "") -> tuple[str, str]:
    """Serve from a settings file, and give the code and the reason with which that ended by itself."""
    settings = folder / "crowdroute.toml"
    kafka = [f"servers = {json.dumps(servers)}", f'name = "{name}"', *lines]
    settings.write_text("\n".join([f'directory = "{folder / name}"', top, "[kafka]", *kafka]))
    run = subprocess.run(
        [*COMMAND, "serve", "--config", str(settings), "--address", "127.0.0.1:0"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert run.returncode in (1, 2), run.stderr
    told = [json.loads(line) for line in run.stderr.splitlines()]
    assert not [line for line in told if line["event"] == "serving"]
    # The last line is the one that people read, and the only one of its kind.
    assert [line["event"] for line in told if line["level"] in ("error", "critical")] == ["ended"], told
    return told[-1]["code"], told[-1]["reason"]


@pytest.mark.usefixtures("requirements")
def test_nobody_at_the_brokers_address_is_told_with_the_address(tmp_path: Path) -> None:
    # The port of the discard protocol, which nothing here serves.
    code, reason = ended(tmp_path, ["127.0.0.1:9"], "log", SINGLE)
    assert code == "STORAGE_FAILED"
    assert "no Kafka broker answers at 127.0.0.1:9" in reason
    assert "correct the address" in reason


def test_a_lone_broker_is_refused_unless_the_settings_accept_it(services: Services, tmp_path: Path) -> None:
    code, reason = ended(tmp_path, services.bootstrap, "lone")
    assert code == "CONFIGURATION"
    assert "lone.log needs 3 replicas" in reason
    assert "single-broker" in reason


def test_a_topic_with_fewer_partitions_than_shards_is_refused(services: Services, tmp_path: Path) -> None:
    from tests.integration.services import kafka_client

    kafka_client.make_topic(services.bootstrap, "narrow.log", SAFE)
    code, reason = ended(tmp_path, services.bootstrap, "narrow", SINGLE, top="shards = 2")
    assert code == "CONFIGURATION"
    assert "narrow.log has 1 partitions, and 2 shards need one each" in reason


def test_a_topic_that_forgets_is_refused_with_the_setting(services: Services, tmp_path: Path) -> None:
    from tests.integration.services import kafka_client

    kafka_client.make_topic(services.bootstrap, "forgets.log", {**SAFE, "retention.ms": "86400000"})
    code, reason = ended(tmp_path, services.bootstrap, "forgets", SINGLE)
    assert code == "CONFIGURATION"
    assert "retention.ms is 86400000, not -1" in reason
