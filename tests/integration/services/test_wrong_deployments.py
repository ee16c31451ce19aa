"""A start ends with one clear line where work could not be kept safely, or is not this cluster's."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from tests.support.fake_redis import fake_redis
from tests.support.program import COMMAND, run
from tests.support.services import Services

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_records import NONCE_BYTES, Claim, encode_claim
from crowdroute.router.adapters.kafka_topics import Durability, ensure_topics
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


def settings_of(folder: Path, servers: list[str], name: str, *lines: str, top: str = "") -> Path:
    """Write a settings file of a log on Kafka, with more lines about it and about the whole."""
    settings = folder / "crowdroute.toml"
    kafka = [f"servers = {json.dumps(servers)}", f'name = "{name}"', *lines]
    settings.write_text("\n".join([top, "[kafka]", *kafka]))
    return settings


def ended(settings: Path, directory: Path | None = None, program: Sequence[str] = COMMAND) -> tuple[str, str]:
    """Serve with these settings, from an empty directory if none is named; give the code and the reason with
    which that ended by itself."""
    where = ("--dir", str(directory or settings.with_name("data")), "--address", "127.0.0.1:0")
    served = run(settings.parent, "serve", "--config", str(settings), *where, program=program)
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
    settings = settings_of(tmp_path, services.bootstrap, "narrow", SINGLE, top="shards = 2")
    code, reason = ended(settings)
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
    code, reason = ended(settings, program=(sys.executable, "-c", AN_HOUR_AHEAD))
    assert code == "CONFIGURATION"
    told = rf"clock is 3(599|60\d)\.\d s ahead of that of Kafka at {services.bootstrap[0]}"
    assert re.search(told, reason)
    assert "NTP" in reason


async def test_a_redis_with_another_time_is_refused_with_the_difference(tmp_path: Path) -> None:
    async with fake_redis("8.2.0", time.time() - 3600) as server:
        code, reason = await asyncio.to_thread(ended, redis_at(server, tmp_path))
    assert code == "CONFIGURATION"
    assert re.search(rf"36\d\d\.\d s ahead of that of Redis at {server}", reason)


def redis_at(server: str, folder: Path) -> Path:
    """Write a settings file with a directory in Redis."""
    settings = folder / "crowdroute.toml"
    settings.write_text(f'[redis]\nserver = "{server}"')
    return settings


def test_a_broker_in_the_place_of_redis_is_refused(services: Services, tmp_path: Path) -> None:
    code, reason = ended(redis_at(services.bootstrap[0], tmp_path))
    assert code == "CONFIGURATION"
    assert f"at {services.bootstrap[0]}, and there is a broker of Kafka: look at redis.server" in reason


def test_a_web_server_in_the_place_of_redis_is_refused(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever).start()
        try:
            code, reason = ended(redis_at(f"127.0.0.1:{server.server_port}", tmp_path))
        finally:
            server.shutdown()
    assert code == "CONFIGURATION"
    assert "there is a service that says" in reason


def test_another_clusters_records_in_the_topic_are_refused(services: Services, tmp_path: Path) -> None:
    from tests.integration.services import kafka_client

    ensure_topics(KafkaConnection(tuple(services.bootstrap)), "ours", 1, Durability.SINGLE_BROKER)
    claim = encode_claim(Claim("theirs/0", 0, bytes(NONCE_BYTES)))
    kafka_client.write(services.bootstrap, "ours.log", [claim])
    code, reason = ended(settings_of(tmp_path, services.bootstrap, "ours", SINGLE))
    assert code == "LOG_CORRUPT"
    assert "is of shard 'theirs/0', this is the log of 'ours/0'" in reason
    assert "a partition of its own" in reason


async def test_a_directory_of_one_cluster_is_not_served_from_the_log_of_another(
    services: Services, tmp_path: Path
) -> None:
    for name in ("mine", "yours"):
        kafka = KafkaLogSettings(servers=services.bootstrap, name=name, durability="single-broker")
        async with clustered_shard(kafka, tmp_path / name, snapshots=False) as engine:
            engine.start()
            await engine.submit(engine.request(organisation_stream(name), CreateOrganisation(name)))
    settings = settings_of(tmp_path, services.bootstrap, "yours", SINGLE)
    code, reason = await asyncio.to_thread(ended, settings, tmp_path / "mine")
    assert code == "LOG_CORRUPT"
    assert "give this cluster a directory of its own" in reason


FEEDS = """
[feeds]
servers = ["127.0.0.1:9"]
"""
UP, SERVE = ("cluster", "up"), ("serve", "--address", "127.0.0.1:0")
KAFKA = """
[kafka]
servers = ["127.0.0.1:9"]
user = "router"
password_file = "gone"
"""
REDIS = """
[redis]
server = "127.0.0.1:9"
password_file = "gone"
"""
PEERS = """
[peers]
address = "127.0.0.1:0"
secret_file = "gone"
"""


@pytest.mark.parametrize(
    ("words", "settings", "told"),
    [
        (SERVE, KAFKA, "there is no file gone"),
        (SERVE, REDIS, "there is no file gone"),
        (SERVE, PEERS, "cannot read gone"),
        (UP, PEERS, "cannot read gone"),
        (UP, '[tls]\ncertificate = "gone"\nkey = "gone"', "cannot read gone"),
        (UP, '[kafka]\nservers = ["127.0.0.1:9"]\nsnapshots = "s4://there"', "s4://there"),
        (UP, FEEDS, "feeds of a cluster go from one process to another: give peers"),
    ],
)
def test_what_cannot_be_is_named_before_anything_is_opened(
    tmp_path: Path, words: Sequence[str], settings: str, told: str
) -> None:
    file = tmp_path / "crowdroute.toml"
    file.write_text(f'directory = "{tmp_path / "data"}"\n{settings}')
    failed = run(tmp_path, *words, "--config", str(file))
    assert failed.returncode == 2, failed.stderr
    (line,) = failed.stderr.splitlines()
    assert told in line
    assert "CONFIGURATION" in line
    assert not (tmp_path / "data").exists()


def test_brokers_that_will_not_do_are_told_before_anything_is_asked_of_ray(
    services: Services, tmp_path: Path
) -> None:
    wrong = settings_of(tmp_path, ["127.0.0.1:9"], "log", SINGLE)
    failed = run(tmp_path, "cluster", "up", "--config", str(wrong))
    assert failed.returncode == 1
    assert "no Kafka broker answers at 127.0.0.1:9" in failed.stderr
    assert failed.stderr.endswith("[STORAGE_FAILED]\n")
    alone = settings_of(tmp_path, services.bootstrap, "lone")
    failed = run(tmp_path, "cluster", "up", "--config", str(alone))
    assert failed.returncode == 2
    assert "lone.log needs 3 replicas" in failed.stderr
    assert failed.stderr.endswith("[CONFIGURATION]\n")


@pytest.mark.usefixtures("requirements")
def test_brokers_of_feeds_that_will_not_do_are_told_before_anything_is_asked_of_ray(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef" * 4)
    settings = tmp_path / "crowdroute.toml"
    peers = f'[peers]\naddress = "127.0.0.1:0"\nsecret_file = "{tmp_path / "secret"}"\n'
    settings.write_text(peers + '[feeds]\nservers = ["127.0.0.1:9"]\ndurability = "single-broker"')
    failed = run(tmp_path, "cluster", "up", "--config", str(settings))
    assert failed.returncode == 1
    assert "no Kafka broker answers at 127.0.0.1:9" in failed.stderr
    assert failed.stderr.endswith("[STORAGE_FAILED]\n")
