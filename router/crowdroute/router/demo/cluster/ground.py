"""What the demonstration stands on: a Kafka and a Redis that run, a free pair of ports, settings for all."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_topics import Durability, ensure_feeds, ensure_outbox
from crowdroute.router.adapters.kafka_trial import trial_topics
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.cluster.ray_local import NODE
from crowdroute.router.runtime.settings import FeedSettings, Settings, load_settings

SHARDS = ACTORS = 2
DURABILITY = Durability.SINGLE_BROKER
PORT_TRIES = 50


@dataclass(frozen=True)
class Services:
    """Where Kafka and Redis are."""

    kafka: tuple[str, ...]
    """host:port of some brokers."""
    redis: str
    """redis://USER:PASSWORD@HOST:PORT/DATABASE."""


def settings_for(services: Services, folder: Path, name: str, port: int) -> Settings:
    """Give the settings of the cluster.

    Args:
        services: that it uses.
        folder: of the demonstration; secrets are written there, and shards' copies come to lie there.
        name: of topics, and of the namespace in Redis.
        port: of the first actor; the second has the next.

    Raises:
        ConfigurationError: an address is none, or the name cannot be a topic's.
    """
    secret, password_file = folder / "peers.secret", folder / "redis.password"
    _write(secret, secrets.token_hex(32))
    kafka = {"servers": list(services.kafka), "name": name, "durability": DURABILITY.value}
    redis, password = _redis(services.redis)
    if password:
        _write(password_file, password)
        redis["password_file"] = password_file
    return load_settings(
        directory=folder / "shards",
        address=f"{NODE}:{port}",
        shards=SHARDS,
        snapshots=False,
        grace_seconds=0.5,
        limits={"calls_per_second": 0},
        peers={"address": f"{NODE}:0", "secret_file": secret},
        kafka=kafka,
        redis={**redis, "namespace": name},
        feeds=kafka,
        cluster={"actors": ACTORS},
        log_level="warning",
    )


def _redis(url: str) -> tuple[dict[str, object], str]:
    """Give the settings that an address holds, and the password."""
    try:
        parts = urlsplit(url)
        port, database = parts.port or 6379, int(parts.path.strip("/") or 0)
    except ValueError as error:
        raise ConfigurationError(f"--redis is no address ({error}): {_REDIS_FORM}") from error
    if parts.scheme != "redis" or not parts.hostname:
        raise ConfigurationError(f"--redis is no address: {_REDIS_FORM}")
    made = {"server": f"{parts.hostname}:{port}", "database": database, "user": unquote(parts.username or "")}
    return made, unquote(parts.password or "")


_REDIS_FORM = "give redis://USER:PASSWORD@HOST:PORT/0, as REDIS_URL in .services/env has it"


def _write(file: Path, secret: str) -> None:
    file.touch(mode=0o600)
    file.write_text(secret)


def ports_from(wanted: int) -> int:
    """Give the first of as many free ports in a row as there are actors.

    Args:
        wanted: the first; 0: any.

    Raises:
        ConfigurationError: one of them is taken.
    """
    for _ in range(1 if wanted else PORT_TRIES):
        first = wanted or _free_port()
        taken = [port for port in range(first, first + ACTORS) if not _is_free(port)]
        if not taken:
            return first
    raise ConfigurationError(
        f"port {taken[0]} of {NODE} is taken by another program: name another with --port, or leave it out"
    )


def _free_port() -> int:
    with socket.create_server((NODE, 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server((NODE, port)).close()
    except (OSError, OverflowError):
        return False
    return True


@contextlib.contextmanager
def own_topics(connection: KafkaConnection, feeds: FeedSettings) -> Iterator[None]:
    """Have the topics of the feeds made; all of the name are removed when the block ends.

    Raises:
        ConfigurationError: there are some already.
        StorageError: no broker answers.
    """
    with trial_topics(connection, feeds.name):
        # The first of them at once, so that a second demonstration sees that there is one.
        ensure_feeds(connection, feeds.topic("tasks"), feeds.topic("dead-letter"), DURABILITY)
        told = [feeds.topic(kind) for kind in feeds.out]
        ensure_outbox(connection, told, feeds.topic("outbox"), SHARDS, DURABILITY)
        yield
