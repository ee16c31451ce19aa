"""What the demonstration stands on is looked at before anything is started."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from crowdroute.router.demo.cluster.ground import ACTORS, Services, ports_from, settings_for
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.cluster.ray_local import NODE
from crowdroute.router.runtime.settings import Settings

KAFKA = ("127.0.0.1:9092",)


def test_free_ports_are_found_and_a_pair_that_is_wanted_is_kept() -> None:
    first = ports_from(0)
    assert ports_from(first) == first


@pytest.mark.parametrize("which", range(ACTORS))
def test_a_port_that_is_taken_is_named(which: int) -> None:
    first = ports_from(0)
    with (
        socket.create_server((NODE, first + which)),
        pytest.raises(ConfigurationError, match=f"port {first + which} of {NODE} is taken"),
    ):
        ports_from(first)


def test_the_settings_are_those_of_a_cluster_with_feeds_and_keep_secrets_in_files_of_their_own(
    tmp_path: Path,
) -> None:
    made = settings_for(Services(KAFKA, "redis://me:se%40cret@127.0.0.1:6379/2"), tmp_path, "trial", 7000)
    again = Settings.model_validate_json(made.model_dump_json())  # as actors get them
    assert again.model_dump() == made.model_dump()
    assert made.feeds is not None
    assert made.feeds.topic("tasks") == "trial.tasks"
    assert made.kafka is not None
    assert made.kafka.name == "trial"
    assert made.redis is not None
    assert (made.redis.server, made.redis.database, made.redis.user) == ("127.0.0.1:6379", 2, "me")
    assert made.redis.namespace == "trial"
    assert made.redis.password_file is not None
    assert made.redis.password_file.read_text() == "se@cret"
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("kafka", "name", "setting"), [(("nowhere",), "trial", "kafka.servers"), (KAFKA, "a trial", "kafka.name")]
)
def test_what_no_setting_can_be_is_named(
    kafka: tuple[str, ...], name: str, setting: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        settings_for(Services(kafka, "redis://127.0.0.1:6379"), tmp_path, name, 7000)


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "redis://", "redis://h:many/0", "redis://h:1/first"])
def test_an_address_of_redis_that_is_none_is_refused_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="redis://USER:PASSWORD@HOST:PORT/0"):
        settings_for(Services(KAFKA, url), tmp_path, "trial", 7000)
