"""What is particular to a file that is the copy of a log kept elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.sqlite_files import AUTOCHECKPOINT_PAGES, COPY, database_path, wal_path
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.ports import StoredBatch

EPOCH = 7
PAGE_BYTES = 4096


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[SqliteLog]:
    opened = SqliteLog(tmp_path, synchronous=COPY)
    opened.enter(EPOCH)
    yield opened
    opened.close()


async def append(copy: SqliteLog, body: bytes) -> None:
    sequence, previous = copy.head()
    await copy.append(StoredBatch(sequence + 1, EPOCH, chain(previous, body), body), ())


async def test_an_append_to_a_copy_waits_for_no_thread(copy: SqliteLog) -> None:
    free = threading.Event()
    copy._thread.submit(free.wait)
    try:
        await asyncio.wait_for(append(copy, b"batch"), 10)
    finally:
        free.set()
    assert [stored.body for stored in copy.read()] == [b"batch"]


async def test_what_was_appended_to_a_copy_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    for number in range(3):
        copy = SqliteLog(tmp_path, synchronous=COPY)
        copy.enter(EPOCH)
        await append(copy, bytes([number]))
        copy.close()
    with_all = SqliteLog(tmp_path, synchronous=COPY)
    assert [stored.body for stored in with_all.read()] == [b"\0", b"\1", b"\2"]
    with_all.close()


async def test_only_a_checkpoint_moves_a_copys_appends_into_the_database(
    tmp_path: Path, copy: SqliteLog
) -> None:
    # An append that did would have the loop wait for the disk.
    size = (AUTOCHECKPOINT_PAGES + 100) * PAGE_BYTES
    for _ in range(4):
        await append(copy, bytes(size // 4))
    assert database_path(tmp_path).stat().st_size < size // 4
    assert wal_path(tmp_path).stat().st_size > size
    await copy.checkpoint()
    assert database_path(tmp_path).stat().st_size > size
