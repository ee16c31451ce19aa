"""What is chosen at the first start of a data folder and kept: brokers, ports, names, a password."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from local_services.errors import ChoiceFixed, ChoicesUnreadable, InvalidWish
from local_services.ports import free_ports
from local_services.private_files import write

# One broker, or the fewest that keep a record on two while any one of them is dead.
BROKER_COUNTS = (1, 3)
HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the environment asks for; None means: whatever was chosen before, else what is free."""

    brokers: int | None = None
    kafka_port: int | None = None
    controller_port: int | None = None
    redis_port: int | None = None
    secure: bool | None = None


@dataclass(frozen=True, slots=True)
class Broker:
    """One Kafka process, which is broker and controller at once."""

    node_id: int
    port: int
    controller_port: int
    directory_id: str
    secure_port: int | None = None
    """Where clients are asked for a password over TLS; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the services of one data folder are called and where they listen."""

    cluster_id: str
    brokers: tuple[Broker, ...]
    redis_port: int
    redis_password: str
    redis_secure_port: int | None = None
    kafka_password: str | None = None
    """Of the user of the brokers' secure ports."""

    @property
    def ports(self) -> list[int]:
        """Every port that a service of this folder listens on."""
        brokers = [(each.port, each.controller_port, each.secure_port) for each in self.brokers]
        redis = (self.redis_port, self.redis_secure_port)
        return [port for ports in (*brokers, redis) for port in ports if port is not None]

    @property
    def secure(self) -> bool:
        """Whether services are reached over TLS too."""
        return self.redis_secure_port is not None


def wishes(environment: Mapping[str, str]) -> Wishes:
    """Reads BROKERS, SECURE, KAFKA_PORT, KAFKA_CONTROLLER_PORT, REDIS_PORT; InvalidWish if one cannot be."""
    brokers = _number(environment, "BROKERS")
    if brokers is not None and brokers not in BROKER_COUNTS:
        raise InvalidWish(f"BROKERS={brokers} cannot be: one broker, or three (BROKERS=3)")
    ports = {
        name: _number(environment, name) for name in ("KAFKA_PORT", "KAFKA_CONTROLLER_PORT", "REDIS_PORT")
    }
    for name, port in ports.items():
        if port is not None and not 0 < port <= HIGHEST_PORT - max(BROKER_COUNTS):
            raise InvalidWish(
                f"{name}={port} cannot be: ports go from 1 to {HIGHEST_PORT - max(BROKER_COUNTS)}"
            )
    secure = _number(environment, "SECURE")
    if secure not in (None, 0, 1):
        raise InvalidWish(f"SECURE={secure} cannot be: 1 for TLS and passwords beside the open ports, or 0")
    return Wishes(
        brokers,
        ports["KAFKA_PORT"],
        ports["KAFKA_CONTROLLER_PORT"],
        ports["REDIS_PORT"],
        None if secure is None else bool(secure),
    )


def choose(asked: Wishes) -> Choices:
    """New choices for an empty data folder; InvalidWish if two services were to share a port."""
    count = asked.brokers or 1
    fixed = [
        *_consecutive(asked.kafka_port, count),
        *_consecutive(asked.controller_port, count),
        *_consecutive(asked.redis_port, 1),
    ]
    if len(set(fixed)) < len(fixed):
        raise InvalidWish(
            f"KAFKA_PORT, KAFKA_CONTROLLER_PORT (each and the {count - 1} above it) and REDIS_PORT overlap: "
            f"{', '.join(map(str, fixed))}"
        )
    secure_count = count + 1 if asked.secure else 0
    free = free_ports(2 * count + 1 - len(fixed) + secure_count, taken=fixed)
    secure_ports = [free.pop() if asked.secure else None for _ in range(count)]
    ports = _consecutive(asked.kafka_port, count) or [free.pop() for _ in range(count)]
    controller_ports = _consecutive(asked.controller_port, count) or [free.pop() for _ in range(count)]
    return Choices(
        cluster_id=kafka_id(),
        brokers=tuple(
            Broker(node_id, port, controller_port, kafka_id(), secure_port)
            for node_id, (port, controller_port, secure_port) in enumerate(
                zip(ports, controller_ports, secure_ports, strict=True), start=1
            )
        ),
        redis_port=asked.redis_port or free.pop(),
        redis_password=secrets.token_urlsafe(24),
        redis_secure_port=free.pop() if asked.secure else None,
        kafka_password=secrets.token_urlsafe(24) if asked.secure else None,
    )


def check_kept(kept: Choices, asked: Wishes, directory: Path) -> None:
    """Raises ChoiceFixed if the environment asks for something else than `directory` was made with.

    Controllers find each other by the ports that the first start wrote into their log, and a replica that
    was never made cannot be promised: so nothing is changed behind an existing folder.
    """
    first = kept.brokers[0]
    for name, wanted, has in (
        ("BROKERS", asked.brokers, len(kept.brokers)),
        ("SECURE", None if asked.secure is None else int(asked.secure), int(kept.secure)),
        ("KAFKA_PORT", asked.kafka_port, first.port),
        ("KAFKA_CONTROLLER_PORT", asked.controller_port, first.controller_port),
        ("REDIS_PORT", asked.redis_port, kept.redis_port),
    ):
        if wanted is not None and wanted != has:
            raise ChoiceFixed(
                f"{name}={wanted}, but the services in {directory} were made with {name}={has}: leave {name} "
                "unset, name another folder in CROWDROUTE_SERVICES_DIR, or stop them and remove the folder "
                "with its data"
            )


def load(path: Path) -> Choices | None:
    """The choices kept in `path`, or None if there are none; ChoicesUnreadable if it is damaged."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        fields = json.loads(text)
        brokers = tuple(Broker(**broker) for broker in fields.pop("brokers"))
        return Choices(brokers=brokers, **fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ChoicesUnreadable(
            f"{path} is damaged ({error}): put it back, or remove its folder with all data in it"
        ) from error


def save(choices: Choices, path: Path) -> None:
    """Writes what `load` reads; only the owner can read it, because it holds a password."""
    write(path, json.dumps(asdict(choices), indent=2) + "\n")


def kafka_id() -> str:
    """A random id as Kafka writes its own: 128 bits in URL-safe base64, never with a dash in front."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # An option of a command line begins with a dash.
        if not text.startswith("-"):
            return text


def _number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name, "")
    if not text:
        return None
    if not text.isdecimal():
        raise InvalidWish(f"{name}={text} cannot be: it must be a whole number")
    return int(text)


def _consecutive(first: int | None, count: int) -> list[int]:
    return [] if first is None else [first + step for step in range(count)]
