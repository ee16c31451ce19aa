"""Which contents of an SQLite log changed last: the database itself writes it down, whoever changes them.

Who reads the log beside its owner asks what changed since it last looked, and need not look at every content
again. Triggers keep the list, so no change can be left out of it, and each change of a content costs one row.
The rows count on from the last one, which is never removed; the oldest go, so the list stays small.
"""

from __future__ import annotations

import sqlite3

TOUCHED_KEPT = 100_000
"""Changes of contents that are remembered, some 6 MiB: more than an engine makes while a round of a copy
lasts that is not the first. Who comes back later looks at all contents."""

_TABLE = "CREATE TABLE IF NOT EXISTS touched (number INTEGER PRIMARY KEY, key TEXT NOT NULL)"


def keep_touched(connection: sqlite3.Connection, kept: int = TOUCHED_KEPT) -> None:
    """Make the list, and what keeps it, unless they are there; the caller commits."""
    connection.execute(_TABLE)
    for change, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
        connection.execute(
            f"CREATE TRIGGER IF NOT EXISTS touched_by_{change.lower()} AFTER {change} ON content BEGIN"
            f" INSERT INTO touched (key) VALUES ({row}.key);"
            f" DELETE FROM touched WHERE number <= last_insert_rowid() - {kept:d};"
            " END"
        )


def newest_touched(connection: sqlite3.Connection) -> int | None:
    """Give the number of the last change; None when the owner, an earlier release, keeps no list."""
    if not _is_kept(connection):
        return None
    ((newest,),) = connection.execute("SELECT coalesce(max(number), 0) FROM touched").fetchall()
    return int(newest)


def touched_after(connection: sqlite3.Connection, number: int) -> set[str] | None:
    """Give the keys of the contents that were written or deleted after a change; None when that is not known
    any more."""
    newest = newest_touched(connection)
    if newest is None or newest < number:
        return None
    keys = {key for (key,) in connection.execute("SELECT key FROM touched WHERE number > ?", (number,))}
    # Looked at after the keys: what was removed from the list meanwhile is missing among them.
    ((oldest,),) = connection.execute("SELECT coalesce(min(number), 1) FROM touched").fetchall()
    return keys if oldest <= number + 1 else None


def _is_kept(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'touched'")
    return found.fetchone() is not None
