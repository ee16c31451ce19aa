"""The files of an SQLite log: who owns them, what tables they hold, how they are opened.

A shard has `shard-N.db` (with SQLite's `-wal` and `-shm` beside it) and `shard-N.lock`; several may share a
directory, each with an owner of its own.
SQLite before 3.51.3 can corrupt a WAL file when two connections write and one resets the WAL while the other
checkpoints (sqlite.org/wal.html#walresetbug). So the owner has exactly one connection, and nothing else opens
the file for writing: `Ownership` keeps other processes out, snapshots are made from the batches, backups by
the owner. Who reads beside it (`sqlite_reader`) has a connection that can neither write nor checkpoint.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import sqlite3
from pathlib import Path
from typing import NamedTuple

from crowdroute.router.adapters.codec import CHAIN_START
from crowdroute.router.adapters.sqlite_touched import keep_touched
from crowdroute.router.adapters.sqlite_wal import check_wal
from crowdroute.router.errors import ConfigurationError, Fenced, LogCorrupt, RouterError, StorageError

FORMAT = 1
"""Version of the tables."""

AUTOCHECKPOINT_PAGES = 4000
"""Pages (of 4 KiB) in the WAL at which a COMMIT moves them into the database: 16 MiB, so that it happens
rarely under load and the WAL stays small; otherwise the log checkpoints when it is idle."""

BUSY_MS = 1000
"""How long to wait for another process that looks into the file; the loop stands still meanwhile."""

_DATABASE = re.compile(r"shard-([0-9]+)\.db")

_OUTSIDE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
"""Errors that say something about the machine, not about the file's content."""

_SCHEMA = """
CREATE TABLE log (
    sequence INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    chain BLOB NOT NULL,
    crc32 INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE content (key TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE owner (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    chain BLOB NOT NULL
);
"""


class Ownership:
    """The exclusive right to the files in a directory, held by a lock that ends with the process."""

    def __init__(self, directory: Path, shard: int = 0) -> None:
        """Take the right.

        Raises:
            Fenced: a living process holds it; the message names its process id.
        """
        self._path = directory / f"shard-{shard}.lock"
        while True:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
                os.close(self._descriptor)
                raise Fenced(
                    f"process {holder} owns the log in {directory}: stop it first (SIGKILL if it is frozen)",
                    {"pid": holder, "path": str(self._path)},
                ) from None
            if self._still_named():
                break
            os.close(self._descriptor)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def give_back(self) -> None:
        """End the ownership; the file stays, so that nobody locks a file that is about to vanish."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _still_named(self) -> bool:
        """Tell whether the locked file is still the one that others will find under its name."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False


class Opened(NamedTuple):
    """An open database and what its owner has to know."""

    connection: sqlite3.Connection
    epoch: int
    sequence: int
    chain: bytes
    content_key: bytes


def database_path(directory: Path, shard: int = 0) -> Path:
    """Name the database file of a shard."""
    return directory / f"shard-{shard}.db"


def wal_path(directory: Path, shard: int = 0) -> Path:
    """Name the WAL file beside the database."""
    return directory / f"shard-{shard}.db-wal"


def snapshots_path(directory: Path, shard: int = 0) -> Path:
    """Name the folder of a shard's snapshots."""
    return directory / (f"snapshots-{shard}" if shard else "snapshots")


def shards_in(directory: Path) -> list[int]:
    """Give the numbers of the shards that have a log in a directory, ascending."""
    names = (_DATABASE.fullmatch(path.name) for path in directory.glob("shard-*.db"))
    return sorted(int(name[1]) for name in names if name is not None)


TRUTH, COPY = "FULL", "NORMAL"
"""What a COMMIT waits for: that the disk holds it, or nothing, since it can be fetched again (a power cut
takes the last ones away, but never some of one)."""


def connect(path: Path, synchronous: str = TRUTH) -> sqlite3.Connection:
    """Open a connection; `TRUTH` makes each COMMIT wait for the WAL to be on disk.

    `secure_delete` overwrites erased
    content. The file is its owner's alone, and SQLite gives the files beside it the same mode: it holds
    people's names and the key of every digest.
    """
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(f"PRAGMA wal_autocheckpoint={AUTOCHECKPOINT_PAGES}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_database(directory: Path, shard: int = 0, synchronous: str = TRUTH) -> Opened:
    """Open the database as its next owner, or create it; the caller holds the `Ownership`.

    Raises:
        LogCorrupt: the file is no database, or its last batch is not the one that was committed last, or its
            WAL is damaged.
        ConfigurationError: the tables are of an unknown format.
        StorageError: the machine does not let it be opened.
    """
    path = database_path(directory, shard)
    if sqlite3.threadsafety != 3:
        raise ConfigurationError(
            "this Python's SQLite is built without serialized threading: use one that is (CPython's own is)"
        )
    check_wal(wal_path(directory, shard))
    try:
        connection = connect(path, synchronous)
        try:
            opened = _take_over(connection, path)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a new generation, as `check_wal` needs
            return opened
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise not_opened(path, error) from error


def not_opened(path: Path, error: sqlite3.Error) -> RouterError:
    """Give what is raised when a database cannot be opened: the machine's fault, or the file's."""
    if primary_code(error) in _OUTSIDE:
        return StorageError(
            f"{path} cannot be opened ({error}): mend that and start again", {"path": str(path)}
        )
    return LogCorrupt(
        f"{path} cannot be read as a log ({error}): restore it from a backup",
        {"path": str(path), "differs": "database"},
    )


def primary_code(error: BaseException) -> int:
    """Give SQLite's primary result code of an error, 0 when something else raised it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _take_over(connection: sqlite3.Connection, path: Path) -> Opened:
    """Enter a new epoch."""
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'owner'").fetchone():
        _create(connection)
    meta = dict(connection.execute("SELECT key, value FROM meta"))
    if meta.get("format") != FORMAT:
        raise ConfigurationError(
            f"the tables of {path} are of format {meta.get('format')}, this release knows {FORMAT}:"
            " use the release that wrote them, or a newer one"
        )
    keep_touched(connection)
    connection.execute("UPDATE owner SET epoch = epoch + 1")
    owner = connection.execute("SELECT epoch, sequence, chain FROM owner").fetchone()
    if owner is None or "content_key" not in meta:
        raise LogCorrupt(
            f"{path} has lost its owner row or its content key: restore it from a backup",
            {"path": str(path), "differs": "meta"},
        )
    epoch, sequence, chain = owner
    last = connection.execute("SELECT sequence, chain FROM log ORDER BY sequence DESC LIMIT 1").fetchone()
    if (last or (0, CHAIN_START)) != (sequence, chain):
        raise LogCorrupt(
            f"{path} ends with batch {last[0] if last else 0}, but batch {sequence} was committed last:"
            " restore it from a backup",
            {"path": str(path), "sequence": str(sequence), "differs": "end"},
        )
    connection.execute("COMMIT")
    return Opened(connection, epoch, sequence, chain, meta["content_key"])


def adopt_content_key(connection: sqlite3.Connection, key: bytes) -> bool:
    """Give an empty database the content key of another log; tells whether it was empty."""
    changed = connection.execute(
        "UPDATE meta SET value = ? WHERE key = 'content_key' AND NOT EXISTS (SELECT 1 FROM log)"
        " AND NOT EXISTS (SELECT 1 FROM content)",
        (key,),
    )
    return changed.rowcount == 1


def _create(connection: sqlite3.Connection) -> None:
    """Create the tables, inside the transaction that is open."""
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
    connection.execute("INSERT INTO meta VALUES ('content_key', ?)", (secrets.token_bytes(32),))
    connection.execute("INSERT INTO owner VALUES (1, 0, 0, ?)", (CHAIN_START,))
