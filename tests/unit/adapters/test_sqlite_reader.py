"""A log is read beside its owner, who goes on as if nobody were there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.sqlite_files import database_path, wal_path
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.sqlite_reader import SqliteReader
from crowdroute.router.errors import ConfigurationError, LogCorrupt
from crowdroute.router.ports import ContentChange, StoredBatch


async def append(log: SqliteLog, body: bytes, *contents: ContentChange) -> None:
    sequence, previous = log.head()
    await log.append(StoredBatch(sequence + 1, log.epoch, chain(previous, body), body), contents)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[SqliteLog]:
    log = SqliteLog(tmp_path)
    yield log
    log.close()


@pytest.fixture
def reader(owner: SqliteLog) -> Iterator[SqliteReader]:
    with closing(SqliteReader(owner.directory)) as opened:
        yield opened


def bodies(reader: SqliteReader, after: int = 0) -> list[bytes]:
    return [stored.body for stored in reader.read(after)]


async def test_it_reads_as_far_as_the_log_went_at_the_last_look(
    owner: SqliteLog, reader: SqliteReader
) -> None:
    assert reader.head() == (0, CHAIN_START)
    await append(owner, b"one", ContentChange("item/1", b"text"))
    assert bodies(reader) == []
    reader.bring()
    await append(owner, b"two")
    assert bodies(reader) == [b"one"]
    reader.bring()
    assert reader.head() == owner.head()
    assert bodies(reader) == [b"one", b"two"]
    assert bodies(reader, 1) == [b"two"]
    assert bodies(reader, 2) == []
    assert reader.content_key == owner.content_key


async def test_contents_are_those_of_now_and_changes_since_a_mark_are_told(
    owner: SqliteLog, reader: SqliteReader
) -> None:
    await append(owner, b"one", ContentChange("a", b"1"), ContentChange("b", b"2"))
    reader.bring()
    mark = reader.mark()
    assert mark is not None
    await append(owner, b"two", ContentChange("a", None), ContentChange("c", b"3"))
    assert reader.select(["a", "b", "c"]) == {"b": b"2", "c": b"3"}
    assert reader.contents_after("", 9) == [("b", b"2"), ("c", b"3")]
    assert reader.mark() == mark
    assert reader.touched(mark) == {"a", "c"}


async def test_between_two_pages_the_owner_can_empty_its_wal(owner: SqliteLog, reader: SqliteReader) -> None:
    for n in range(200):
        await append(owner, b"%d" % n)
    reader.bring()
    reading = reader.read()
    next(reading)
    await append(owner, b"erasing", ContentChange("a", None))
    await owner.checkpoint()
    assert wal_path(owner.directory).stat().st_size == 0
    assert len(list(reading)) == 199


async def test_an_erasure_is_emptied_out_of_the_wal_later_when_a_reader_was_in_the_way(
    owner: SqliteLog, tmp_path: Path
) -> None:
    await append(owner, b"one", ContentChange("a", b"a name"))
    owner._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(database_path(tmp_path), isolation_level=None)) as slow:
        slow.execute("BEGIN")
        slow.execute("SELECT * FROM content").fetchall()
        await append(owner, b"two", ContentChange("a", None))
        await owner.checkpoint()
        assert b"a name" in wal_path(tmp_path).read_bytes()
        slow.execute("COMMIT")
        await owner.checkpoint()
        assert b"a name" not in wal_path(tmp_path).read_bytes() + database_path(tmp_path).read_bytes()


async def test_the_next_owner_comes_while_it_is_open(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    await append(log, b"one")
    with closing(SqliteReader(tmp_path)) as reader:
        reader.bring()
        log.close()
        log = SqliteLog(tmp_path)
        await append(log, b"two")
        reader.bring()
        assert bodies(reader) == [b"one", b"two"]
    log.close()


async def test_it_can_neither_write_nor_checkpoint(owner: SqliteLog, reader: SqliteReader) -> None:
    await append(owner, b"one")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM log")
    before = database_path(owner.directory).read_bytes()
    with pytest.raises(sqlite3.OperationalError):
        reader._connection.execute("PRAGMA wal_checkpoint")
    assert database_path(owner.directory).read_bytes() == before


async def test_what_is_left_in_the_wal_stays_there_when_it_is_the_last_to_close(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    with closing(SqliteReader(tmp_path)):
        await append(log, b"one")
        log.close()
        left = wal_path(tmp_path).read_bytes()
    assert left
    assert wal_path(tmp_path).read_bytes() == left
    with closing(SqliteLog(tmp_path)) as again:
        assert [stored.body for stored in again.read()] == [b"one"]


async def test_a_log_that_nobody_owns_is_read(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    await append(log, b"one")
    log.close()
    with closing(SqliteReader(tmp_path)) as reader:
        reader.bring()
        assert bodies(reader) == [b"one"]


def test_without_a_log_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no log in"):
        SqliteReader(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    database_path(tmp_path).write_bytes(b"no database at all" * 100)
    with pytest.raises(LogCorrupt, match="cannot be read as a log"):
        SqliteReader(tmp_path)


async def test_damage_is_found_with_its_batch(owner: SqliteLog, reader: SqliteReader) -> None:
    await append(owner, b"one")
    await append(owner, b"two")
    owner._connection.execute("UPDATE log SET body = x'00' WHERE sequence = 2")
    reader.bring()
    with pytest.raises(LogCorrupt, match="batch 2 is damaged"):
        bodies(reader)


async def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    SqliteLog(tmp_path).close()
    with closing(sqlite3.connect(database_path(tmp_path), isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET value = 99 WHERE key = 'format'")
    with pytest.raises(ConfigurationError, match="of format 99"):
        SqliteReader(tmp_path)


async def test_a_file_that_an_earlier_release_still_owns_tells_no_changes(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path)
    await append(log, b"one", ContentChange("a", b"1"))
    log.close()
    with closing(sqlite3.connect(database_path(tmp_path), isolation_level=None)) as connection:
        for trigger in ("insert", "update", "delete"):
            connection.execute(f"DROP TRIGGER touched_by_{trigger}")
        connection.execute("DROP TABLE touched")
    with closing(SqliteReader(tmp_path)) as reader:
        reader.bring()
        assert reader.mark() is None
        assert reader.touched(0) is None
