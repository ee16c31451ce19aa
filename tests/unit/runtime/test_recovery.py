"""A fold of the log, from a snapshot or from the start, gives the state that was."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.counting_core import CountingCore, pause

from crowdroute.router.adapters.codec import FORMAT, chain, decode_batch, encode_batch
from crowdroute.router.adapters.memory import MemoryDisk, MemoryLog, MemorySnapshots
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.errors import LogCorrupt, Refusal, UnknownEvent
from crowdroute.router.events import Batch
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.recovery import recover
from crowdroute.router.runtime.snapshotter import Snapshotter

START_US = 1_700_000_000_000_000


def disk_with(*reasons: str) -> tuple[MemoryDisk, CountingCore]:
    """A disk with one batch per reason, and the core that decided them."""
    disk, core = MemoryDisk(), CountingCore()
    for sequence, reason in enumerate(reasons, 1):
        entries, _ = core.handle(pause(reason), START_US + sequence)
        add(disk, Batch(sequence, entries))
    return disk, core


def add(disk: MemoryDisk, batch: Batch) -> None:
    body = encode_batch(batch)
    previous = disk.batches[-1].chain if disk.batches else bytes(32)
    disk.store(StoredBatch(batch.sequence, 1, chain(previous, body), body), ())


def snapshot_at(disk: MemoryDisk, sequence: int, snapshots: MemorySnapshots | SnapshotFiles) -> None:
    """Fold as far as `sequence` and save."""
    snapshotter = Snapshotter(CountingCore, snapshots)
    for stored in disk.batches[snapshotter.sequence : sequence]:
        snapshotter.take(stored)
    snapshotter.save()


def test_an_empty_log_gives_an_empty_core_that_can_decide() -> None:
    recovered = recover(MemoryLog(MemoryDisk()), MemorySnapshots(), CountingCore)
    assert recovered.core.reasons == []
    assert recovered.core.settled
    assert recovered.last_us is None
    assert (recovered.snapshot, recovered.batches, recovered.events) == (0, 0, 0)


@given(reasons=st.lists(st.sampled_from(["a", "b", "later 5"]), max_size=20), data=st.data())
def test_every_way_to_fold_the_log_gives_the_same_state(reasons: list[str], data: st.DataObject) -> None:
    disk, lived = disk_with(*reasons)
    snapshots = MemorySnapshots()
    at = data.draw(st.integers(0, len(reasons)))
    snapshot_at(disk, at, snapshots)
    recovered = recover(MemoryLog(disk), snapshots, CountingCore)
    assert recovered.core.digest() == lived.digest()
    assert recovered.snapshot == at
    assert recovered.batches == recovered.events == len(reasons) - at
    assert recovered.last_us == (START_US + len(reasons) if reasons else None)


def test_the_last_logged_time_is_found_behind_batches_without_entries() -> None:
    disk, _ = disk_with("one", "two")
    add(disk, Batch(3, ()))
    add(disk, Batch(4, ()))
    snapshots = MemorySnapshots()
    snapshot_at(disk, 4, snapshots)
    assert recover(MemoryLog(disk), snapshots, CountingCore).last_us == START_US + 2


def test_progress_is_told_from_the_snapshot_to_the_head() -> None:
    disk, _ = disk_with(*["a"] * 600)
    told: list[tuple[int, int]] = []
    recovered = recover(MemoryLog(disk), MemorySnapshots(), CountingCore, lambda *at: told.append(at))
    assert told == [(0, 600), (256, 600), (512, 600), (600, 600)]
    assert recovered.batches_per_second > 0
    assert recovered.events_per_second == recovered.batches_per_second


def test_a_damaged_snapshot_is_passed_over_for_the_older_one_and_the_log(tmp_path: Path) -> None:
    disk, lived = disk_with(*"abcdef")
    files = SnapshotFiles(tmp_path)
    snapshot_at(disk, 2, files)
    snapshot_at(disk, 4, files)
    older, newer = sorted(tmp_path.glob("*.snap"))
    newer.write_bytes(newer.read_bytes()[:-1])
    recovered = recover(MemoryLog(disk), files, CountingCore)
    assert (recovered.snapshot, recovered.batches) == (2, 4)
    assert "cut off" in recovered.skipped[0]
    assert recovered.core.digest() == lived.digest()
    older.write_bytes(b"")
    disk.forget_owner()
    recovered = recover(MemoryLog(disk), files, CountingCore)
    assert (recovered.snapshot, recovered.batches) == (0, 6)
    assert len(recovered.skipped) == 2


def test_a_snapshot_that_the_core_refuses_is_passed_over() -> None:
    disk, lived = disk_with(*"abc")
    snapshots = MemorySnapshots()
    snapshots.write(2, disk.batches[1].chain, {"of another version": b""})
    recovered = recover(MemoryLog(disk), snapshots, CountingCore)
    assert recovered.core.digest() == lived.digest()
    assert recovered.snapshot == 0
    assert "the snapshot of batch 2 was refused" in recovered.skipped[0]


def test_a_log_cut_at_a_batch_boundary_is_caught_by_the_snapshot() -> None:
    disk, _ = disk_with(*"abcdef")
    snapshots = MemorySnapshots()
    snapshot_at(disk, 5, snapshots)
    del disk.batches[3:]
    with pytest.raises(LogCorrupt, match=r"lost batches 4\.\.5 that a snapshot holds") as caught:
        recover(MemoryLog(disk), snapshots, CountingCore)
    assert caught.value.details["sequence"] == "4"


def test_a_log_of_another_history_is_caught_by_the_snapshot() -> None:
    disk, _ = disk_with(*"abcdef")
    snapshots = MemorySnapshots()
    snapshot_at(disk, 5, snapshots)
    other, _ = disk_with(*"abcdXf")
    with pytest.raises(LogCorrupt, match="batch 5 of the log is not the one"):
        recover(MemoryLog(other), snapshots, CountingCore)


def test_damage_behind_the_snapshot_is_found_with_its_sequence() -> None:
    disk, _ = disk_with(*"abcdef")
    snapshots = MemorySnapshots()
    snapshot_at(disk, 3, snapshots)
    disk.batches[4] = disk.batches[4]._replace(body=disk.batches[3].body)
    with pytest.raises(LogCorrupt) as caught:
        recover(MemoryLog(disk), snapshots, CountingCore)
    assert caught.value.details["sequence"] == "5"


def test_an_event_of_a_newer_release_is_never_skipped() -> None:
    disk, _ = disk_with("a")
    raw = [2, [["project", 1, ["FromTheFuture"], [[900, "?"]]]], []]
    body = bytes((FORMAT,)) + msgspec.msgpack.encode(raw)
    disk.store(StoredBatch(2, 1, chain(disk.batches[0].chain, body), body), ())
    with pytest.raises(UnknownEvent, match="tag 900"):
        recover(MemoryLog(disk), MemorySnapshots(), CountingCore)


def test_folding_never_decides() -> None:
    class NeverDecides(CountingCore):
        def handle(self, request: object, now_us: int) -> object:
            raise AssertionError("a fold must not decide")

        due = handle

    disk, lived = disk_with("a", "later 5", "b")
    assert recover(MemoryLog(disk), MemorySnapshots(), NeverDecides).core.digest() == lived.digest()
    with pytest.raises(Refusal):
        lived.handle(pause("refuse"), START_US)
    assert decode_batch(disk.batches[0].body, 1).entries[0].at_us == START_US + 1
