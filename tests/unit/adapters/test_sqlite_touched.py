"""The database itself writes down which contents changed, and says when it does not know any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from crowdroute.router.adapters.sqlite_touched import keep_touched, newest_touched, touched_after


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    opened.execute("CREATE TABLE content (key TEXT PRIMARY KEY, body BLOB NOT NULL)")
    yield opened
    opened.close()


def put(connection: sqlite3.Connection, *keys: str) -> None:
    for key in keys:
        connection.execute("INSERT OR REPLACE INTO content VALUES (?, ?)", (key, b"text"))


def test_what_is_written_replaced_or_deleted_is_touched(connection: sqlite3.Connection) -> None:
    keep_touched(connection)
    put(connection, "a", "b", "c")
    mark = newest_touched(connection)
    assert mark == 3
    assert touched_after(connection, mark) == set()
    put(connection, "b")
    connection.execute("DELETE FROM content WHERE key = 'c'")
    assert touched_after(connection, mark) == {"b", "c"}
    assert touched_after(connection, 0) == {"a", "b", "c"}


def test_a_content_that_is_deleted_and_comes_back_is_touched(connection: sqlite3.Connection) -> None:
    keep_touched(connection)
    put(connection, "a")
    mark = newest_touched(connection)
    assert mark is not None
    connection.execute("DELETE FROM content")
    put(connection, "a")
    assert touched_after(connection, mark) == {"a"}


def test_a_list_that_was_made_later_begins_with_nothing(connection: sqlite3.Connection) -> None:
    put(connection, "old")
    assert newest_touched(connection) is None
    assert touched_after(connection, 0) is None
    keep_touched(connection)
    keep_touched(connection)
    assert newest_touched(connection) == 0
    put(connection, "new")
    assert touched_after(connection, 0) == {"new"}


def test_the_oldest_changes_are_forgotten_and_who_asks_for_them_is_told_so(
    connection: sqlite3.Connection,
) -> None:
    keep_touched(connection, kept=3)
    put(connection, *"abcdef")
    assert connection.execute("SELECT count(*) FROM touched").fetchone() == (3,)
    assert touched_after(connection, 3) == {"d", "e", "f"}
    assert touched_after(connection, 2) is None


def test_a_mark_of_another_database_is_not_known(connection: sqlite3.Connection) -> None:
    keep_touched(connection)
    put(connection, "a")
    assert touched_after(connection, 2) is None
