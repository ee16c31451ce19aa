"""A plugin of pytest that runs tests with a defect in place: `-p tests.invariants.planting --plant NAME`."""

from __future__ import annotations

import pytest
from tests.invariants import defects


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plant", required=True, help="name of a defect of tests/invariants/defects.py")


@pytest.fixture(autouse=True)
def planted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break what the test relies on."""
    getattr(defects, request.config.getoption("--plant"))(monkeypatch)
