"""The statements of an SQLite log, and what a row must look like to be believed."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from crowdroute.router.adapters.codec import CHAIN_BYTES, CHAIN_START, check_link
from crowdroute.router.errors import Fenced, LogCorrupt
from crowdroute.router.ports import ContentChange, StoredBatch

KEYS_PER_QUERY = 500
"""Keys asked for in one statement; SQLite takes at least 999 parameters."""

READ_ROWS = 64
"""Batches fetched at once by a reader: 32 MiB if every one is as large as the shard loop lets it be."""

_numbers = struct.Struct(">QQ")

Row = tuple[object, object, object, object, object]

Rows = Callable[[int, int], list[Row]]
"""Gives up to so many rows above a sequence."""


def checksum(stored: StoredBatch) -> int:
    """Give the CRC-32 over everything a row holds, so that the epoch is covered too (the chain leaves it
    out)."""
    crc = zlib.crc32(_numbers.pack(stored.sequence, stored.epoch))
    return zlib.crc32(stored.body, zlib.crc32(stored.chain, crc))


def insert(connection: sqlite3.Connection, stored: StoredBatch, contents: Sequence[ContentChange]) -> None:
    """Begin a transaction and write a batch with its contents; the caller commits.

    Raises:
        Fenced: the epoch is no longer the batch's.
    """
    connection.execute("BEGIN IMMEDIATE")
    moved = connection.execute(
        "UPDATE owner SET sequence = ?, chain = ? WHERE epoch = ?",
        (stored.sequence, stored.chain, stored.epoch),
    )
    if moved.rowcount != 1:
        ((epoch,),) = connection.execute("SELECT epoch FROM owner").fetchall() or ((0,),)
        connection.execute("ROLLBACK")
        raise Fenced(
            f"epoch {epoch} owns the log now, this process held epoch {stored.epoch}: let it end",
            {"epoch": str(stored.epoch), "owner": str(epoch)},
        )
    write_batch(connection, stored)
    for change in contents:
        write_content(connection, change)


def copy_rows(
    connection: sqlite3.Connection, batches: Sequence[StoredBatch], contents: Sequence[ContentChange]
) -> None:
    """Write, in one transaction, what another log decided; the epoch becomes that of the last batch."""
    connection.execute("BEGIN IMMEDIATE")
    for stored in batches:
        write_batch(connection, stored)
    for change in contents:
        write_content(connection, change)
    if batches:
        last = batches[-1]
        connection.execute(
            "UPDATE owner SET epoch = ?, sequence = ?, chain = ?", (last.epoch, last.sequence, last.chain)
        )
    connection.execute("COMMIT")


def fill_rows(connection: sqlite3.Connection, batches: Sequence[StoredBatch]) -> None:
    """Write, in one transaction, batches before those that are there; some may be there already."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(
        "INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?)",
        [(each.sequence, each.epoch, each.chain, checksum(each), each.body) for each in batches],
    )
    connection.execute("COMMIT")


def write_batch(connection: sqlite3.Connection, stored: StoredBatch) -> None:
    """Write the row of a batch."""
    connection.execute(
        "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
        (stored.sequence, stored.epoch, stored.chain, checksum(stored), stored.body),
    )


def write_content(connection: sqlite3.Connection, change: ContentChange) -> None:
    """Write, or delete, one content."""
    key, body = change
    if body is None:
        connection.execute("DELETE FROM content WHERE key = ?", (key,))
    else:
        connection.execute("INSERT OR REPLACE INTO content VALUES (?, ?)", (key, body))


def select_after(
    connection: sqlite3.Connection, after: int, limit: int
) -> tuple[list[Row], sqlite3.Error | None]:
    """Give up to `limit` rows above `after`, and the error that ended the reading early, if one did."""
    rows: list[Row] = []
    try:
        for row in connection.execute(
            "SELECT sequence, epoch, chain, crc32, body FROM log"
            " WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after, limit),
        ):
            rows.append(row)
    except sqlite3.Error as error:
        return rows, error
    return rows, None


def check_row(previous: bytes, sequence: int, row: Row) -> StoredBatch:
    """Give the batch that a row holds, if it is the one that belongs at `sequence` after `previous`.

    Raises:
        LogCorrupt: with the sequence, and in `details["differs"]` what is wrong.
    """
    number, epoch, chain, crc, body = row
    if not (
        isinstance(number, int)
        and isinstance(epoch, int)
        and epoch >= 0
        and isinstance(chain, bytes)
        and len(chain) == CHAIN_BYTES
        and isinstance(body, bytes)
    ):
        raise LogCorrupt(
            f"batch {sequence} does not look like a batch: restore the log from a backup",
            {"sequence": str(sequence), "differs": "row"},
        )
    stored = StoredBatch(number, epoch, chain, body)
    if number == sequence and checksum(stored) != crc:
        raise LogCorrupt(
            f"batch {sequence} is damaged (its checksum differs): restore the log from a backup",
            {"sequence": str(sequence), "differs": "checksum"},
        )
    check_link(previous, sequence, stored)
    return stored


def chain_at(rows: Rows, sequence: int, last: int) -> bytes:
    """Give the chain hash of a batch, unchecked: whoever reads on checks that the next one follows from it.

    Raises:
        LogCorrupt: it is not in a log that ends with the batch `last`.
    """
    if sequence == 0:
        return CHAIN_START
    found = rows(sequence - 1, 1)
    if found and found[0][0] == sequence and isinstance(found[0][2], bytes):
        return found[0][2]
    raise LogCorrupt(
        f"batch {sequence} is missing: the log ends at {last}", {"sequence": str(sequence), "differs": "end"}
    )


def read_rows(rows: Rows, after: int, previous: bytes, last: Callable[[], int]) -> Iterator[StoredBatch]:
    """Yield every batch above `after`, whose chain hash is `previous`, checked, page by page.

    Args:
        rows: gives them.
        after: sequence of the batch before the first.
        previous: chain hash of that batch.
        last: gives, when there are no more rows, the sequence of the batch that was committed last.

    Raises:
        LogCorrupt: with the sequence at which the log stops being what was written.
    """
    sequence = after
    while page := rows(sequence, READ_ROWS):
        for row in page:
            stored = check_row(previous, sequence + 1, row)
            sequence, previous = stored.sequence, stored.chain
            yield stored
    if sequence < last():
        raise LogCorrupt(
            f"the log ends with batch {sequence}, but batch {last()} was committed: restore it from a backup",
            {"sequence": str(sequence + 1), "differs": "end"},
        )


def unreadable(sequence: int, error: sqlite3.Error) -> LogCorrupt:
    """Say that the table cannot be read from `sequence` on."""
    return LogCorrupt(
        f"batch {sequence} cannot be read ({error}): restore the log from a backup",
        {"sequence": str(sequence), "differs": "database"},
    )


def select_contents(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, bytes]:
    """Give those of the contents that exist."""
    wanted = list(keys)
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), KEYS_PER_QUERY):
        part = wanted[start : start + KEYS_PER_QUERY]
        marks = ",".join("?" * len(part))
        found.update(connection.execute(f"SELECT key, body FROM content WHERE key IN ({marks})", part))
    return found


def select_contents_after(connection: sqlite3.Connection, key: str, limit: int) -> list[tuple[str, bytes]]:
    """Give up to `limit` contents whose keys come after `key`, in the order of their keys."""
    return connection.execute(
        "SELECT key, body FROM content WHERE key > ? ORDER BY key LIMIT ?", (key, limit)
    ).fetchall()
