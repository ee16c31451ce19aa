"""The real services, for the adapters that need them, and folders at URLs."""

import secrets
from pathlib import Path

import pytest
from tests.integration.services.conftest import brokers, requirements, services
from tests.support.s3 import BUCKET

__all__ = ["brokers", "folder_url", "requirements", "services"]


@pytest.fixture(params=["file", "memory", "s3"])
def folder_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty folder in each kind of store."""
    name = secrets.token_hex(4)
    if request.param == "s3":
        request.getfixturevalue("s3")
    return {"file": f"file://{tmp_path}/{name}", "memory": f"memory://{name}", "s3": f"s3://{BUCKET}/{name}"}[
        request.param
    ]
