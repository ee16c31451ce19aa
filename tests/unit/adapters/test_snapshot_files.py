"""A snapshot file is whole, or it is passed over with a reason."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.adapters import snapshot_format
from crowdroute.router.adapters.memory import MemorySnapshots
from crowdroute.router.adapters.snapshot_files import SnapshotFiles, read_snapshot
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.ports import Snapshots

CHAIN = bytes(range(32))


@pytest.fixture(params=["memory", "files"])
def snapshots(request: pytest.FixtureRequest, tmp_path: Path) -> Snapshots:
    return MemorySnapshots() if request.param == "memory" else SnapshotFiles(tmp_path / "snapshots")


def test_without_any_snapshot_there_is_none(snapshots: Snapshots) -> None:
    assert snapshots.newest() is None
    assert list(snapshots.usable()) == []
    assert snapshots.skipped == []


def test_the_newest_two_are_kept(snapshots: Snapshots) -> None:
    for sequence in (5, 80, 700):
        snapshots.write(sequence, CHAIN, {"state": b"%d" % sequence})
    assert [(sequence, bytes(parts["state"])) for sequence, _, parts in snapshots.usable()] == [
        (700, b"700"),
        (80, b"80"),
    ]
    newest = snapshots.newest()
    assert newest is not None
    assert newest[:2] == (700, CHAIN)


@given(
    sequence=st.integers(1, 2**53),
    chain=st.binary(min_size=32, max_size=32),
    sections=st.dictionaries(st.text(max_size=8), st.binary(max_size=200), max_size=5),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, sequence: int, chain: bytes, sections: dict[str, bytes]
) -> None:
    files = SnapshotFiles(tmp_path_factory.mktemp("snapshots"))
    files.write(sequence, chain, {name: memoryview(section) for name, section in sections.items()})
    newest = files.newest()
    assert newest is not None
    assert newest[:2] == (sequence, chain)
    assert {name: bytes(section) for name, section in newest[2].items()} == sections


@pytest.fixture
def files(tmp_path: Path) -> SnapshotFiles:
    made = SnapshotFiles(tmp_path)
    made.write(1, CHAIN, {"a": b"older"})
    made.write(2, CHAIN, {"a": bytes(100), "empty": b"", "b": random.Random(1).randbytes(100)})
    return made


def newest_path(files: SnapshotFiles) -> Path:
    return max(files.directory.glob("*.snap"))


def test_every_flipped_bit_makes_the_older_one_be_used(files: SnapshotFiles) -> None:
    path = newest_path(files)
    whole = path.read_bytes()
    chance = random.Random(2)
    for offset in range(len(whole)):
        damaged = bytearray(whole)
        damaged[offset] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        newest = files.newest()
        assert newest is not None
        assert newest[0] == 1, f"offset {offset}"
        assert len(files.skipped) == 1


def test_a_file_cut_off_or_grown_is_passed_over(files: SnapshotFiles) -> None:
    path = newest_path(files)
    whole = path.read_bytes()
    for content in (*(whole[:length] for length in range(len(whole))), whole + b"x"):
        path.write_bytes(content)
        newest = files.newest()
        assert newest is not None
        assert newest[0] == 1


def test_another_version_is_passed_over_with_the_reason(files: SnapshotFiles) -> None:
    path = newest_path(files)
    whole = path.read_bytes()
    path.write_bytes(whole[:8] + struct.pack(">H", snapshot_format.VERSION + 1) + whole[10:])
    assert [sequence for sequence, _, _ in files.usable()] == [1]
    (reason,) = files.skipped
    assert reason.startswith(f"{path} is of version 2, this release reads 1")


def test_a_file_under_anothers_name_is_passed_over(files: SnapshotFiles) -> None:
    newest_path(files).rename(files.directory / "0000000000000009.snap")
    assert [sequence for sequence, _, _ in files.usable()] == [1]


def test_a_file_that_vanishes_is_passed_over(tmp_path: Path) -> None:
    with pytest.raises(SnapshotUnusable, match="cannot be read"):
        read_snapshot(tmp_path / "0000000000000001.snap")


def test_a_writer_that_crashed_leaves_nothing_that_counts(files: SnapshotFiles) -> None:
    partial = files.directory / "0000000000000003.77.partial"
    partial.write_bytes(b"half")
    newest = files.newest()
    assert newest is not None
    assert newest[0] == 2
    files.clear_partial()
    assert not partial.exists()


def test_a_snapshot_that_cannot_be_written_leaves_the_others(files: SnapshotFiles) -> None:
    target = files.directory / "0000000000000003.snap"
    target.mkdir()  # the rename cannot replace a directory
    with pytest.raises(OSError, match="directory"):
        files.write(3, CHAIN, {"a": b"new"})
    target.rmdir()
    assert [sequence for sequence, _, _ in files.usable()] == [2, 1]
    assert not list(files.directory.glob("*.partial"))
