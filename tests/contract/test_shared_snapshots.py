"""Nodes share their snapshots: one that never had the shard begins at the newest of anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.shared_snapshots import SharedSnapshots, snapshots_at
from crowdroute.router.errors import StorageError
from crowdroute.router.ports import Snapshots

CHAIN = bytes(range(32))


@pytest.fixture
def folder(folder_url: str) -> str:
    return folder_url


def node(tmp_path: Path, name: str, folder: str) -> Snapshots:
    return snapshots_at(tmp_path / name, folder)[1]


def sequences(snapshots: Snapshots) -> list[int]:
    return [sequence for sequence, _, _ in snapshots.usable()]


def test_a_node_without_snapshots_begins_at_anothers(tmp_path: Path, folder: str) -> None:
    node(tmp_path, "one", folder).write(7, CHAIN, {"state": b"seven"})
    newest = node(tmp_path, "two", folder).newest()
    assert newest is not None
    assert (newest[0], newest[1], bytes(newest[2]["state"])) == (7, CHAIN, b"seven")


def test_the_newest_of_the_disk_and_the_folder_comes_first(tmp_path: Path, folder: str) -> None:
    first, second = node(tmp_path, "one", folder), node(tmp_path, "two", folder)
    for number, snapshots in enumerate([first, second, first, second], 1):
        snapshots.write(number, CHAIN, {})
    assert sequences(first) == [4, 3, 1]
    assert sequences(second) == [4, 3, 2]


def test_a_damaged_file_on_the_disk_is_replaced_by_the_shared_one(tmp_path: Path, folder: str) -> None:
    snapshots = node(tmp_path, "one", folder)
    snapshots.write(7, CHAIN, {"state": b"seven"})
    (damaged,) = (tmp_path / "one").iterdir()
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert sequences(snapshots) == [7]
    assert "cut off" in snapshots.skipped[0]


def test_half_a_shared_snapshot_is_passed_over(tmp_path: Path, folder: str) -> None:
    node(tmp_path, "one", folder).write(6, CHAIN, {})
    node(tmp_path, "one", folder).write(7, CHAIN, {"state": b"seven"})
    objects, name = Objects(folder), "0000000000000007.snap"
    objects.write(name, objects.read(name)[:-1])
    snapshots = node(tmp_path, "two", folder)
    assert sequences(snapshots) == [6]
    assert "cut off" in snapshots.skipped[0]


class OutOfReach:
    place = "s3://gone"

    def names(self) -> list[str]:
        raise StorageError("s3://gone cannot be listed (timed out)")

    def read(self, name: str) -> bytes:
        raise StorageError(f"s3://gone does not give {name}")

    def write(self, name: str, body: bytes) -> None:
        raise StorageError(f"s3://gone did not take {name}")

    def remove(self, name: str) -> None:
        raise StorageError(f"s3://gone did not remove {name}")


def test_a_folder_out_of_reach_costs_nothing_but_the_sharing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    snapshots = SharedSnapshots(snapshots_at(tmp_path, None)[0], OutOfReach())
    snapshots.write(7, CHAIN, {})
    assert "batch 7 is not shared" in caplog.text
    assert sequences(snapshots) == [7]
    assert "cannot be listed" in snapshots.skipped[0]


def test_two_are_kept_in_the_folder(tmp_path: Path, folder: str) -> None:
    snapshots = node(tmp_path, "one", folder)
    for number in range(1, 5):
        snapshots.write(number, CHAIN, {})
    assert Objects(folder).names() == ["0000000000000003.snap", "0000000000000004.snap"]
