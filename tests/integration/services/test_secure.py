"""Services over TLS: whoever has the authority and the password is let in, and nobody else."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.certificates import make_certificate
from tests.support.processes import PYTHONPATH
from tests.support.services import Services

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime.clustered import connection_to
from crowdroute.router.runtime.settings import KafkaLogSettings

pytestmark = pytest.mark.cluster

PATIENCE_MS = 5_000
"""How long a client tries to get in."""


@pytest.fixture(scope="module")
def secure(requirements: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    stack = Services(tmp_path_factory.mktemp("services"), {"SECURE": "1"})
    stack.up()
    yield stack
    stack.down()


def asked(services: Services, password: str) -> subprocess.CompletedProcess[str]:
    """Ask Kafka over TLS for its brokers, in a process: a client in vain leaves sockets open."""
    told = services.variables()
    settings = {
        "bootstrap_servers": told["KAFKA_SECURE_BOOTSTRAP"].split(","),
        "bootstrap_timeout_ms": PATIENCE_MS,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": told["KAFKA_SECURE_USER"],
        "sasl_plain_password": password,
        "ssl_cafile": told["TLS_AUTHORITY"],
    }
    program = (
        "import json, sys; from kafka.admin import KafkaAdminClient\n"
        "print(len(KafkaAdminClient(**json.loads(sys.argv[1])).describe_cluster()['brokers']))"
    )
    command = [sys.executable, "-c", program, json.dumps(settings)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_kafka_lets_in_whoever_has_the_password(secure: Services) -> None:
    ran = asked(secure, secure.variables()["KAFKA_SECURE_PASSWORD"])
    assert ran.stdout == "1\n", ran.stderr


def test_kafka_lets_in_nobody_else(secure: Services) -> None:
    ran = asked(secure, "guessed")
    assert ran.returncode == 1
    assert "KafkaTimeoutError: Unable to bootstrap" in ran.stderr


def test_a_client_without_the_authority_does_not_trust_kafka(secure: Services) -> None:
    host, _, port = secure.variables()["KAFKA_SECURE_BOOTSTRAP"].partition(":")
    with (
        socket.create_connection((host, int(port))) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def test_redis_answers_over_tls_with_and_without_a_certificate_of_the_client(secure: Services) -> None:
    import redis

    told = secure.variables()
    url, authority = told["REDIS_SECURE_URL"], told["TLS_AUTHORITY"]
    ours = {"ssl_certfile": told["TLS_CERTIFICATE"], "ssl_keyfile": told["TLS_KEY"]}
    for more in ({}, ours):
        with redis.Redis.from_url(url, ssl_ca_certs=authority, **more) as client:
            assert client.ping()


def test_a_client_without_the_authority_does_not_trust_redis(secure: Services) -> None:
    import redis

    with (
        redis.Redis.from_url(secure.variables()["REDIS_SECURE_URL"]) as client,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.ping()


def test_the_open_ports_are_there_as_well(secure: Services) -> None:
    from tests.integration.services import kafka_client

    kafka_client.make_topic(secure.bootstrap, "open", kafka_client.LOG)
    assert "open" in kafka_client.topics(secure.bootstrap)


def kafka_settings(services: Services, password_file: Path) -> KafkaLogSettings:
    told = services.variables()
    return KafkaLogSettings(
        servers=told["KAFKA_SECURE_BOOTSTRAP"].split(","),
        name="secure",
        durability="single-broker",
        authority=Path(told["TLS_AUTHORITY"]),
        user=told["KAFKA_SECURE_USER"],
        password_file=password_file,
        mechanism="PLAIN",
    )


def refusal(settings: KafkaLogSettings) -> str:
    """What the engine says when it tries to get in; in a process, as above."""
    program = (
        "import sys\n"
        "from crowdroute.router.adapters import kafka_client\n"
        "from crowdroute.router.errors import StorageError\n"
        "from crowdroute.router.runtime.clustered import connection_to\n"
        "from crowdroute.router.runtime.settings import KafkaLogSettings\n"
        f"kafka_client.CONNECT_MS = {PATIENCE_MS // 2}\n"
        "try:\n"
        "    connection_to(KafkaLogSettings.model_validate_json(sys.argv[1])).admin()\n"
        "except StorageError as error:\n"
        "    print(error.message)\n"
    )
    command = [sys.executable, "-c", program, settings.model_dump_json()]
    environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_wrong_password_is_not_taken_for_a_broker_that_is_away(secure: Services, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("guessed")
    told = refusal(kafka_settings(secure, password))
    assert "does not take this client in" in told
    assert "user and password_file" in told


def test_brokers_of_another_authority_are_told_as_not_trusted(secure: Services, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(secure.variables()["KAFKA_SECURE_PASSWORD"])
    make_certificate(tmp_path, "other", "another authority")
    settings = kafka_settings(secure, password).model_copy(update={"authority": tmp_path / "other.pem"})
    told = refusal(settings)
    assert "is not trusted over TLS (CERTIFICATE_VERIFY_FAILED)" in told


def test_a_log_is_kept_over_tls_with_a_password_from_a_file(secure: Services, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(secure.variables()["KAFKA_SECURE_PASSWORD"] + "\n")
    connection = connection_to(kafka_settings(secure, password))
    place = KafkaPlace(connection, "secure", 0, 1, Durability.SINGLE_BROKER, tmp_path / "node")
    log = open_kafka_log(place, 0)
    batch = StoredBatch(1, log.epoch, chain(log.head()[1], b"one"), b"one")
    asyncio.run(log.append(batch, [ContentChange("item/1", b"text")]))
    log.close()
    again = open_kafka_log(place._replace(directory=tmp_path / "other node"), 1, query_lease_us=1000)
    assert [stored.body for stored in again.read()] == [b"one"]
    assert again.select(["item/1"]) == {"item/1": b"text"}
    again.close()
