"""Reads a whole SQLite log and says what is intact, also where the log can no longer be opened."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crowdroute.router.adapters.codec import CHAIN_BYTES, CHAIN_START, decode_batch
from crowdroute.router.adapters.sqlite_files import Ownership, connect, database_path, wal_path
from crowdroute.router.adapters.sqlite_rows import Row, check_row, select_after
from crowdroute.router.adapters.sqlite_wal import check_wal
from crowdroute.router.errors import ConfigurationError, LogCorrupt

READ_ROWS = 64
FINDINGS_KEPT = 100
"""Findings told of one kind; a log with more is lost as a whole."""


@dataclass(frozen=True)
class VerifyReport:
    """What a log holds, and what is wrong with it."""

    batches: int
    """Batches that could be read."""
    intact_through: int
    """Sequence up to which every batch is there and as it was written."""
    damage: tuple[str, ...]
    """What is missing or damaged, one line each, in the order of the log; empty when all is well."""

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.damage


class _Findings:
    """Collects what is wrong, and where the intact part ends."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.intact_through: int | None = None

    def note(self, line: str, after: int) -> None:
        if self.intact_through is None or after < self.intact_through:
            self.intact_through = after
        if len(self.lines) < FINDINGS_KEPT:
            self.lines.append(line)


def verify(
    directory: Path,
    newest_snapshot: tuple[int, bytes] | None = None,
    progress: Callable[[int], None] = lambda _sequence: None,
    *,
    shard: int = 0,
) -> VerifyReport:
    """Check every batch of a log that nobody owns at the moment.

    Args:
        directory: of the log.
        newest_snapshot: sequence and chain hash of a snapshot of it, which proves how far it once went.
        progress: is told the sequence reached.
        shard: whose log it is.

    Raises:
        Fenced: a process owns the log.
        ConfigurationError: there is no log in the directory.
    """
    database, wal = database_path(directory, shard), wal_path(directory, shard)
    if not database.exists():
        raise ConfigurationError(f"there is no log in {directory}: name the directory of one")
    ownership = Ownership(directory, shard)
    findings = _Findings()
    try:
        with contextlib.ExitStack() as stack:
            source = database
            try:
                check_wal(wal)
            except LogCorrupt as error:
                findings.lines.append(error.message)
                # To open the file is to lose what is behind the damage, so look at a copy.
                aside = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=directory)))
                source = Path(shutil.copy(database, aside))
                shutil.copy(wal, aside)
            last = _scan(source, newest_snapshot, findings, progress)
    finally:
        ownership.give_back()
    intact = last if findings.intact_through is None else findings.intact_through
    return VerifyReport(last, intact, tuple(findings.lines))


def _scan(
    database: Path,
    newest_snapshot: tuple[int, bytes] | None,
    findings: _Findings,
    progress: Callable[[int], None],
) -> int:
    """Check the tables; gives the sequence of the last batch that could be read."""
    last = 0
    try:
        with contextlib.closing(connect(database)) as connection:
            last, chain, snapshot_chain = _scan_rows(connection, newest_snapshot, findings, progress)
            owner = connection.execute("SELECT sequence, chain FROM owner").fetchone()
            if owner != (last, chain):
                told = owner[0] if owner else "unknown"
                findings.note(f"the log ends with batch {last}, the batch committed last was {told}", last)
            for (line,) in connection.execute(f"PRAGMA integrity_check({FINDINGS_KEPT})"):
                if line != "ok":
                    findings.lines.append(f"database: {line}")
    except sqlite3.Error as error:
        findings.note(f"database: {error}", last)
        return last
    if newest_snapshot is not None:
        sequence, expected = newest_snapshot
        if sequence > last:
            findings.note(f"batches {last + 1}..{sequence} are lost: a snapshot holds them", last)
        elif snapshot_chain != expected:
            findings.note(f"batch {sequence} is not the one that a snapshot was folded from", sequence - 1)
    return last


def _scan_rows(
    connection: sqlite3.Connection,
    newest_snapshot: tuple[int, bytes] | None,
    findings: _Findings,
    progress: Callable[[int], None],
) -> tuple[int, bytes, bytes]:
    """Check every row; gives the last sequence and chain hash, and the chain hash where the snapshot
    stands."""
    sequence, chain, snapshot_chain = 0, CHAIN_START, CHAIN_START
    for row in _rows(connection, findings):
        number = row[0]
        if not isinstance(number, int):
            findings.note(f"a row after batch {sequence} has no number", sequence)
            continue
        if number > sequence + 1:
            findings.note(f"batches {sequence + 1}..{number - 1} are missing", sequence)
        else:
            try:
                stored = check_row(chain, number, row)
                decode_batch(stored.body, number)
            except LogCorrupt as error:
                findings.note(error.message, sequence)
        sequence = number
        chain = row[2] if isinstance(row[2], bytes) and len(row[2]) == CHAIN_BYTES else CHAIN_START
        if newest_snapshot is not None and number == newest_snapshot[0]:
            snapshot_chain = chain
        if sequence % READ_ROWS == 0:
            progress(sequence)
    return sequence, chain, snapshot_chain


def _rows(connection: sqlite3.Connection, findings: _Findings) -> Iterator[Row]:
    """Yield every row that can be read, in order."""
    after = 0
    while True:
        rows, error = select_after(connection, after, READ_ROWS)
        yield from rows
        after = max((row[0] for row in rows if isinstance(row[0], int)), default=after)
        if error is not None:
            findings.note(f"batch {after + 1} cannot be read ({error})", after)
            return
        if len(rows) < READ_ROWS:
            return
