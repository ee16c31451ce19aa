"""The event log in one SQLite file: an append is one transaction, durable when it returns.

One connection does everything. The statements of an append run in the event loop, only COMMIT (which waits
for the disk, unless this is the copy of a log kept elsewhere) runs in a thread. `_turn` hands the connection
round: an append holds it from BEGIN until COMMIT has returned, so what awaits its turn (`read_some`, `fetch`,
`backup`, `checkpoint`) never blocks the loop, and the lock's order of arrival keeps both sides from starving.
The blocking reads (`read`, `select`) wait for a COMMIT in flight where they stand, for one commit's length at
most; they are for recovery and for callers that cannot await.

The owner row carries the epoch and the head of the log. Each append moves the head only while the epoch is
still its own, so a successor fences it; and a table that lost its last rows no longer agrees with the head.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from crowdroute.router.adapters.codec import CHAIN_START
from crowdroute.router.adapters.sqlite_files import (
    TRUTH,
    Ownership,
    adopt_content_key,
    open_database,
    primary_code,
)
from crowdroute.router.adapters.sqlite_idle import CheckpointTimer
from crowdroute.router.adapters.sqlite_rows import (
    Row,
    chain_at,
    check_row,
    copy_rows,
    fill_rows,
    insert,
    read_rows,
    select_after,
    select_contents,
    select_contents_after,
    unreadable,
)
from crowdroute.router.adapters.sqlite_touched import newest_touched, touched_after
from crowdroute.router.errors import AppendFailed, ConfigurationError, StorageError
from crowdroute.router.ports import ContentChange, StoredBatch

BACKUP_PAGES = 256
"""Pages (of 4 KiB) that a backup copies before it lets appends through: about a millisecond's work."""


class SqliteLog:
    """`EventLog` in a directory of its own; contents are written with the batches that name them."""

    def __init__(self, directory: Path, shard: int = 0, synchronous: str = TRUTH) -> None:
        """Open the log of a shard, or create it, and become its owner.

        Args:
            directory: of its own.
            shard: whose log it is.
            synchronous: `TRUTH`, or `COPY` when what it holds is durable elsewhere.

        Raises:
            Fenced: another process owns it.
            LogCorrupt: it cannot be read.
            StorageError: the machine does not let it be opened (no space, no permission).
            ConfigurationError: it was written by another release's format.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory, self.shard = directory, shard
        self._ownership = Ownership(directory, shard)
        try:
            opened = open_database(directory, shard, synchronous)
            _sync_directory(directory)
        except BaseException:
            self._ownership.give_back()
            raise
        self._connection = opened.connection
        self.epoch: int = opened.epoch
        self.content_key = opened.content_key
        self._head = (opened.sequence, opened.chain)
        self._over: StorageError | None = None
        self._is_copy = False
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "commit")
        # Held by a backup while it copies pages: closing the connection under it would crash the process.
        self._copying = Lock()
        self._working: Future[None] | None = None
        self._watchers: list[Callable[[Sequence[ContentChange]], None]] = []
        self._checkpoints = CheckpointTimer(self.checkpoint)

    async def append(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Make a batch and its contents durable in one transaction.

        Raises:
            AppendFailed: it is not durable, or that is unknown; this log refuses every later call.
            Fenced: another process entered a later epoch; likewise.
        """
        async with self._turn:
            self._refuse_when_over()
            try:
                if batch.sequence != self._head[0] + 1:
                    raise AppendFailed(f"batch {batch.sequence} cannot follow batch {self._head[0]}")
                insert(self._connection, batch, contents)
                if self._is_copy:
                    self._commit()
                else:
                    await self._in_thread(self._commit)
            except StorageError as error:
                self._end(error)
                raise
            except Exception as error:
                raise self._end(self._explain(batch.sequence, error)) from error
            except BaseException:
                self._end(AppendFailed(f"the append of batch {batch.sequence} was interrupted"))
                raise
            self._head = (batch.sequence, batch.chain)
            if contents:
                for watcher in self._watchers:
                    watcher(contents)
            self._checkpoints.appended(any(body is None for _, body in contents))

    async def append_some(self, batches: Sequence[StoredBatch], contents: Sequence[ContentChange]) -> None:
        """Make batches that another log decided, and contents, durable in one transaction.

        Raises:
            AppendFailed: they are not, or that is unknown; this log refuses every later call.
        """
        async with self._turn:
            await self._in_thread(lambda: self.follow(batches, contents))

    def enter(self, epoch: int) -> None:
        """Go on under the number of an ownership that was decided elsewhere; this file is a copy.

        From here on its COMMITs wait for no disk and are made in the loop, a thread's turn cheaper. Whoever
        appends calls `checkpoint` from time to time, for a COMMIT moves nothing into the database.
        """
        self._refuse_when_over()
        self._run("PRAGMA wal_autocheckpoint=0")
        self._is_copy = True
        self._connection.execute("UPDATE owner SET epoch = ?", (epoch,))
        self.epoch = epoch

    def follow(self, batches: Sequence[StoredBatch], contents: Sequence[ContentChange] = ()) -> None:
        """Write what follows in the log that this file is a copy of; blocks.

        Raises:
            StorageError: the disk did not take it.
        """
        self._refuse_when_over()
        try:
            copy_rows(self._connection, batches, contents)
        except sqlite3.Error as error:
            raise self._end(self._explain(self._head[0] + 1, error)) from error
        if batches:
            self._head = (batches[-1].sequence, batches[-1].chain)

    def first(self) -> int:
        """Give the sequence of the first batch that is here; 0 when there is none."""
        rows = self._rows(0, 1)
        return int(str(rows[0][0])) if rows else 0

    def fill(self, batches: Sequence[StoredBatch]) -> None:
        """Write batches that a copy lacks before those that it has; blocks, as `select` does.

        Raises:
            StorageError: the disk did not take them.
        """
        self._wait_in_place()
        try:
            fill_rows(self._connection, batches)
        except sqlite3.Error as error:
            raise self._end(self._explain(batches[0].sequence, error)) from error

    async def fill_between(self, batches: Sequence[StoredBatch]) -> None:
        """Write such batches between two appends; see `fill`."""
        async with self._turn:
            self.fill(batches)

    def forget(self) -> None:
        """Remove everything that a copy has: it is made anew; blocks."""
        self._refuse_when_over()
        self._run("DELETE FROM log")
        self._connection.execute("UPDATE owner SET sequence = 0, chain = ?", (CHAIN_START,))
        self._head = (0, CHAIN_START)
        self.forget_contents()

    def forget_contents(self) -> None:
        """Remove all contents of a copy, from the WAL too: they are fetched anew; blocks."""
        self._refuse_when_over()
        self._run("DELETE FROM content")
        self._run("PRAGMA wal_checkpoint(TRUNCATE)")

    def sync(self) -> None:
        """Return once the disk holds everything; blocks."""
        self._refuse_when_over()
        self._run("PRAGMA wal_checkpoint(PASSIVE)")

    def vouches(self, asked_us: int) -> bool:
        """Say yes: nobody else can write this file."""
        return True

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch above `after`, checked for sequence, checksum and chain."""
        return read_rows(self._rows, after, self._chain_at(after), lambda: self._head[0])

    async def read_some(self, after: int, limit_bytes: int) -> list[StoredBatch]:
        """Give the batches above `after` that fit into `limit_bytes`, but one at least if there is one."""
        async with self._turn:
            some: list[StoredBatch] = []
            previous = self._chain_at(after)
            while rows := self._rows(after + len(some), 1):
                stored = check_row(previous, after + len(some) + 1, rows[0])
                limit_bytes -= len(stored.body)
                if some and limit_bytes < 0:
                    break
                some.append(stored)
                previous = stored.chain
            return some

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch."""
        return self._head

    def select(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist, blocking while a COMMIT is in flight."""
        self._wait_in_place()
        return select_contents(self._connection, keys)

    def contents_after(self, key: str, limit: int) -> list[tuple[str, bytes]]:
        """Give up to `limit` contents whose keys come after `key`, in order, blocking as `select` does."""
        self._wait_in_place()
        return select_contents_after(self._connection, key, limit)

    def mark(self) -> int | None:
        """Give the number of the last change of a content."""
        self._wait_in_place()
        return newest_touched(self._connection)

    def touched(self, mark: int) -> set[str] | None:
        """Give the keys of the contents that changed after a mark; None when that is not known any more."""
        self._wait_in_place()
        return touched_after(self._connection, mark)

    def adopt_key(self, content_key: bytes) -> None:
        """Take over the content key of the log that this one, still empty, becomes a copy of.

        Raises:
            ConfigurationError: this log holds something already, under a key of its own.
        """
        if content_key != self.content_key and not adopt_content_key(self._connection, content_key):
            raise ConfigurationError(
                f"the log in {self.directory} is not empty and belongs to another history: name a new"
                " directory",
                {"path": str(self.directory)},
            )
        self.content_key = content_key

    async def fetch(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist, letting the loop run while a COMMIT is in flight."""
        async with self._turn:
            return self.select(keys)

    def watch_contents(self, watcher: Callable[[Sequence[ContentChange]], None]) -> None:
        """Have the changes of each append told, as soon as they are durable."""
        self._watchers.append(watcher)

    async def checkpoint(self) -> None:
        """Move the WAL into the database; after an erasure also empty it, so that nothing erased stays
        behind."""
        async with self._turn:
            if self._over is not None:
                return
            mode = "TRUNCATE" if self._checkpoints.erased else "PASSIVE"
            in_the_way = False

            def move() -> None:
                nonlocal in_the_way
                ((busy, _, _),) = self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
                in_the_way = bool(busy)

            try:
                await self._in_thread(move)
            except Exception as error:
                self._end(self._explain(self._head[0] + 1, error))
            else:
                # Who reads beside this may have been in the middle of something.
                self._checkpoints.moved(whole=not in_the_way)

    async def backup(self, target: Path) -> None:
        """Copy the whole log, contents included, to a new database file while appends go on.

        Raises:
            ConfigurationError: the target exists already.
            StorageError: the copy could not be written; the log itself is unharmed.
        """
        if target.exists():
            raise ConfigurationError(f"{target} exists: name a file that does not, or remove it first")
        partial = target.with_name(target.name + ".partial")
        loop = asyncio.get_running_loop()

        def let_others_through(_status: int, _remaining: int, _total: int) -> None:
            self._copying.release()
            try:
                asyncio.run_coroutine_threadsafe(self._pass_turn(), loop).result()
            finally:
                self._copying.acquire()

        def copy() -> None:
            with self._copying, contextlib.closing(sqlite3.connect(partial)) as copied:
                self._connection.backup(copied, pages=BACKUP_PAGES, progress=let_others_through, sleep=0)
            os.replace(partial, target)
            _sync_directory(target.parent)

        async with self._turn:
            self._refuse_when_over()
            try:
                await asyncio.to_thread(copy)
            except (sqlite3.Error, OSError) as error:
                partial.unlink(missing_ok=True)
                raise StorageError(f"the backup to {target} failed ({error}); the log is unharmed") from error

    def close(self) -> None:
        """Wait for what is under way, close the file and give the ownership back."""
        self._end(AppendFailed("the log was closed"))
        self._thread.shutdown(wait=True)
        with self._copying:
            self._connection.close()
        self._ownership.give_back()

    def _run(self, statement: str) -> None:
        self._connection.execute(statement)

    def _commit(self) -> None:
        self._connection.execute("COMMIT")

    async def _in_thread(self, work: Callable[[], None]) -> None:
        self._working = self._thread.submit(work)
        await asyncio.wrap_future(self._working)

    def _wait_in_place(self) -> None:
        self._refuse_when_over()
        if self._working is None or self._working.cancelled():
            return
        error = self._working.exception()
        if error is not None:
            raise self._explain(self._head[0] + 1, error) from error

    async def _pass_turn(self) -> None:
        """Let everyone who waits for the connection have it once."""
        self._turn.release()
        await self._turn.acquire()
        self._refuse_when_over()

    def _rows(self, after: int, limit: int) -> list[Row]:
        self._wait_in_place()
        rows, error = select_after(self._connection, after, limit)
        if error is not None and not rows:
            raise unreadable(after + 1, error) from error
        return rows

    def _chain_at(self, sequence: int) -> bytes:
        return chain_at(self._rows, sequence, self._head[0])

    def _explain(self, sequence: int, error: BaseException) -> AppendFailed:
        if primary_code(error) == sqlite3.SQLITE_FULL:
            reason = f"the disk that holds {self.directory} is full: free space, then start again"
        else:
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            reason = f"{error} ({name}) in {self.directory}: look at the disk, then start again"
        return AppendFailed(f"batch {sequence} was not made durable: {reason}", {"sequence": str(sequence)})

    def _end(self, reason: StorageError) -> StorageError:
        """Refuse everything from now on: after an error nobody knows what the handle would do."""
        if self._over is None:
            self._over = reason
        self._checkpoints.stop()
        return reason

    def _refuse_when_over(self) -> None:
        if self._over is not None:
            raise type(self._over)(self._over.message, self._over.details) from self._over


def _sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
