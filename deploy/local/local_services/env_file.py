"""The file that tells shells and tests where the services are."""

from __future__ import annotations

import shlex
from pathlib import Path

from local_services.choices import Choices
from local_services.ports import HOST
from local_services.redis_server import USER


def variables(choices: Choices, libs: Path) -> dict[str, str]:
    """The addresses of running services, and the class path of Kafka's own command-line tools."""
    return {
        "KAFKA_BOOTSTRAP": ",".join(f"{HOST}:{broker.port}" for broker in choices.brokers),
        "KAFKA_CLASSPATH": f"{libs}/*",
        "REDIS_URL": f"redis://{USER}:{choices.redis_password}@{HOST}:{choices.redis_port}/0",
    }


def text(values: dict[str, str]) -> str:
    """`values` as lines that a POSIX shell can source."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
