"""One broker and Redis: they answer, keep what they acknowledged, and come and go without a trace."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import uuid
from pathlib import Path

import pytest
from tests.support.services import Services

pytestmark = pytest.mark.cluster

# Imported where it is used, so that `make test` needs no client of either service.


def new_topic() -> str:
    return f"t-{uuid.uuid4().hex}"


def test_a_topic_is_made_with_the_wanted_settings_and_written_and_read(services: Services) -> None:
    from tests.integration.services import kafka_client as kafka

    name = new_topic()
    kafka.make_topic(services.bootstrap, name, {**kafka.LOG, "flush.messages": "1"})
    in_force = kafka.settings(services.bootstrap, name)
    assert {key: in_force[key] for key in kafka.LOG} == kafka.LOG
    assert in_force["flush.messages"] == "1"
    values = [b"record %d" % number for number in range(50)]
    assert kafka.write(services.bootstrap, name, values) == list(range(50))
    assert kafka.read(services.bootstrap, name, len(values)) == values


def test_a_topic_without_wishes_of_its_own_is_safe_on_one_broker(services: Services) -> None:
    from tests.integration.services import kafka_client as kafka

    name = new_topic()
    kafka.make_topic(services.bootstrap, name, {})
    in_force = kafka.settings(services.bootstrap, name)
    assert in_force["unclean.leader.election.enable"] == "false"
    assert in_force["min.insync.replicas"] == "1"
    assert in_force["flush.messages"] == "1"


def test_a_topic_that_nobody_made_is_not_made_by_writing_to_it(services: Services) -> None:
    from kafka import KafkaProducer
    from kafka.errors import KafkaError
    from tests.integration.services import kafka_client

    name = new_topic()
    producer = KafkaProducer(bootstrap_servers=services.bootstrap, max_block_ms=1500)
    with pytest.raises(KafkaError):
        producer.send(name, b"lost").get(timeout=3)
    producer.close()
    assert name not in kafka_client.topics(services.bootstrap)


def test_kafkas_own_console_consumer_reads_a_topic(services: Services) -> None:
    from tests.integration.services import kafka_client as kafka

    name = new_topic()
    kafka.make_topic(services.bootstrap, name, {})
    kafka.write(services.bootstrap, name, [b"first", b"second"])
    arguments = f"--bootstrap-server {services.bootstrap[0]} --topic {name} --from-beginning --max-messages 2"
    told = subprocess.run(
        [
            "java",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
            "-cp",
            services.variables()["KAFKA_CLASSPATH"],
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            *arguments.split(),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines() == ["first", "second"]


def test_redis_answers_its_user_alone_and_lets_nobody_administer_it(services: Services) -> None:
    import redis

    with redis.Redis.from_url(services.redis_url, decode_responses=True) as client:
        assert client.set("key", "value")
        assert client.get("key") == "value"
        assert client.info("server")["run_id"]
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.config_get("dir")
    port = services.choices()["redis_port"]
    # A refused password is not tried again.
    once = {"host": "127.0.0.1", "port": port, "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0)}
    for stranger in (redis.Redis(**once), redis.Redis(**once, username="crowdroute", password="guess")):
        with stranger, pytest.raises(redis.exceptions.AuthenticationError):
            stranger.get("key")


def test_what_holds_a_password_can_be_read_by_its_owner_alone(services: Services) -> None:
    assert stat.S_IMODE(services.folder.stat().st_mode) == 0o700
    for name in ("env", "choices.json"):
        assert stat.S_IMODE((services.folder / name).stat().st_mode) == 0o600
    password = services.choices()["redis_password"]
    for process in ("kafka-1", "redis"):
        command_line = Path(f"/proc/{services.pid(process)}/cmdline").read_text()
        assert password not in command_line


def test_starting_twice_changes_nothing(services: Services) -> None:
    before = services.pids(), services.variables()
    services.up()
    assert (services.pids(), services.variables()) == before


def test_status_tells_what_runs_and_whether_it_answers(services: Services) -> None:
    told = services.run("status")
    assert told.returncode == 0
    assert [line.split()[0] for line in told.stdout.splitlines()] == ["kafka-1", "redis"]
    assert all(f"running as {pid}" in told.stdout for pid in services.pids().values())
    os.kill(services.pid("kafka-1"), signal.SIGSTOP)
    frozen = services.run("status")
    os.kill(services.pid("kafka-1"), signal.SIGCONT)
    assert frozen.returncode == 3
    assert "does not answer" in frozen.stdout.splitlines()[0]
    assert "does not answer" not in frozen.stdout.splitlines()[1]


def test_a_stop_leaves_no_process_and_the_next_start_finds_the_data(services: Services) -> None:
    import redis
    from tests.integration.services import kafka_client as kafka

    name, variables = new_topic(), services.variables()
    kafka.make_topic(services.bootstrap, name, kafka.LOG)
    kafka.write(services.bootstrap, name, [b"kept"])
    with redis.Redis.from_url(services.redis_url) as client:
        client.set(name, "kept")
    said = services.down()
    assert said.splitlines() == ["kafka-1 stopped", "redis stopped"]
    assert services.processes_left() == []
    assert not (services.folder / "env").exists()
    assert services.run("status").returncode == 3
    assert "was not running" in services.down()
    services.up()
    assert services.variables() == variables
    assert kafka.read(services.bootstrap, name, 1) == [b"kept"]
    with redis.Redis.from_url(services.redis_url) as client:
        assert client.get(name) == b"kept"


def test_a_killed_broker_is_started_again_with_all_that_it_acknowledged(services: Services) -> None:
    from tests.integration.services import kafka_client as kafka

    name, redis_pid = new_topic(), services.pid("redis")
    kafka.make_topic(services.bootstrap, name, kafka.LOG)
    values = [b"record %d" % number for number in range(20)]
    kafka.write(services.bootstrap, name, values)
    os.kill(services.pid("kafka-1"), signal.SIGKILL)
    services.up()
    assert kafka.read(services.bootstrap, name, len(values)) == values
    assert services.pid("redis") == redis_pid


def test_another_wish_than_the_folder_was_made_with_is_refused(
    services: Services,
) -> None:
    before = services.pids()
    refused = services.run("up", BROKERS="3")
    assert refused.returncode == 1
    assert "BROKERS=3" in refused.stderr
    assert refused.stderr.endswith("[CHOICE_FIXED]\n")
    assert services.pids() == before
