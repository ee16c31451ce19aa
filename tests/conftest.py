"""What every test may rely on: Hypothesis settings, and the recorded crowds."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from tests.support.compiled import forget_stale_code
from tests.support.s3 import S3, s3_served
from tests.support.services_together import ServicesTogether

# No deadline: the machine's load must not decide a test, and the first call of a compiled function compiles
# it. In CI the examples are the same on each run, and a failure prints what reproduces it.
settings.register_profile("laptop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("laptop"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")

REPOSITORY = Path(__file__).resolve().parent.parent


forget_stale_code(REPOSITORY / "aggregation" / "crowdroute" / "aggregation")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ServicesTogether | None:
    """Schedule tests of real services (`--dist loadfile`); pytest-xdist schedules the others."""
    return ServicesTogether(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The directory of recorded crowds: absent, the test is skipped on a laptop and fails in CI."""
    directory = Path(os.environ.get("CROWDROUTE_DATASETS", REPOSITORY.parent / "shared" / "datasets"))
    if not directory.is_dir():
        message = f"no recorded crowds at {directory}: set CROWDROUTE_DATASETS to their directory"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return directory


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """A store that speaks S3."""
    with s3_served() as served:
        yield served


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The same, as the environment of a process that may use it names it."""
    s3_server.allow(monkeypatch)
    return s3_server
