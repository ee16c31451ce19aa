"""The owner goes on whatever becomes of its snapshotter, and the snapshots are true."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.support.counting_core import CountingCore, pause
from tests.support.processes import PYTHONPATH
from tests.support.s3 import BUCKET

from crowdroute.router.adapters.memory import ManualClock
from crowdroute.router.adapters.shared_snapshots import snapshots_at
from crowdroute.router.adapters.snapshot_files import SnapshotFiles
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import LogCorrupt, StorageError
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.recovery import recover
from crowdroute.router.runtime.shard_loop import ShardLoop
from crowdroute.router.runtime.snapshot_feed import ReadSome, SnapshotFeed

CORE = "tests.support.counting_core:CountingCore"
PATIENCE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)


class Owner:
    """An engine over SQLite with a snapshotter beside it."""

    def __init__(
        self, directory: Path, core: str = CORE, read_some: ReadSome | None = None, **options: Any
    ) -> None:
        self.directory = directory
        self.log = SqliteLog(directory)
        self.files = SnapshotFiles(directory / "snapshots")
        recovered = recover(self.log, self.files, CountingCore)
        self.snapshot = recovered.snapshot
        self.core = recovered.core
        self.loop = ShardLoop(self.core, self.log, ManualClock())
        self.feed = SnapshotFeed(
            core,
            self.files.directory,
            read_some or self.log.read_some,
            self.log.head()[0],
            restart_seconds=0.01,
            **options,
        )
        self.loop.commits.feed(self.feed.offer)

    async def note(self, count: int, reason: str = "reason") -> None:
        """Append `count` batches of one reason each."""
        for _ in range(count):
            await self.loop.submit(pause(reason))


@asynccontextmanager
async def owning(directory: Path, before: int = 0, **options: object) -> AsyncIterator[Owner]:
    owner = Owner(directory, **options)  # type: ignore[arg-type]
    owner.loop.start()
    await owner.note(before)
    owner.feed.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        yield owner
        await owner.feed.stop()
    await owner.loop.drain()
    owner.log.close()


async def until(condition: object) -> None:
    while not condition():  # type: ignore[operator]
        await asyncio.sleep(0.005)


async def test_a_snapshot_taken_while_the_engine_runs_gives_the_next_start_its_state(tmp_path: Path) -> None:
    async with owning(tmp_path) as owner:
        await owner.note(100)
        assert await owner.feed.save() == 100
        await owner.note(7)
        assert owner.feed.deaths == 0
    async with owning(tmp_path) as successor:
        assert successor.snapshot == 100
        assert successor.core.digest() == owner.core.digest()
        assert await successor.feed.save() == 107


@pytest.mark.parametrize("scheme", ["file", "s3"])
async def test_a_snapshot_is_put_where_other_nodes_find_it(
    tmp_path: Path, scheme: str, request: pytest.FixtureRequest
) -> None:
    if scheme == "s3":
        request.getfixturevalue("s3")
    folder = f"file://{tmp_path}/shared" if scheme == "file" else f"s3://{BUCKET}/shared"
    async with owning(tmp_path / "node", before=5, shared=folder) as owner:
        assert await owner.feed.save() == 5
    _, elsewhere = snapshots_at(tmp_path / "another node", folder)
    assert [sequence for sequence, _, _ in elsewhere.usable()] == [5]


async def test_snapshots_come_by_themselves(tmp_path: Path) -> None:
    async with owning(tmp_path, every_batches=10) as owner:
        await owner.note(35)
        await until(lambda: owner.feed.saved == 30)
        assert [sequence for sequence, _, _ in owner.files.usable()] == [30, 20]


async def test_what_happened_before_the_snapshotter_started_is_read_from_the_log(tmp_path: Path) -> None:
    async with owning(tmp_path, before=300, buffer_bytes=0) as owner:
        assert await owner.feed.save() == 300
        await owner.note(1)
        assert await owner.feed.save() == 301


async def test_the_snapshotter_never_opens_the_live_log(tmp_path: Path) -> None:
    async with owning(tmp_path, before=5) as owner:
        await owner.feed.save()
        assert owner.feed.process is not None
        descriptors = Path(f"/proc/{owner.feed.process.pid}/fd")
        opened = {os.readlink(descriptors / name) for name in os.listdir(descriptors)}
        assert not {name for name in opened if "shard-0" in name}


async def test_a_killed_snapshotter_is_started_again_and_catches_up(tmp_path: Path) -> None:
    with capture_logs() as lines:
        await _kill_three_times(tmp_path)
    assert [(line["event"], line["status"]) for line in lines] == [("snapshotter ended", -signal.SIGKILL)] * 3


async def _kill_three_times(tmp_path: Path) -> None:
    async with owning(tmp_path, every_batches=50) as owner:
        for death in range(1, 4):
            await owner.note(60)
            await owner.feed.save()
            assert owner.feed.process is not None
            owner.feed.process.kill()
            await owner.note(60)
            await until(lambda expected=death: owner.feed.deaths == expected)
        assert await owner.feed.save() == 360
    assert recover(SqliteLog(tmp_path), owner.files, CountingCore).core.digest() == owner.core.digest()


async def test_a_frozen_snapshotter_costs_the_owner_a_bounded_buffer_and_nothing_else(tmp_path: Path) -> None:
    async with owning(tmp_path, buffer_bytes=100_000) as owner:
        await owner.note(1)
        await owner.feed.save()
        process = owner.feed.process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        await owner.note(60, "fat 10000")
        assert owner.feed.overflows >= 3
        assert sum(len(stored.body) for stored in owner.feed._buffer) <= 100_000
        assert owner.feed.sent < 61
        os.kill(process.pid, signal.SIGCONT)
        assert await owner.feed.save() == 61
        assert owner.feed.process is process
        assert owner.feed.deaths == 0


async def test_a_snapshotter_that_cannot_start_does_not_touch_the_owner(tmp_path: Path) -> None:
    async with owning(tmp_path, core="json:Missing") as owner:
        saving = asyncio.ensure_future(owner.feed.save())
        await owner.note(20)
        with pytest.raises(StorageError, match="the snapshotter ended with status 1"):
            await saving
        await until(lambda: owner.feed.deaths >= 2)
        await owner.note(1)


async def test_a_log_that_cannot_be_read_for_the_snapshotter_ends_the_feed_with_its_reason(
    tmp_path: Path,
) -> None:
    async def damaged(after: int, limit_bytes: int) -> Sequence[StoredBatch]:
        raise LogCorrupt("batch 1 is damaged", {"sequence": "1", "differs": "checksum"})

    async with owning(tmp_path, before=3, buffer_bytes=0, read_some=damaged) as owner:
        await until(lambda: owner.feed.failure is not None)
        assert isinstance(owner.feed.failure, LogCorrupt)
        with pytest.raises(StorageError):
            await owner.feed.save()
        await owner.note(1)


async def test_stopping_ends_the_process_and_tells_who_waits(tmp_path: Path) -> None:
    async with owning(tmp_path) as owner:
        await owner.note(1)
        await owner.feed.save()
        process = owner.feed.process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        saving = asyncio.ensure_future(owner.feed.save())
        await asyncio.sleep(0)
        os.kill(process.pid, signal.SIGCONT)
        await owner.feed.stop()
        assert process.returncode == 0
        with pytest.raises(StorageError, match="stopped"):
            await saving
