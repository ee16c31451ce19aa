"""What is particular to the log in SQLite: its settings, its failures, its backups, its idle hours."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdroute.router.adapters import sqlite_idle
from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.sqlite_content import SqliteContents
from crowdroute.router.adapters.sqlite_files import Ownership, database_path, wal_path
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import (
    AppendFailed,
    ConfigurationError,
    Fenced,
    LogCorrupt,
    RouterError,
    StorageError,
)
from crowdroute.router.ports import ContentChange, StoredBatch


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SqliteLog]:
    opened = SqliteLog(tmp_path)
    yield opened
    opened.close()


async def append(log: SqliteLog, body: bytes, *contents: ContentChange) -> StoredBatch:
    sequence, previous = log.head()
    batch = StoredBatch(sequence + 1, log.epoch, chain(previous, body), body)
    await log.append(batch, contents)
    return batch


def setting(log: SqliteLog, name: str) -> object:
    return log._connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_commit_waits_for_the_disk(log: SqliteLog) -> None:
    assert setting(log, "journal_mode") == "wal"
    assert setting(log, "synchronous") == 2  # FULL
    assert setting(log, "secure_delete") == 1


def test_the_content_key_is_random_and_stays(tmp_path: Path) -> None:
    keys = []
    for name in ("one", "one", "two"):
        log = SqliteLog(tmp_path / name)
        keys.append(log.content_key)
        log.close()
    assert keys[0] == keys[1] != keys[2]
    assert len(keys[0]) == 32


def test_the_owner_in_the_way_is_named(tmp_path: Path) -> None:
    owner = Ownership(tmp_path)
    with pytest.raises(Fenced, match=f"process {os.getpid()} owns the log") as caught:
        SqliteLog(tmp_path)
    assert caught.value.details["pid"] == str(os.getpid())
    owner.give_back()
    SqliteLog(tmp_path).close()


def test_a_log_that_cannot_be_opened_leaves_no_owner_behind(tmp_path: Path) -> None:
    database_path(tmp_path).write_bytes(b"this is no database" * 1000)
    for _ in range(2):
        with pytest.raises(LogCorrupt, match="cannot be read as a log"):
            SqliteLog(tmp_path)


def test_tables_of_another_format_are_refused(tmp_path: Path) -> None:
    SqliteLog(tmp_path).close()
    with sqlite3.connect(database_path(tmp_path)) as connection:
        connection.execute("UPDATE meta SET value = 2 WHERE key = 'format'")
    connection.close()
    with pytest.raises(ConfigurationError, match="format 2"):
        SqliteLog(tmp_path)


def test_a_database_that_somebody_else_holds_is_a_matter_of_the_machine(tmp_path: Path) -> None:
    SqliteLog(tmp_path).close()
    other = sqlite3.connect(database_path(tmp_path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="locked") as caught:
        SqliteLog(tmp_path)
    assert not isinstance(caught.value, LogCorrupt)
    other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM log WHERE sequence = 3",
        "DELETE FROM owner",
        "DELETE FROM meta WHERE key = 'content_key'",
        "UPDATE owner SET chain = zeroblob(32)",
        "DROP TABLE log",
    ],
)
async def test_a_log_without_its_end_is_refused(tmp_path: Path, statement: str) -> None:
    log = SqliteLog(tmp_path)
    for body in (b"one", b"two", b"three"):
        await append(log, body)
    log.close()
    with sqlite3.connect(database_path(tmp_path)) as connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(LogCorrupt):
        SqliteLog(tmp_path)


@pytest.mark.parametrize(
    ("statement", "differs"),
    [
        ("UPDATE log SET body = x'6f6e65' WHERE sequence = 2", "checksum"),
        ("UPDATE log SET epoch = 7 WHERE sequence = 2", "checksum"),
        ("UPDATE log SET crc32 = 0 WHERE sequence = 2", "checksum"),
        ("UPDATE log SET body = 'text' WHERE sequence = 2", "row"),
        ("UPDATE log SET chain = x'00' WHERE sequence = 2", "row"),
        ("DELETE FROM log WHERE sequence = 2", "sequence"),
        (
            "UPDATE log SET (chain, crc32, body) = (SELECT chain, crc32, body FROM log WHERE sequence = 1)"
            " WHERE sequence = 2",
            "checksum",
        ),
    ],
)
async def test_a_changed_row_is_found_with_its_sequence(tmp_path: Path, statement: str, differs: str) -> None:
    log = SqliteLog(tmp_path)
    for body in (b"one", b"two", b"three"):
        await append(log, body)
    log.close()
    with sqlite3.connect(database_path(tmp_path)) as connection:
        connection.execute(statement)
    connection.close()
    log = SqliteLog(tmp_path)
    read = []
    with pytest.raises(LogCorrupt) as caught:
        read.extend(log.read())
    assert caught.value.details == {"sequence": "2", "differs": differs}
    assert [stored.body for stored in read[:1]] == [b"one"]
    log.close()


async def test_after_a_failed_append_the_handle_refuses_everything(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    contents = SqliteContents(log)
    await append(log, b"one", ContentChange("item/1", b"kept"))
    log._connection.execute("DROP TABLE content")
    with pytest.raises(AppendFailed, match="no such table: content"):
        await append(log, b"two", ContentChange("item/2", b"lost"))
    for refused in (
        append(log, b"three"),
        log.read_some(0, 1),
        log.fetch(["item/2"]),
        log.backup(tmp_path / "b"),
    ):
        with pytest.raises(AppendFailed, match="batch 2 was not made durable"):
            await refused
    with pytest.raises(AppendFailed):
        list(log.read())
    with pytest.raises(AppendFailed):
        contents.get("item/2")
    log.close()


async def test_an_append_that_python_itself_cannot_write_fails_like_any_other(log: SqliteLog) -> None:
    with pytest.raises(AppendFailed):
        await append(log, b"one", ContentChange("item/\ud800", b"a key that is no text"))
    with pytest.raises(AppendFailed):
        await append(log, b"one")


async def test_an_interrupted_append_ends_the_log_since_its_outcome_is_unknown(log: SqliteLog) -> None:
    appending = asyncio.ensure_future(append(log, b"one"))
    await asyncio.sleep(0)
    appending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await appending
    with pytest.raises(AppendFailed, match="was interrupted"):
        await append(log, b"one")


async def test_a_blocking_read_waits_for_the_commit_in_flight(log: SqliteLog) -> None:
    contents = SqliteContents(log, cache_bytes=0)
    appending = asyncio.ensure_future(append(log, b"one", ContentChange("item/1", b"text")))
    await asyncio.sleep(0)  # the COMMIT is with the thread now
    assert contents.get("item/1") == b"text"
    assert [stored.body for stored in log.read()] == [b"one"]
    await appending


async def test_a_blocking_read_beside_a_commit_that_fails_gives_nothing(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(log, "_commit", fail)
    contents = SqliteContents(log)
    appending = asyncio.ensure_future(append(log, b"one", ContentChange("item/1", b"text")))
    await asyncio.sleep(0)
    with pytest.raises(AppendFailed, match="disk I/O error"):
        contents.get("item/1")
    with pytest.raises(AppendFailed, match="disk I/O error"):
        await appending


async def test_recent_contents_are_kept_within_their_room(log: SqliteLog) -> None:
    contents = SqliteContents(log, cache_bytes=100)
    for n in range(10):
        await append(log, b"%d" % n, ContentChange(f"item/{n}", bytes(30)))
    assert set(contents._recent) == {"item/7", "item/8", "item/9"}
    contents.get("item/7")
    contents.get("item/1")
    assert set(contents._recent) == {"item/1", "item/7", "item/9"}
    await append(log, b"big", ContentChange("item/big", bytes(101)))
    assert not contents._recent
    assert contents.get("item/big") == bytes(101)


async def test_many_contents_are_read_at_once(log: SqliteLog) -> None:
    contents = SqliteContents(log, cache_bytes=0)
    expected = {f"item/{n}": b"%d" % n for n in range(1200)}
    await append(log, b"one", *(ContentChange(key, body) for key, body in expected.items()))
    assert contents.get_many([*expected, "item/none"]) == expected


async def test_erased_content_is_nowhere_in_the_files_after_a_checkpoint(
    tmp_path: Path, log: SqliteLog
) -> None:
    secret = b"a very particular secret"
    for _ in range(20):
        await append(log, bytes(5000))  # so that the secret comes late in the WAL, where little overwrites it
    await append(log, b"write", ContentChange("item/1", secret * 10))
    await log.checkpoint()
    assert secret in database_path(tmp_path).read_bytes()
    await append(log, b"erase", ContentChange("item/1", None))
    await log.checkpoint()
    assert secret not in database_path(tmp_path).read_bytes()
    assert secret not in wal_path(tmp_path).read_bytes()


async def test_erased_content_leaves_the_files_of_a_log_that_is_never_idle(
    tmp_path: Path, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_idle, "IDLE_SECONDS", 3600.0)
    secret = b"a very particular secret"
    await append(log, b"write", ContentChange("item/1", secret * 10))
    await append(log, b"erase", ContentChange("item/1", None))
    for seconds, stays in ((3600.0, True), (0.0, False)):
        monkeypatch.setattr(sqlite_idle, "ERASED_SECONDS", seconds)
        await append(log, b"on and on")
        log._checkpoints.look()  # as its timer does every while
        if log._checkpoints.task is not None:
            await log._checkpoints.task
        assert (secret in wal_path(tmp_path).read_bytes()) == stays
    assert secret not in database_path(tmp_path).read_bytes()
    await append(log, b"and on")


async def test_an_idle_log_moves_its_wal_into_the_database(
    tmp_path: Path, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_idle, "IDLE_SECONDS", 0.01)
    body = b"a very particular body"
    await append(log, body)
    assert body not in database_path(tmp_path).read_bytes()
    async with asyncio.timeout(30):
        while body not in database_path(tmp_path).read_bytes():
            await asyncio.sleep(0.01)
    await append(log, b"and on")


async def test_a_backup_of_a_busy_log_is_a_log_of_its_own(tmp_path: Path, log: SqliteLog) -> None:
    bodies = [os.urandom(5000) for _ in range(1000)]
    for body in bodies[:500]:
        await append(log, body, ContentChange("item/1", body))
    target = tmp_path / "copy" / "shard-0.db"
    target.parent.mkdir()
    backing_up = asyncio.ensure_future(log.backup(target))
    during = 0
    for body in bodies[500:]:
        await append(log, body)
        during += not backing_up.done()
    await backing_up
    assert during > 1
    copied = SqliteLog(target.parent)
    kept = [stored.body for stored in copied.read()]
    assert 500 <= len(kept) <= 1000
    assert kept == bodies[: len(kept)]
    assert copied.content_key == log.content_key
    assert SqliteContents(copied).get("item/1") == bodies[499]
    copied.close()
    assert [stored.body for stored in log.read()] == bodies


async def test_a_backup_never_overwrites(tmp_path: Path, log: SqliteLog) -> None:
    (tmp_path / "there").touch()
    with pytest.raises(ConfigurationError, match="exists"):
        await log.backup(tmp_path / "there")


async def test_a_backup_that_fails_leaves_the_log_alone(tmp_path: Path, log: SqliteLog) -> None:
    with pytest.raises(StorageError, match="the log is unharmed"):
        await log.backup(tmp_path / "no such directory" / "copy.db")
    await append(log, b"on")


async def test_closing_ends_a_backup_under_way(tmp_path: Path) -> None:
    for number in range(20):  # where in its copying it is met is left to chance
        folder = tmp_path / str(number)
        await close_during_a_backup(folder)


async def close_during_a_backup(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    for _ in range(4):
        await append(log, os.urandom(1 << 20))
    backing_up = asyncio.ensure_future(log.backup(tmp_path / "copy.db"))
    await asyncio.sleep(0)
    log.close()
    with pytest.raises(RouterError):
        await backing_up
    assert not (tmp_path / "copy.db").exists()


def test_an_empty_log_starts_the_chain_with_zeros(log: SqliteLog) -> None:
    assert log.head() == (0, CHAIN_START)
