"""Defects planted in the archive one at a time, as in `bugs`."""

from __future__ import annotations

import msgspec
import pytest

from crowdroute.router.adapters import kafka_archiving
from crowdroute.router.adapters.kafka_archiving import Deletion
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.log_archive import LogArchive


def deletes_what_is_not_archived(monkeypatch: pytest.MonkeyPatch) -> None:
    """The topic lets go of a record behind the archive's end."""
    original = LogArchive.deletable

    def deletable(self: LogArchive, log_start: int, snapshot: int) -> int:
        return original(self, log_start, snapshot) + 3

    monkeypatch.setattr(LogArchive, "deletable", deletable)


def deletes_by_the_snapshot_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is behind a snapshot is deleted before it is archived."""

    def advance(self: Deletion, _archive: LogArchive, log_start: int) -> int:
        before = max(self._newest(), log_start)
        self._delete(before)
        return before

    monkeypatch.setattr(Deletion, "advance", advance)


def deletes_before_it_is_in_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is archived is deleted, however far the snapshots are."""
    monkeypatch.setattr(Deletion, "_newest", lambda _: 1 << 40)


def relies_on_half_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot that is there counts, whether it can be read or not."""
    monkeypatch.setattr(kafka_archiving, "read_shared", lambda _folder, _sequence: None)


def archives_valid_batches_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims are not archived, so that a reader cannot tell which batches count."""
    original = LogArchive.write

    def write(self: LogArchive, begin: Position, end: Position, records: list[bytes]) -> int:
        return original(self, begin, end, [record for record in records if record[1] == 2])

    monkeypatch.setattr(LogArchive, "write", write)


def closes_a_range_without_its_last_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record that fills a range is in none."""
    original = LogArchive.write

    def write(self: LogArchive, begin: Position, end: Position, records: list[bytes]) -> int:
        if len(records) > 1:
            end, records = msgspec.structs.replace(end, next_offset=end.next_offset - 1), records[:-1]
        return original(self, begin, end, records)

    monkeypatch.setattr(LogArchive, "write", write)
