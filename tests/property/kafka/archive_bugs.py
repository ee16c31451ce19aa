"""Defects planted in the archive one at a time, as in `bugs`."""

from __future__ import annotations

import pytest

from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.log_archive import LogArchive


def deletes_what_is_not_archived(monkeypatch: pytest.MonkeyPatch) -> None:
    """The topic lets go of a record behind the archive's end."""
    original = LogArchive.deletable

    def deletable(self: LogArchive, log_start: int, snapshot: int) -> int:
        return original(self, log_start, snapshot) + 3

    monkeypatch.setattr(LogArchive, "deletable", deletable)


def archives_valid_batches_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims are not archived, so that a reader cannot tell which batches count."""
    original = LogArchive.write

    def write(self: LogArchive, begin: Position, end: Position, records: list[bytes]) -> None:
        original(self, begin, end, [record for record in records if record[1] == 2])

    monkeypatch.setattr(LogArchive, "write", write)
