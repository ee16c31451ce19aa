"""An SQLite log read while an engine owns it and goes on appending.

SQLite lets others read a database in WAL mode beside its writer. What it does not forgive (before 3.51.3,
see `sqlite_files`) are two connections that write or checkpoint; this one is opened read-only, so it can do
neither, not even when it is the last to close the file. Nor may it hinder the owner: what a reader has still
to see stays in the WAL. So every look is a transaction of its own that ends with its last row, and between
two looks the owner's WAL can be emptied.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from crowdroute.router.adapters.codec import CHAIN_START
from crowdroute.router.adapters.sqlite_files import BUSY_MS, FORMAT, database_path, not_opened
from crowdroute.router.adapters.sqlite_rows import (
    Row,
    chain_at,
    read_rows,
    select_after,
    select_contents,
    select_contents_after,
    unreadable,
)
from crowdroute.router.adapters.sqlite_touched import newest_touched, touched_after
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.ports import StoredBatch


class SqliteReader:
    """A shard's log beside its owner, as far as it went at the last `bring`; blocks."""

    def __init__(self, directory: Path, shard: int = 0) -> None:
        """Open the log of a shard for reading; nothing is owned by it.

        Raises:
            ConfigurationError: there is no log, or one of another release.
            LogCorrupt: it cannot be read.
            StorageError: the machine does not let it be opened.
        """
        self._path = database_path(directory, shard)
        if not self._path.exists():
            raise ConfigurationError(f"there is no log in {directory}: name the directory of one")
        self._head = (0, CHAIN_START)
        self._mark: int | None = None
        try:
            self._connection = sqlite3.connect(
                f"{self._path.resolve().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=BUSY_MS / 1000,
            )
            self.content_key = self._key()
        except sqlite3.Error as error:
            raise not_opened(self._path, error) from error

    def bring(self) -> None:
        """Look how far the log goes now."""
        try:
            self._connection.execute("BEGIN")
            (head,) = self._connection.execute("SELECT sequence, chain FROM owner").fetchall()
            mark = newest_touched(self._connection)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise not_opened(self._path, error) from error
        self._head, self._mark = head, mark

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch at the last `bring`."""
        return self._head

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch above `after` up to the head, checked for sequence, checksum and chain."""
        last = self._head[0]

        def rows(above: int, limit: int) -> list[Row]:
            found, error = select_after(self._connection, above, max(min(limit, last - above), 0))
            if error is not None and not found:
                raise unreadable(above + 1, error) from error
            return found

        return read_rows(rows, after, chain_at(rows, after, last), lambda: last)

    def select(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist now."""
        return select_contents(self._connection, keys)

    def contents_after(self, key: str, limit: int) -> list[tuple[str, bytes]]:
        """Give up to `limit` contents whose keys come after `key` now, in order."""
        return select_contents_after(self._connection, key, limit)

    def mark(self) -> int | None:
        """Give the number of the last change of a content at the last `bring`; None when nobody counts."""
        return self._mark

    def touched(self, mark: int) -> set[str] | None:
        """Give the keys of the contents that changed after a mark, until now; None when that is not known."""
        return touched_after(self._connection, mark)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _key(self) -> bytes:
        try:
            meta = dict(self._connection.execute("SELECT key, value FROM meta"))
            if meta.get("format") == FORMAT and "content_key" in meta:
                return bytes(meta["content_key"])
        except BaseException:
            self._connection.close()
            raise
        self._connection.close()
        raise ConfigurationError(
            f"the tables of {self._path} are of format {meta.get('format')}, this release knows {FORMAT}:"
            " use the release that wrote them, or a newer one"
        )
