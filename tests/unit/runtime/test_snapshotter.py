"""The snapshotter folds what it is fed, in order, and saves at the right times."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.counting_core import CountingCore

from crowdroute.router.adapters.codec import chain, encode_batch
from crowdroute.router.adapters.memory import MemorySnapshots
from crowdroute.router.errors import ConfigurationError, InvariantBroken, LogCorrupt
from crowdroute.router.events import Batch, Cause, Entry
from crowdroute.router.events.project import ProjectPaused
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.frames import batch_frame, read_frame, save_frame
from crowdroute.router.runtime.snapshotter import Snapshotter, load, serve


def history(length: int, size: int = 1) -> list[StoredBatch]:
    batches: list[StoredBatch] = []
    previous = bytes(32)
    for sequence in range(1, length + 1):
        entry = Entry("project", sequence, Cause("PauseProject"), (ProjectPaused("x" * size),))
        body = encode_batch(Batch(sequence, (entry,)))
        previous = chain(previous, body)
        batches.append(StoredBatch(sequence, 1, previous, body))
    return batches


def test_a_snapshot_is_written_every_so_many_batches() -> None:
    snapshots = MemorySnapshots()
    snapshotter = Snapshotter(CountingCore, snapshots, every_batches=4)
    saved = [stored.sequence for stored in history(10) if snapshotter.take(stored)]
    assert saved == [4, 8] == [sequence for sequence, _, _ in snapshots.kept]


def test_a_snapshot_is_written_every_so_many_bytes() -> None:
    snapshotter = Snapshotter(CountingCore, MemorySnapshots(), every_bytes=5000)
    assert [stored.sequence for stored in history(6, 2400) if snapshotter.take(stored)] == [3, 6]


def test_saving_twice_writes_once() -> None:
    snapshots = MemorySnapshots()
    snapshotter = Snapshotter(CountingCore, snapshots)
    snapshotter.save()
    assert snapshots.kept == []
    snapshotter.take(history(1)[0])
    snapshotter.save()
    snapshotter.save()
    assert len(snapshots.kept) == 1


def test_it_goes_on_where_the_newest_usable_snapshot_ends() -> None:
    snapshots = MemorySnapshots()
    batches = history(9)
    first = Snapshotter(CountingCore, snapshots, every_batches=4)
    for stored in batches:
        first.take(stored)
    snapshots.write(9, batches[8].chain, {"of another version": b""})
    second = Snapshotter(CountingCore, snapshots)
    assert second.sequence == second.saved == 8
    second.take(batches[8])
    second.save()
    newest = snapshots.newest()
    assert newest is not None
    core = CountingCore()
    core.unpack(newest[2])
    assert len(core.reasons) == 9


@pytest.mark.parametrize("wrong", [0, 1, 3])
def test_a_batch_out_of_turn_is_never_folded(wrong: int) -> None:
    batches = history(5)
    snapshotter = Snapshotter(CountingCore, MemorySnapshots())
    snapshotter.take(batches[0])
    snapshotter.take(batches[1])
    with pytest.raises(LogCorrupt):
        snapshotter.take(batches[wrong])
    assert snapshotter.sequence == 2


def served(snapshotter: Snapshotter, frames: bytes) -> list[str]:
    answers = io.StringIO()
    serve(snapshotter, io.BytesIO(frames), answers)
    return answers.getvalue().splitlines()


def test_it_says_where_it_is_and_what_it_saved() -> None:
    batches = history(5)
    frames = [batch_frame(stored) for stored in batches]
    snapshotter = Snapshotter(CountingCore, MemorySnapshots(), every_batches=2)
    assert served(snapshotter, b"".join((*frames, save_frame(), save_frame()))) == [
        "at 0",
        "saved 2",
        "saved 4",
        "saved 5",
        "saved 5",
    ]


def test_it_ends_with_its_input_even_in_the_middle_of_a_frame() -> None:
    frame = batch_frame(history(1)[0])
    for length in range(len(frame)):
        assert served(Snapshotter(CountingCore, MemorySnapshots()), frame[:length]) == ["at 0"]


@given(
    stored=st.builds(
        StoredBatch,
        st.integers(1, 2**63),
        st.integers(0, 2**63),
        st.binary(min_size=32, max_size=32),
        st.binary(max_size=300),
    )
)
def test_a_batch_reads_back_from_its_frame(stored: StoredBatch) -> None:
    assert read_frame(io.BytesIO(batch_frame(stored))) == stored
    assert read_frame(io.BytesIO(save_frame())) is None


def test_an_unknown_frame_is_a_defect() -> None:
    with pytest.raises(InvariantBroken, match=r"kind b'\?'"):
        read_frame(io.BytesIO(b"?\0\0\0\0"))


def test_a_core_is_found_by_its_name() -> None:
    assert load("tests.support.counting_core:CountingCore") is CountingCore


@pytest.mark.parametrize("name", ["", "no.such.module:Core", "tests.support.counting_core", "json:Missing"])
def test_a_core_that_does_not_exist_is_a_matter_of_configuration(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no core factory"):
        load(name)
