"""A log that no longer reads as it was written says so, with the place; it never gives back anything else."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from crowdroute.router.adapters.codec import chain, encode_batch
from crowdroute.router.adapters.sqlite_files import Ownership, database_path, wal_path
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.sqlite_verify import verify
from crowdroute.router.errors import ConfigurationError, Fenced, LogCorrupt, StorageError
from crowdroute.router.events import Batch, Cause, Entry
from crowdroute.router.events.project import ProjectPaused
from crowdroute.router.ports import StoredBatch

BATCHES = 120
FLIPS = 1000
CHUNK = 48
"""Bytes of a record by which its place in the file is found: random, so never found elsewhere."""


class Written(NamedTuple):
    """A log as it was written, and the directory that a crash left at that moment (its WAL in it)."""

    closed: Path
    crashed: Path
    batches: list[StoredBatch]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    directory = tmp_path_factory.mktemp("written")
    closed, crashed = directory / "closed", directory / "crashed"

    async def write() -> list[StoredBatch]:
        chance = random.Random(1)
        log = SqliteLog(closed)
        batches = []
        for sequence in range(1, BATCHES + 1):
            # Mostly small records, some that need pages of their own.
            size = chance.choice((100, 200, 400, 800, 9000))
            reason = "".join(chance.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=size))
            entry = Entry("project", sequence, Cause("PauseProject"), (ProjectPaused(reason),))
            body = encode_batch(Batch(sequence, (entry,)))
            batch = StoredBatch(sequence, log.epoch, chain(log.head()[1], body), body)
            await log.append(batch, ())
            batches.append(batch)
        crashed.mkdir()
        for name in (database_path, wal_path):
            shutil.copy(name(closed), name(crashed))
        log.close()
        return batches

    return Written(closed, crashed, asyncio.run(write()))


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A directory in memory where there is one: thousands of copies need not reach a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


class Copies:
    """Directories with a damaged copy of a log, one after the other."""

    def __init__(self, directory: Path, source: Path) -> None:
        self._directory = directory
        self.files = {path.name: path.read_bytes() for path in source.iterdir() if ".db" in path.name}
        self._count = 0

    def with_file(self, name: str, content: bytes) -> Path:
        if self._count:
            shutil.rmtree(self._directory / str(self._count))
        self._count += 1
        directory = self._directory / str(self._count)
        directory.mkdir()
        for each, whole in self.files.items():
            (directory / each).write_bytes(content if each == name else whole)
        return directory


def read_all(directory: Path) -> list[StoredBatch]:
    log = SqliteLog(directory)
    try:
        return list(log.read())
    finally:
        log.close()


def flipped(whole: bytes, offset: int, bit: int) -> bytes:
    damaged = bytearray(whole)
    damaged[offset] ^= 1 << bit
    return bytes(damaged)


def record_offsets(whole: bytes, batches: list[StoredBatch]) -> dict[int, int]:
    """Find the records in the database file: offset in the file to sequence, chain hashes and bodies."""
    found: dict[int, int] = {}
    for stored in batches:
        parts = [stored.chain, *(stored.body[at : at + CHUNK] for at in range(0, len(stored.body), CHUNK))]
        for part in parts:
            at = whole.find(part)
            if len(part) >= 32 and at >= 0:
                found.update((offset, stored.sequence) for offset in range(at, at + len(part)))
    return found


def test_every_flip_in_a_record_is_detected_with_its_sequence(scratch: Path, written: Written) -> None:
    copies = Copies(scratch, written.closed)
    (name,) = copies.files
    whole = copies.files[name]
    owners = record_offsets(whole, written.batches)
    assert len(owners) > 0.8 * sum(len(stored.chain) + len(stored.body) for stored in written.batches)
    chance = random.Random(2)
    detected = 0
    for offset in chance.sample(sorted(owners), FLIPS):
        directory = copies.with_file(name, flipped(whole, offset, chance.randrange(8)))
        with pytest.raises(LogCorrupt) as caught:
            read_all(directory)
        detected += caught.value.details["sequence"] == str(owners[offset])
    assert detected == FLIPS


def unharmed_or_refused(copies: Copies, name: str, content: bytes, batches: list[StoredBatch]) -> bool:
    """Read a damaged copy; tells whether that was refused. What is read must be what was written."""
    try:
        read = read_all(copies.with_file(name, content))
    except (LogCorrupt, ConfigurationError, StorageError):
        return True
    assert read == batches
    return False


def test_a_flip_anywhere_in_the_database_is_detected_or_harmless(
    scratch: Path, written: Written, record_property: Callable[[str, object], None]
) -> None:
    copies = Copies(scratch, written.closed)
    (name,) = copies.files
    whole = copies.files[name]
    chance = random.Random(3)
    refused = sum(
        unharmed_or_refused(
            copies, name, flipped(whole, chance.randrange(len(whole)), chance.randrange(8)), written.batches
        )
        for _ in range(FLIPS)
    )
    record_property("flips refused", f"{refused} of {FLIPS}")
    print(f"flips at random offsets of the database: {refused} of {FLIPS} refused, the rest harmless")
    assert refused > FLIPS / 3


def test_a_database_cut_off_anywhere_is_refused(scratch: Path, written: Written) -> None:
    copies = Copies(scratch, written.closed)
    (name,) = copies.files
    whole = copies.files[name]
    chance = random.Random(4)
    for length in (*(chance.randrange(1, len(whole)) for _ in range(50)), len(whole) - 4096, 4096):
        assert unharmed_or_refused(copies, name, whole[:length], written.batches), length


def test_a_flip_in_the_wal_that_a_crash_left_is_refused_unless_in_the_last_commit(
    scratch: Path, written: Written
) -> None:
    copies = Copies(scratch, written.crashed)
    name = wal_path(scratch).name
    whole = copies.files[name]
    chance = random.Random(5)
    assert read_all(copies.with_file("", b"")) == written.batches
    for _ in range(100):
        offset = chance.randrange(len(whole) - 6 * 4120)
        with pytest.raises(LogCorrupt, match="acknowledged"):
            read_all(copies.with_file(name, flipped(whole, offset, chance.randrange(8))))


def test_a_wal_cut_off_is_a_log_cut_at_a_batch_boundary_which_a_snapshot_shows(
    scratch: Path, written: Written
) -> None:
    copies = Copies(scratch, written.crashed)
    name = wal_path(scratch).name
    directory = copies.with_file(name, copies.files[name][:300_000])
    read = read_all(directory)
    kept = len(read)
    assert 0 < kept < BATCHES
    assert read == written.batches[:kept]
    assert verify(directory).ok
    report = verify(directory, (BATCHES, written.batches[-1].chain))
    assert report.damage == (f"batches {kept + 1}..{BATCHES} are lost: a snapshot holds them",)
    assert report.intact_through == kept


def test_an_intact_log_is_verified(written: Written, scratch: Path) -> None:
    directory = Copies(scratch, written.crashed).with_file("", b"")
    told: list[int] = []
    report = verify(directory, (60, written.batches[59].chain), told.append)
    assert report.ok
    assert report.batches == report.intact_through == BATCHES
    assert told == [64]


def test_verify_says_which_batches_are_damaged_and_how_far_the_log_is_intact(
    written: Written, scratch: Path
) -> None:
    copies = Copies(scratch, written.closed)
    (name,) = copies.files
    owners = record_offsets(copies.files[name], written.batches)
    content = bytearray(copies.files[name])
    for sequence in (40, 77):
        content[next(offset for offset, owner in owners.items() if owner == sequence)] ^= 1
    report = verify(copies.with_file(name, bytes(content)), (50, bytes(32)))
    assert report.intact_through == 39
    assert report.batches == BATCHES
    for sequence in (40, 77):
        assert any(line.startswith(f"batch {sequence} is damaged") for line in report.damage)
    assert "batch 50 is not the one that a snapshot was folded from" in report.damage


def test_verify_finds_missing_batches_and_a_missing_end(written: Written, scratch: Path) -> None:
    directory = Copies(scratch, written.closed).with_file("", b"")
    log = SqliteLog(directory)
    log._connection.execute("DELETE FROM log WHERE sequence BETWEEN 11 AND 15 OR sequence > 100")
    log.close()
    report = verify(directory)
    assert report.intact_through == 10
    assert report.damage == (
        "batches 11..15 are missing",
        "the log ends with batch 100, the batch committed last was 120",
    )


def test_verify_looks_behind_a_damaged_wal_without_touching_it(written: Written, scratch: Path) -> None:
    copies = Copies(scratch, written.crashed)
    name = wal_path(scratch).name
    damaged = flipped(copies.files[name], 300_000, 3)
    directory = copies.with_file(name, damaged)
    for _ in range(2):
        report = verify(directory)
        assert "acknowledged" in report.damage[0]
        assert 0 < report.intact_through < BATCHES
    assert wal_path(directory).read_bytes() == damaged
    assert {path.name for path in directory.iterdir()} == {*copies.files, "shard-0.lock"}


def test_verify_tells_what_sqlite_itself_finds(written: Written, scratch: Path) -> None:
    copies = Copies(scratch, written.closed)
    (name,) = copies.files
    content = bytearray(copies.files[name])
    content[len(content) // 2 : len(content) // 2 + 4096] = bytes(4096)
    report = verify(copies.with_file(name, bytes(content)))
    assert not report.ok
    assert report.intact_through < BATCHES


def test_verify_wants_the_log_for_itself(written: Written, scratch: Path) -> None:
    directory = Copies(scratch, written.closed).with_file("", b"")
    owner = Ownership(directory)
    with pytest.raises(Fenced):
        verify(directory)
    owner.give_back()
    with pytest.raises(ConfigurationError, match="no log"):
        verify(scratch / "nowhere")
