"""The compose files are such, and set up the engine and the services as the rest of the project does.

A parser of the Compose Specification that knows every key reads them, without network or container engine.
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

from crowdroute.router.runtime.settings import Settings, load_settings
from local_services import artifacts, choices, kafka

FILE = REPOSITORY / "deploy" / "compose.yaml"
CLUSTER = REPOSITORY / "deploy" / "compose.cluster.yaml"
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


def composed(*files: Path) -> dict[str, Any]:
    """Give what Compose makes of files of which each lies over those before it."""
    whole: dict[str, Any] = {}
    for file in files:
        whole = over(whole, yaml.safe_load(file.read_text()))
    return whole


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, dict) and key in below:
            merged[key] = over(below[key], value)
        else:
            assert key not in below, f"{key} is in two files: which one counts depends on what it is"
            merged[key] = value
    return merged


def told(engine: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Give the settings that a container of the engine would come to."""
    for name, value in engine["environment"].items():
        monkeypatch.setenv(name, value)
    return load_settings()


def parse(text: str) -> None:
    """Raise ValueError for what is no compose file."""
    compose_spec.PyCompose.from_yaml(text).validate()


@pytest.mark.parametrize("file", [FILE, CLUSTER], ids=lambda file: file.name)
def test_it_is_a_compose_file(file: Path) -> None:
    parse(file.read_text())


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


@pytest.mark.parametrize("files", [(FILE,), (FILE, CLUSTER)], ids=len)
def test_every_volume_and_secret_of_a_service_is_declared(files: tuple[Path, ...]) -> None:
    whole = composed(*files)
    for service in whole["services"].values():
        for mount in service.get("volumes", ()):
            assert mount.partition(":")[0] in whole["volumes"]
        assert set(service.get("secrets", ())) <= whole.get("secrets", {}).keys()


def test_every_service_has_a_health_check_a_limit_and_ports_of_this_machine_only() -> None:
    for service in composed(FILE, CLUSTER)["services"].values():
        assert service["healthcheck"]["test"]
        assert service["mem_limit"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_what_the_engine_is_told_are_settings_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = composed(FILE)["services"]["engine"]
    settings = told(engine, monkeypatch)
    assert settings.address == "0.0.0.0:7070"
    assert settings.metrics is not None
    assert f"{settings.metrics.address}/metrics".replace("0.0.0.0", "127.0.0.1") in str(engine["healthcheck"])
    assert f"engine:{settings.directory}" in engine["volumes"]
    assert f"VOLUME {settings.directory}" in DOCKERFILE.read_text()
    assert settings.redis is None


def test_the_engine_has_its_directory_in_the_redis_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    services = composed(FILE, CLUSTER)["services"]
    password = Path(services["engine"]["environment"]["CROWDROUTE_REDIS__PASSWORD_FILE"])
    (tmp_path / password.name).write_text("secret")
    services["engine"]["environment"]["CROWDROUTE_REDIS__PASSWORD_FILE"] = str(tmp_path / password.name)
    redis = told(services["engine"], monkeypatch).redis
    assert redis is not None
    host, _, port = redis.server.partition(":")
    assert services[host]["image"].startswith("redis:")
    assert [mapped.rpartition(":")[2] for mapped in services[host]["ports"]] == [port]
    assert f"user {redis.user} on #" in str(services[host]["command"])
    assert redis.authority is None
    assert password.parent == Path("/run/secrets")
    for service in (services["engine"], services[host]):
        assert service["secrets"] == [password.name]
    assert f"cat {password}" in str(services[host]["command"])


def test_a_secret_of_a_read_only_service_is_a_file() -> None:
    whole = composed(FILE, CLUSTER)
    given = {
        secret
        for service in whole["services"].values()
        if service.get("read_only")
        for secret in service.get("secrets", ())
    }
    assert given
    for secret in given:
        assert whole["secrets"][secret].keys() == {"file"}


def test_the_guide_makes_the_file_of_the_secret_and_git_does_not_see_it() -> None:
    file = f"deploy/{composed(CLUSTER)['secrets']['redis-password']['file']}"
    assert f"> {file}" in (REPOSITORY / "docs" / "cluster.md").read_text()
    assert f"/{file}" in (REPOSITORY / ".gitignore").read_text().splitlines()


def test_a_misspelt_setting_of_the_engine_would_be_seen() -> None:
    known = {"CROWDROUTE_" + name.upper() for name in load_settings().model_dump()}
    for name in composed(FILE, CLUSTER)["services"]["engine"]["environment"]:
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
        in composed(CLUSTER)["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    )


def test_the_broker_is_set_up_as_the_one_that_is_tested() -> None:
    given = composed(CLUSTER)["services"]["kafka"]["environment"]
    ours = kafka.properties(*one_broker(), Path("tls"))
    broker = {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): value
        for name, value in given.items()
        if name.startswith("KAFKA_")
    }
    assert without_addresses(broker) == without_addresses(ours)


def one_broker() -> tuple[choices.Broker, choices.Choices]:
    broker = choices.Broker(1, 20_001, 20_002, choices.kafka_id())
    return broker, choices.Choices(choices.kafka_id(), (broker,), 20_003, "secret")


def without_addresses(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name not in ADDRESSES}


def test_the_broker_is_of_the_version_that_is_tested() -> None:
    assert composed(CLUSTER)["services"]["kafka"]["image"] == f"apache/kafka:{artifacts.kafka_version()}"


def test_the_image_holds_what_a_wheel_is_built_of() -> None:
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE))
    names = {name for line in copied for name in line.split()}
    allowed = re.findall(r"^!(\S+)$", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE)
    assert names == set(allowed)
    assert all((REPOSITORY / name).exists() for name in names)
