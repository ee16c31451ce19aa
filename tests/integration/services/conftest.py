"""Real services, one set per module; without what they need: skipped on a laptop, a failure in CI."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

import pytest
from tests.support.services import Services

from local_services import artifacts, programs
from local_services.errors import ServicesError

CLIENTS = ("kafka", "redis", "crc32c")


@pytest.fixture(scope="session")
def requirements() -> None:
    """Everything that the services and their clients need is there; Kafka's jars are fetched if need be."""
    absent = [name for name in CLIENTS if importlib.util.find_spec(name) is None]
    if absent:
        missing(f"{', '.join(absent)} cannot be imported: install crowdroute[cluster]")
    try:
        programs.require([programs.JAVA, programs.REDIS])
        artifacts.ensure(os.environ, print)
    except ServicesError as error:
        missing(str(error))


@pytest.fixture(scope="module")
def brokers() -> int:
    """How many brokers the module's services have."""
    return 1


@pytest.fixture(scope="module")
def services(
    requirements: None, brokers: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Services]:
    """Services that were started for this module; a test that stops them starts them again."""
    stack = Services(tmp_path_factory.mktemp("services"), {"BROKERS": str(brokers)})
    stack.up()
    yield stack
    stack.down()


def missing(what: str) -> None:
    """Ends the test: real services are part of the check in CI, and no duty on a laptop."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
