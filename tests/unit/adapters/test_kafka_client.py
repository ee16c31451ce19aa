"""What keeps a client of Kafka from being made is told as what it is; nothing here needs kafka-python."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.certificates import make_certificate

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_topics import Durability, ensure_feeds, ensure_topics, look_at_log
from crowdroute.router.errors import ConfigurationError

NOBODY = KafkaConnection(("127.0.0.1:1",))
ONE = Durability.SINGLE_BROKER


@pytest.mark.parametrize(
    "use",
    [
        lambda: ensure_topics(NOBODY, "log", 1, ONE),
        lambda: ensure_feeds(NOBODY, "tasks", "letters", ONE),
        lambda: look_at_log(NOBODY, "log", 1, ONE),
        lambda: KafkaPartition(NOBODY, "log", 0),
        lambda: KafkaSender(NOBODY, "log", 0),
    ],
)
def test_without_the_library_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, use: Callable[[], object]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'crowdroute\[cluster\]'"):
        use()


def test_files_of_tls_that_cannot_be_used_are_not_told_as_a_broker_that_is_not_trusted(
    tmp_path: Path,
) -> None:
    for name in ("one", "other"):
        make_certificate(tmp_path, name, name)
    (tmp_path / "text").write_text("no certificate")
    sound = {"ssl_cafile": str(tmp_path / "one.pem")}
    for wrong in (
        {"ssl_cafile": str(tmp_path / "text")},
        {**sound, "ssl_certfile": str(tmp_path / "one.pem"), "ssl_keyfile": str(tmp_path / "other.key")},
        {**sound, "ssl_certfile": str(tmp_path / "one.pem"), "ssl_keyfile": str(tmp_path / "gone")},
    ):
        with socket.create_server(("127.0.0.1", 0)) as listening:
            place = f"127.0.0.1:{listening.getsockname()[1]}"
            with pytest.raises(ConfigurationError, match=rf"for Kafka at {place} cannot be used .*PEM form"):
                KafkaConnection((place,), wrong)._knock()
