"""What is written for Kafka, for Redis, and for the shells that want to reach them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local_services import choices, env_file, kafka, redis_server
from local_services.choices import Choices, Wishes

TLS = Path("/services of 'mine'/tls")


def chosen(brokers: int) -> Choices:
    return choices.choose(Wishes(brokers, kafka_port=19092, controller_port=19192, redis_port=16379))


@pytest.mark.parametrize("count", [1, 3])
def test_no_broker_makes_topics_by_itself_or_lets_a_stale_replica_lead(count: int) -> None:
    of = chosen(count)
    for broker in of.brokers:
        settings = kafka.properties(broker, of, TLS)
        assert settings["auto.create.topics.enable"] == "false"
        assert settings["unclean.leader.election.enable"] == "false"


def test_a_single_broker_writes_each_message_to_its_disk_before_it_acknowledges() -> None:
    of = chosen(1)
    settings = kafka.properties(of.brokers[0], of, TLS)
    assert settings["log.flush.interval.messages"] == "1"
    assert {value for name, value in settings.items() if "replication.factor" in name} == {"1"}
    assert {value for name, value in settings.items() if "min.i" in name} == {"1"}


def test_three_brokers_keep_three_copies_and_acknowledge_with_two() -> None:
    of = chosen(3)
    for broker in of.brokers:
        settings = kafka.properties(broker, of, TLS)
        assert {value for name, value in settings.items() if "replication.factor" in name} == {"3"}
        assert {value for name, value in settings.items() if "min.i" in name} == {"2"}
        assert "log.flush.interval.messages" not in settings


def test_one_broker_of_three_never_waits_for_leave_to_stop() -> None:
    """It comes from a majority, and all three are stopped together."""
    of = chosen(3)
    for broker in of.brokers:
        assert kafka.properties(broker, of, TLS)["controlled.shutdown.enable"] == "false"


def test_brokers_listen_on_loopback_alone_and_know_all_controllers() -> None:
    of = chosen(3)
    settings = [kafka.properties(broker, of, TLS) for broker in of.brokers]
    assert [each["listeners"] for each in settings] == [
        "PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19192",
        "PLAINTEXT://127.0.0.1:19093,CONTROLLER://127.0.0.1:19193",
        "PLAINTEXT://127.0.0.1:19094,CONTROLLER://127.0.0.1:19194",
    ]
    assert {each["controller.quorum.bootstrap.servers"] for each in settings} == {
        "127.0.0.1:19192,127.0.0.1:19193,127.0.0.1:19194"
    }
    assert [each["node.id"] for each in settings] == ["1", "2", "3"]


def test_the_first_quorum_names_each_controller_with_its_directory() -> None:
    of = chosen(3)
    assert kafka.initial_controllers(of).split(",") == [
        f"{node}@127.0.0.1:{19191 + node}:{of.brokers[node - 1].directory_id}" for node in (1, 2, 3)
    ]


def test_settings_are_written_one_to_a_line() -> None:
    assert kafka.properties_text({"a.b": "1", "c": "x,y"}) == "a.b=1\nc=x,y\n"


def test_redis_knows_one_user_and_only_the_digest_of_its_password() -> None:
    of = chosen(1)
    lines = redis_server.configuration(of, TLS).splitlines()
    users = [line.split() for line in lines if line.startswith("user ")]
    assert users[0] == ["user", "default", "off"]
    assert users[1][:3] == ["user", "crowdroute", "on"]
    assert users[1][-1] == "-@admin"
    assert len(users) == 2
    assert of.redis_password not in "\n".join(lines)
    assert "bind 127.0.0.1" in lines
    assert "port 16379" in lines
    assert "appendonly no" in lines


def test_a_shell_reads_from_the_env_file_what_was_written(tmp_path: Path) -> None:
    of = chosen(3)
    values = env_file.variables(of, Path("/cache of 'mine'/kafka"), TLS)
    path = tmp_path / "env"
    path.write_text(env_file.text(values))
    for name, value in values.items():
        told = subprocess.run(
            ["sh", "-c", f'. "$1"; printf %s "${name}"', "sh", str(path)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout == value
    assert values["KAFKA_BOOTSTRAP"] == "127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094"
    assert values["REDIS_URL"] == f"redis://crowdroute:{of.redis_password}@127.0.0.1:16379/0"
    assert values["KAFKA_CLASSPATH"] == "/cache of 'mine'/kafka/*"


def secured(brokers: int) -> Choices:
    return choices.choose(Wishes(brokers, secure=True))


def test_a_secure_broker_asks_clients_for_a_password_over_tls_at_a_port_of_its_own() -> None:
    of = secured(3)
    for broker in of.brokers:
        settings = kafka.properties(broker, of, TLS)
        assert f"SECURE://127.0.0.1:{broker.secure_port}" in settings["listeners"].split(",")
        assert f"SECURE://127.0.0.1:{broker.secure_port}" in settings["advertised.listeners"].split(",")
        assert "SECURE:SASL_SSL" in settings["listener.security.protocol.map"].split(",")
        assert (
            f'user_crowdroute="{of.kafka_password}"'
            in settings["listener.name.secure.plain.sasl.jaas.config"]
        )


def test_secure_services_are_in_the_env_file_with_what_proves_who_is_who() -> None:
    of = secured(1)
    values = env_file.variables(of, Path("libs"), TLS)
    assert values["KAFKA_SECURE_BOOTSTRAP"] == f"127.0.0.1:{of.brokers[0].secure_port}"
    assert values["KAFKA_SECURE_PASSWORD"] == of.kafka_password
    assert values["REDIS_SECURE_URL"].startswith("rediss://")
    assert values["TLS_AUTHORITY"] == f"{TLS}/authority.pem"


def test_nothing_is_secure_unless_it_is_asked_for() -> None:
    of = chosen(1)
    assert not of.secure
    assert "SECURE" not in kafka.properties_text(kafka.properties(of.brokers[0], of, TLS))
    assert "tls" not in redis_server.configuration(of, TLS)
    assert not any("SECURE" in name for name in env_file.variables(of, Path("libs"), TLS))
