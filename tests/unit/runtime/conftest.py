"""Logs in files that a test names and need not close."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crowdroute.router.adapters.sqlite_log import SqliteLog


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[str], SqliteLog]]:
    logs: list[SqliteLog] = []

    def open_log(name: str) -> SqliteLog:
        logs.append(SqliteLog(tmp_path / name))
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()
