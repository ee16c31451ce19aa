"""`crowdroute serve` and `crowdroute cluster up` end with one clear line where work could not be kept safely."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.fake_redis import fake_redis
from tests.support.program import COMMAND, PATIENCE_S, environment
from tests.support.services import Services

from crowdroute.router.adapters.kafka_records import NONCE_BYTES, Claim, encode_claim
from crowdroute.router.commands.organisation import CreateOrganisation
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.runtime.clustered import clustered_shard
from crowdroute.router.runtime.settings import KafkaLogSettings

pytestmark = pytest.mark.cluster

SINGLE = 'durability = "single-broker"'
SAFE = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "flush.messages": "1",
    "unclean.leader.election.enable": "false",
}


AN_HOUR_AHEAD = (
    "import time; right = time.time; time.time = lambda: right() + 3600;"
    " from crowdroute.router.cli import main; main()"
)
"""The program on a machine whose clock is wrong."""


def settings_of(
    folder: Path, servers: list[str], name: str, *lines: str, top: str = "", more: Sequence[str] = ()
) -> Path:
    """Write a settings file: a log on Kafka with lines of its own, and lines before it and after it."""
    settings = folder / "crowdroute.toml"
    kafka = [f"servers = {json.dumps(servers)}", f'name = "{name}"', *lines]
    first = top or f'directory = "{folder / name}"'
    settings.write_text("\n".join([first, "[kafka]", *kafka, *more]))
    return settings


def run(*words: str, program: Sequence[str] = COMMAND) -> subprocess.CompletedProcess[str]:
    """Run a command until it ends."""
    return subprocess.run(
        [*program, *words],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def ended(settings: Path, program: Sequence[str] = COMMAND) -> tuple[str, str]:
    """Serve from a settings file, and give the code and the reason with which that ended by itself."""
    served = run("serve", "--config", str(settings), "--address", "127.0.0.1:0", program=program)
    assert served.returncode in (1, 2), served.stderr
    told = [json.loads(line) for line in served.stderr.splitlines()]
    assert not [line for line in told if line["event"] == "serving"]
    # The last line is the one that people read, and the only one of its kind.
    assert [line["event"] for line in told if line["level"] in ("error", "critical")] == ["ended"], told
    return told[-1]["code"], told[-1]["reason"]


@pytest.mark.usefixtures("requirements")
def test_nobody_at_the_brokers_address_is_told_with_the_address(tmp_path: Path) -> None:
    # The port of the discard protocol, which nothing here serves.
    code, reason = ended(settings_of(tmp_path, ["127.0.0.1:9"], "log", SINGLE))
    assert code == "STORAGE_FAILED"
    assert "no Kafka broker answers at 127.0.0.1:9" in reason
    assert "correct the address" in reason


def test_a_lone_broker_is_refused_unless_the_settings_accept_it(services: Services, tmp_path: Path) -> None:
    code, reason = ended(settings_of(tmp_path, services.bootstrap, "lone"))
    assert code == "CONFIGURATION"
    assert "lone.log needs 3 replicas" in reason
    assert "single-broker" in reason


def test_a_topic_with_fewer_partitions_than_shards_is_refused(services: Services, tmp_path: Path) -> None:
    from tests.integration.services import kafka_client

    kafka_client.make_topic(services.bootstrap, "narrow.log", SAFE)
    code, reason = ended(
        settings_of(
            tmp_path, services.bootstrap, "narrow", SINGLE, top=f'directory = "{tmp_path}"\nshards = 2'
        )
    )
    assert code == "CONFIGURATION"
    assert "narrow.log has 1 partitions, and 2 shards need one each" in reason


def test_a_topic_that_forgets_is_refused_with_the_setting(services: Services, tmp_path: Path) -> None:
    from tests.integration.services import kafka_client

    kafka_client.make_topic(services.bootstrap, "forgets.log", {**SAFE, "retention.ms": "86400000"})
    code, reason = ended(settings_of(tmp_path, services.bootstrap, "forgets", SINGLE))
    assert code == "CONFIGURATION"
    assert "retention.ms is 86400000, not -1" in reason


def test_a_machine_whose_clock_is_wrong_is_told_whose_is_right(services: Services, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, services.bootstrap, "clocks", SINGLE)
    code, reason = ended(settings, (sys.executable, "-c", AN_HOUR_AHEAD))
    assert code == "CONFIGURATION"
    assert f"clock is 3600.0 s ahead of that of Kafka at {services.bootstrap[0]}" in reason
    assert "NTP" in reason


async def test_a_redis_with_another_time_is_refused_with_the_difference(tmp_path: Path) -> None:
    async with fake_redis("8.2.0", time.time() - 60) as server:
        settings = tmp_path / "crowdroute.toml"
        settings.write_text(f'directory = "{tmp_path}"\n[redis]\nserver = "{server}"')
        code, reason = await asyncio.to_thread(ended, settings)
    assert code == "CONFIGURATION"
    assert f"60.0 s ahead of that of Redis at {server}" in reason


def test_another_clusters_records_in_the_topic_are_refused(services: Services, tmp_path: Path) -> None:
    from tests.integration.services import kafka_client

    kafka_client.make_topic(services.bootstrap, "ours.log", SAFE)
    claim = encode_claim(Claim("theirs/0", 0, bytes(NONCE_BYTES)))
    kafka_client.write(services.bootstrap, "ours.log", [claim])
    code, reason = ended(settings_of(tmp_path, services.bootstrap, "ours", SINGLE))
    assert code == "LOG_CORRUPT"
    assert "claims shard theirs/0" in reason
    assert "a partition of its own" in reason


async def test_a_directory_of_one_cluster_is_not_served_from_the_log_of_another(
    services: Services, tmp_path: Path
) -> None:
    for name in ("mine", "yours"):
        kafka = KafkaLogSettings(servers=services.bootstrap, name=name, durability="single-broker")
        async with clustered_shard(kafka, tmp_path / name, snapshots=False) as engine:
            engine.start()
            await engine.submit(engine.request(organisation_stream(name), CreateOrganisation(name)))
    wrong = f'directory = "{tmp_path / "mine"}"'
    settings = settings_of(tmp_path, services.bootstrap, "yours", SINGLE, top=wrong)
    code, reason = await asyncio.to_thread(ended, settings)
    assert code == "LOG_CORRUPT"
    assert str(tmp_path / "mine") in reason


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            ("[kafka]", 'servers = ["127.0.0.1:9"]', 'user = "router"', 'password_file = "gone"'),
            "there is no password file gone",
        ),
        (("[redis]", 'server = "127.0.0.1:9"', 'password_file = "gone"'), "there is no file gone"),
        (("[peers]", 'address = "127.0.0.1:0"', 'secret_file = "gone"'), "cannot read gone"),
    ],
)
def test_a_secret_that_is_not_there_is_named(tmp_path: Path, lines: Sequence[str], told: str) -> None:
    settings = tmp_path / "crowdroute.toml"
    settings.write_text("\n".join([f'directory = "{tmp_path}"', *lines]))
    for words in (("serve", "--address", "127.0.0.1:0"), ("cluster", "up")):
        failed = run(*words, "--config", str(settings))
        assert failed.returncode == 2, failed.stderr
        assert told in failed.stderr.splitlines()[-1]
        assert "CONFIGURATION" in failed.stderr.splitlines()[-1]


@pytest.mark.usefixtures("requirements")
def test_brokers_that_will_not_do_are_told_before_anything_is_asked_of_ray(
    services: Services, tmp_path: Path
) -> None:
    wrong = settings_of(tmp_path, ["127.0.0.1:9"], "log", SINGLE)
    failed = run("cluster", "up", "--config", str(wrong))
    assert failed.returncode == 1
    assert "no Kafka broker answers at 127.0.0.1:9" in failed.stderr
    assert failed.stderr.endswith("[STORAGE_FAILED]\n")
    alone = settings_of(tmp_path, services.bootstrap, "lone")
    failed = run("cluster", "up", "--config", str(alone))
    assert failed.returncode == 2
    assert "lone.log needs 3 replicas" in failed.stderr
    assert failed.stderr.endswith("[CONFIGURATION]\n")
