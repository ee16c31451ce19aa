"""The files of a log are their owner's alone, whatever the umask says."""

from __future__ import annotations

import os
from pathlib import Path

from crowdroute.router.adapters.sqlite_log import SqliteLog


def test_nobody_else_can_read_the_database_or_the_files_beside_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log = SqliteLog(tmp_path / "engine")
        try:
            modes = {
                path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "engine").glob("shard-0.*")
            }
            folder = (tmp_path / "engine").stat().st_mode & 0o077
        finally:
            log.close()
    finally:
        os.umask(before)
    assert folder == 0
    assert len(modes) >= 2
    assert set(modes.values()) == {0}
