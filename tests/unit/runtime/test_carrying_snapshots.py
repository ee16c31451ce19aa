"""The newest snapshot that the copy has the batches of goes along; none that would make a start fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.snapshot_format import snapshot_name
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.carrying_snapshots import carry_snapshot


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    """A copy of three batches."""
    opened = SqliteLog(tmp_path / "copy")
    for body in (b"one", b"two", b"three"):
        sequence, previous = opened.head()
        opened.follow([StoredBatch(sequence + 1, opened.epoch, chain(previous, body), body)])
    yield opened
    opened.close()


@pytest.fixture
def source(tmp_path: Path) -> SnapshotFiles:
    return SnapshotFiles(tmp_path / "source")


@pytest.fixture
def target(tmp_path: Path) -> SnapshotFiles:
    return SnapshotFiles(tmp_path / "target")


def chain_of(log: SqliteLog, sequence: int) -> bytes:
    return next(log.read(sequence - 1)).chain


def test_the_newest_that_the_copy_reaches_goes_along(
    log: SqliteLog, source: SnapshotFiles, target: SnapshotFiles
) -> None:
    source.write(2, chain_of(log, 2), {"state": b"of two"})
    source.write(9, bytes(32), {"state": b"further than the copy"})
    assert carry_snapshot(source, target, log) == 2
    assert target.newest() == (2, chain_of(log, 2), {"state": b"of two"})
    source.write(3, chain_of(log, 3), {"state": b"of three"})
    assert carry_snapshot(source, target, log) == 3
    assert carry_snapshot(source, target, log) == 3
    assert target.sequences() == [2, 3]


def test_one_of_another_history_stays(log: SqliteLog, source: SnapshotFiles, target: SnapshotFiles) -> None:
    source.write(2, bytes(32), {"state": b"of another"})
    assert carry_snapshot(source, target, log) == 0
    assert target.sequences() == []


def test_one_that_is_damaged_is_passed_over(
    log: SqliteLog, source: SnapshotFiles, target: SnapshotFiles
) -> None:
    source.write(1, chain_of(log, 1), {"state": b"of one"})
    source.write(2, chain_of(log, 2), {"state": b"of two"})
    (source.directory / snapshot_name(2)).write_bytes(b"damaged")
    assert carry_snapshot(source, target, log) == 1


def test_without_any_nothing_is_made(log: SqliteLog, source: SnapshotFiles, target: SnapshotFiles) -> None:
    assert carry_snapshot(source, target, log) == 0
    assert not target.directory.exists()


def test_a_disk_that_takes_no_snapshot_ends_no_copy(
    log: SqliteLog, source: SnapshotFiles, target: SnapshotFiles
) -> None:
    source.write(2, chain_of(log, 2), {"state": b"of two"})
    target.directory.write_bytes(b"a file where the folder belongs")
    assert carry_snapshot(source, target, log) == 0
