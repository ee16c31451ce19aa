"""The file that tells shells and tests where the services are."""

from __future__ import annotations

import shlex
from pathlib import Path

from local_services.certificates import AUTHORITY, CLIENT, CLIENT_KEY
from local_services.choices import Choices
from local_services.kafka import USER as KAFKA_USER
from local_services.ports import HOST
from local_services.redis_server import USER


def variables(choices: Choices, libs: Path, certificates: Path) -> dict[str, str]:
    """The addresses of running services, and the class path of Kafka's own command-line tools."""
    open_ways = {
        "KAFKA_BOOTSTRAP": ",".join(f"{HOST}:{broker.port}" for broker in choices.brokers),
        "KAFKA_CLASSPATH": f"{libs}/*",
        "REDIS_URL": f"redis://{USER}:{choices.redis_password}@{HOST}:{choices.redis_port}/0",
    }
    return open_ways | _secure_ways(choices, certificates) if choices.secure else open_ways


def _secure_ways(choices: Choices, certificates: Path) -> dict[str, str]:
    """The same over TLS, with what proves who is who."""
    redis = f"{USER}:{choices.redis_password}@{HOST}:{choices.redis_secure_port}/0"
    return {
        "KAFKA_SECURE_BOOTSTRAP": ",".join(f"{HOST}:{broker.secure_port}" for broker in choices.brokers),
        "KAFKA_SECURE_USER": KAFKA_USER,
        "KAFKA_SECURE_PASSWORD": choices.kafka_password or "",
        "REDIS_SECURE_URL": f"rediss://{redis}",
        "TLS_AUTHORITY": str(certificates / AUTHORITY),
        "TLS_CERTIFICATE": str(certificates / CLIENT),
        "TLS_KEY": str(certificates / CLIENT_KEY),
    }


def text(values: dict[str, str]) -> str:
    """`values` as lines that a POSIX shell can source."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
