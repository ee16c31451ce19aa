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


@dataclass(frozen=True, slots=True)
class Broker:
    """One Kafka process, which is broker and controller at once."""

    node_id: int
    port: int
    controller_port: int
    directory_id: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the services of one data folder are called and where they listen."""

    cluster_id: str
    brokers: tuple[Broker, ...]
    redis_port: int
    redis_password: str

    @property
    def ports(self) -> list[int]:
        """Every port that a service of this folder listens on."""
        of_brokers = [port for broker in self.brokers for port in (broker.port, broker.controller_port)]
        return [*of_brokers, self.redis_port]


def wishes(environment: Mapping[str, str]) -> Wishes:
    """Reads BROKERS, KAFKA_PORT, KAFKA_CONTROLLER_PORT and REDIS_PORT; InvalidWish if one cannot be."""
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
    return Wishes(brokers, ports["KAFKA_PORT"], ports["KAFKA_CONTROLLER_PORT"], ports["REDIS_PORT"])


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
    free = free_ports(2 * count + 1 - len(fixed), taken=fixed)
    ports = _consecutive(asked.kafka_port, count) or [free.pop() for _ in range(count)]
    controller_ports = _consecutive(asked.controller_port, count) or [free.pop() for _ in range(count)]
    return Choices(
        cluster_id=kafka_id(),
        brokers=tuple(
            Broker(node_id, port, controller_port, kafka_id())
            for node_id, (port, controller_port) in enumerate(
                zip(ports, controller_ports, strict=True), start=1
            )
        ),
        redis_port=asked.redis_port or free.pop(),
        redis_password=secrets.token_urlsafe(24),
    )


def check_kept(kept: Choices, asked: Wishes, directory: Path) -> None:
    """Raises ChoiceFixed if the environment asks for something else than `directory` was made with.

    Controllers find each other by the ports that the first start wrote into their log, and a replica that
    was never made cannot be promised: so nothing is changed behind an existing folder.
    """
    first = kept.brokers[0]
    for name, wanted, has in (
        ("BROKERS", asked.brokers, len(kept.brokers)),
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
