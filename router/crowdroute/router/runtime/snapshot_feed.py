"""The owner's side of the snapshotter: keeps one running and fed, and never waits for it.

Durable batches are offered as they come and kept in a bounded buffer. When the snapshotter is too slow for
it, or starts anew at an older snapshot, what it lacks is read from the log in small pieces, between appends.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import structlog

from crowdroute.router.errors import StorageError
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.frames import AT, SAVED, batch_frame, save_frame
from crowdroute.router.runtime.snapshotter import EVERY_BATCHES, EVERY_BYTES

BUFFER_BYTES = 16 << 20
"""Encoded batches kept for the snapshotter; more are dropped and read from the log again."""

CATCH_UP_BYTES = 1 << 20
"""Encoded batches read from the log at once: about a millisecond of the connection."""

PAUSE_SECONDS = 0.02
"""How long batches gather before they are sent: every write wakes the snapshotter, which has time."""

RESTART_SECONDS = 1.0
LONGEST_RESTART_SECONDS = 60.0
"""Pause before a snapshotter that died is started again; doubles each time it dies without having saved."""

STOP_SECONDS = 10.0
"""How long a snapshotter may take to end after its input did; it may be in the middle of a snapshot."""

_log = structlog.get_logger("crowdroute.snapshots")

ReadSome = Callable[[int, int], Awaitable[Sequence[StoredBatch]]]
"""Takes a sequence and a limit in bytes; gives the batches that follow in the log."""


class SnapshotFeed:
    """Runs the snapshotter of one log; `offer` it each durable batch."""

    def __init__(
        self,
        core: str,
        directory: Path,
        read_some: ReadSome,
        sequence: int,
        *,
        shared: str | None = None,
        every_batches: int = EVERY_BATCHES,
        every_bytes: int = EVERY_BYTES,
        buffer_bytes: int = BUFFER_BYTES,
        restart_seconds: float = RESTART_SECONDS,
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            core: `module:attribute` that gives an empty core.
            directory: of the snapshots.
            read_some: reads the log between appends.
            sequence: of the log's last batch; the next one offered is the one after it.
            shared: URL of a folder that snapshots are put into as well.
            every_batches: batches between snapshots.
            every_bytes: encoded batches between snapshots.
            buffer_bytes: encoded batches kept for a snapshotter that is behind.
            restart_seconds: pause before the first restart.
        """
        self._command = (
            *(sys.executable, "-m", "crowdroute.router.runtime.snapshotter"),
            *("--core", core, "--directory", str(directory)),
            *("--every-batches", str(every_batches), "--every-bytes", str(every_bytes)),
            *(("--shared", shared) if shared is not None else ()),
        )
        self._read_some = read_some
        self._latest = sequence
        self._room = self._buffer_bytes = buffer_bytes
        self._pause = self._restart_seconds = restart_seconds
        self._buffer: deque[StoredBatch] = deque()
        self._wake = asyncio.Event()
        self._savers: list[tuple[int, asyncio.Future[int]]] = []
        self._unasked: int | None = None
        self._task: asyncio.Task[None] | None = None
        self.process: Process | None = None
        self.sent = 0
        """Sequence of the last batch given to the snapshotter."""
        self.saved = 0
        """Sequence of the last snapshot written since the start."""
        self.saved_at: float | None = None
        """Wall time when it was written, in seconds since 1970."""
        self.overflows = 0
        """How often the buffer was dropped because the snapshotter lagged."""
        self.deaths = 0
        """How often the snapshotter ended by itself."""
        self.failure: Exception | None = None
        """Why the log could not be read for the snapshotter; nothing is fed any more, and the log needs a
        look."""

    def start(self) -> None:
        """Start the snapshotter and keep it running."""
        self._task = asyncio.get_running_loop().create_task(self._keep_running(), name="snapshot-feed")

    def offer(self, stored: StoredBatch) -> None:
        """Take the next durable batch; never waits."""
        self._latest = stored.sequence
        self._room -= len(stored.body)
        if self._room < 0:
            self._buffer.clear()
            self._room = self._buffer_bytes
            self.overflows += 1
        else:
            self._buffer.append(stored)
        self._wake.set()

    async def save(self) -> int:
        """Have a snapshot of everything offered so far written; gives its sequence.

        Raises:
            StorageError: the snapshotter ended before it was done, or none runs.
        """
        if self._task is None or self._task.done():
            raise StorageError("no snapshotter runs: the snapshot asked for was not written")
        saver: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._savers.append((self._latest, saver))
        self._unasked = self._latest
        self._wake.set()
        return await saver

    async def stop(self) -> None:
        """End the snapshotter; it finishes the snapshot it is writing."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _keep_running(self) -> None:
        try:
            while True:
                self.process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE)
                try:
                    await self._follow(self.process)
                finally:
                    await _end(self.process)
                if self.failure is not None:
                    _log.error("snapshots end: the log cannot be read for them", exc_info=self.failure)
                    return
                self.deaths += 1
                _log.warning(
                    "snapshotter ended", status=self.process.returncode, restarted_in_seconds=self._pause
                )
                self._disappoint(f"the snapshotter ended with status {self.process.returncode}")
                await asyncio.sleep(self._pause)
                self._pause = min(2 * self._pause, LONGEST_RESTART_SECONDS)
        finally:
            self._disappoint("the snapshotter was stopped")

    async def _follow(self, process: Process) -> None:
        """Feed and hear one process until it ends."""
        word, number = await self._hear_one(process)
        if word != AT:
            return
        self.sent = number
        tasks = {asyncio.ensure_future(self._hear(process)), asyncio.ensure_future(self._feed(process))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, ConnectionError):
                self.failure = end

    async def _hear_one(self, process: Process) -> tuple[str, int]:
        """Give the next line's word and number; an empty word when there are no more."""
        assert process.stdout is not None
        word, _, number = (await process.stdout.readline()).decode().partition(" ")
        return word, int(number or 0)

    async def _hear(self, process: Process) -> None:
        while (answer := await self._hear_one(process))[0] == SAVED:
            self.saved, self.saved_at = answer[1], time.time()
            self._pause = self._restart_seconds
            for asked, saver in self._savers:
                if asked <= self.saved and not saver.done():
                    saver.set_result(self.saved)
            self._savers = [each for each in self._savers if not each[1].done()]

    async def _feed(self, process: Process) -> None:
        assert process.stdin is not None
        while True:
            self._wake.clear()
            batches = await self._next_batches()
            if batches:
                process.stdin.write(b"".join(map(batch_frame, batches)))
                self.sent = batches[-1].sequence
                await process.stdin.drain()
            if self._unasked is not None and self._unasked <= self.sent:
                self._unasked = None
                process.stdin.write(save_frame())
                await process.stdin.drain()
            if not batches:
                await self._wake.wait()
                await asyncio.sleep(PAUSE_SECONDS)

    async def _next_batches(self) -> Sequence[StoredBatch]:
        """Give what follows the last batch sent: from the buffer if it is there, otherwise from the log."""
        while self._buffer and self._buffer[0].sequence <= self.sent:
            self._room += len(self._buffer.popleft().body)
        if self._buffer and self._buffer[0].sequence == self.sent + 1:
            return _filling(self._buffer, CATCH_UP_BYTES)
        if self.sent < self._latest:
            return await self._read_some(self.sent, CATCH_UP_BYTES)
        return ()

    def _disappoint(self, why: str) -> None:
        """Tell everyone who waits for a snapshot that it will not come."""
        for _, saver in self._savers:
            if not saver.done():
                saver.set_exception(StorageError(f"{why}: the snapshot asked for was not written"))
        self._savers = []
        self._unasked = None


def _filling(batches: Iterable[StoredBatch], limit_bytes: int) -> list[StoredBatch]:
    """Give the first batches, one at least, until they have so many bytes."""
    some: list[StoredBatch] = []
    for stored in batches:
        some.append(stored)
        limit_bytes -= len(stored.body)
        if limit_bytes <= 0:
            break
    return some


async def _end(process: Process) -> None:
    """End a process's input and wait for it; kill it when it does not end."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
