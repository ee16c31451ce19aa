"""The compose file is one, and sets up the engine and the services as the rest of the project does.

It is read by a parser of the Compose Specification that knows every key, without network or container engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml
from tests.support.services import REPOSITORY

from crowdroute.router.runtime.settings import load_settings
from local_services import artifacts, choices, kafka

FILE = REPOSITORY / "deploy" / "compose.yaml"
DOCKERFILE = REPOSITORY / "deploy" / "Dockerfile"
ADDRESSES = {
    "listeners",
    "advertised.listeners",
    "listener.security.protocol.map",
    "controller.quorum.bootstrap.servers",
    "controller.quorum.voters",
    "log.dirs",
}
"""Settings of a broker that say where it is."""


def composed() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return read


def parse(text: str) -> None:
    """Raise ValueError for what is no compose file."""
    compose_spec.PyCompose.from_yaml(text).validate()


def test_it_is_a_compose_file() -> None:
    parse(FILE.read_text())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("stop_grace_period:", "stop_grace:"),
        ("retries: 3", "retry: 3"),
        ("restart: unless-stopped", "restart: sometimes"),
        ("127.0.0.1:7070:7070", "127.0.0.1:x:7070"),
        ("\nvolumes:", "\nvolume:"),
    ],
)
def test_a_wrong_key_or_value_is_refused(right: str, wrong: str) -> None:
    text = FILE.read_text()
    assert right in text
    with pytest.raises(ValueError, match="line"):
        parse(text.replace(right, wrong, 1))


def test_every_volume_and_secret_of_a_service_is_declared() -> None:
    whole = composed()
    for service in whole["services"].values():
        for mount in service.get("volumes", ()):
            assert mount.partition(":")[0] in whole["volumes"]
        assert set(service.get("secrets", ())) <= whole["secrets"].keys()


def test_every_service_has_a_health_check_a_limit_and_ports_of_this_machine_only() -> None:
    for service in composed()["services"].values():
        assert service["healthcheck"]["test"]
        assert service["mem_limit"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_what_the_engine_is_told_are_settings_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = composed()["services"]["engine"]
    for name, value in engine["environment"].items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.address == "0.0.0.0:7070"
    assert settings.metrics is not None
    assert f"{settings.metrics.address}/metrics".replace("0.0.0.0", "127.0.0.1") in str(engine["healthcheck"])
    assert f"engine:{settings.directory}" in engine["volumes"]
    assert f"VOLUME {settings.directory}" in DOCKERFILE.read_text()


def test_a_misspelt_setting_of_the_engine_would_be_seen() -> None:
    known = {"CROWDROUTE_" + name.upper() for name in load_settings().model_dump()}
    for name in composed()["services"]["engine"]["environment"]:
        assert name.partition("__")[0] in known


def test_the_guide_puts_the_log_on_the_broker_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (REPOSITORY / "docs" / "cluster.md").read_text().partition("\n## Compose\n")[2]
    for name, value in re.findall(r"^    (CROWDROUTE_KAFKA__\w+)=(.*)$", guide, re.MULTILINE):
        monkeypatch.setenv(name, value)
    kafka_settings = load_settings().kafka
    assert kafka_settings is not None
    (server,) = kafka_settings.servers
    assert (
        f"PLAINTEXT://{server}"
        in composed()["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    )


def test_the_broker_is_set_up_as_the_one_that_is_tested() -> None:
    given = composed()["services"]["kafka"]["environment"]
    ours = kafka.properties(*one_broker(), Path("tls"))
    told = {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): value
        for name, value in given.items()
        if name.startswith("KAFKA_")
    }
    assert without_addresses(told) == without_addresses(ours)


def one_broker() -> tuple[choices.Broker, choices.Choices]:
    broker = choices.Broker(1, 20_001, 20_002, choices.kafka_id())
    return broker, choices.Choices(choices.kafka_id(), (broker,), 20_003, "secret")


def without_addresses(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name not in ADDRESSES}


def test_the_broker_is_of_the_version_that_is_tested() -> None:
    assert composed()["services"]["kafka"]["image"] == f"apache/kafka:{artifacts.kafka_version()}"


def test_the_image_holds_what_a_wheel_is_built_of() -> None:
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE))
    names = {name for line in copied for name in line.split()}
    allowed = re.findall(r"^!(\S+)$", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE)
    assert names == set(allowed)
    assert all((REPOSITORY / name).exists() for name in names)
