"""Snapshots as files that are either whole or not there: `<directory>/<sequence>.snap`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crowdroute.router.adapters.durable_file import PARTIAL, write_durably
from crowdroute.router.adapters.snapshot_format import (
    SUFFIX,
    decode_snapshot,
    encode_snapshot,
    named_sequence,
    snapshot_name,
    unusable,
)
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.ports import Sections

SNAPSHOTS_KEPT = 2
"""The newest, and the one before it in case the newest turns out to be damaged."""


class SnapshotFiles:
    """`Snapshots` in a directory; one process writes them, another may read."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.skipped: list[str] = []
        """Why the last reading passed over files, one line each."""

    def newest(self) -> tuple[int, bytes, Sections] | None:
        """Give the newest usable snapshot, or None."""
        return next(self.usable(), None)

    def usable(self) -> Iterator[tuple[int, bytes, Sections]]:
        """Yield every usable snapshot, newest first; `skipped` tells why others were not."""
        self.skipped = []
        for path in reversed(self._files()):
            try:
                yield read_snapshot(path)
            except SnapshotUnusable as error:
                self.skipped.append(error.message)

    def sequences(self) -> list[int]:
        """Give the sequences of what is there, ascending, whether it can be used or not."""
        found = (named_sequence(path.name) for path in self._files())
        return [sequence for sequence in found if sequence is not None]

    def read(self, sequence: int) -> tuple[int, bytes, Sections]:
        """Read one snapshot.

        Raises:
            SnapshotUnusable: it is damaged, of an unknown version, or gone.
        """
        return read_snapshot(self.directory / snapshot_name(sequence))

    def write(self, sequence: int, chain: bytes, sections: Sections) -> None:
        """Keep a snapshot durably, and only then let go of the oldest.

        Raises:
            OSError: it could not be written; those written before stand.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        write_durably(self.directory / snapshot_name(sequence), encode_snapshot(sequence, chain, sections))
        for old in self._files()[:-SNAPSHOTS_KEPT]:
            old.unlink(missing_ok=True)

    def clear_partial(self) -> None:
        """Remove what crashed writers left; only while no other process writes here."""
        for partial in self.directory.glob(f"*{PARTIAL}"):
            partial.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        """List the snapshot files, oldest first: names sort as their sequences do."""
        return sorted(self.directory.glob(f"*{SUFFIX}"))


def read_snapshot(path: Path) -> tuple[int, bytes, Sections]:
    """Read one file whole and verify it.

    Raises:
        SnapshotUnusable: it is damaged, of an unknown version, or gone.
    """
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise unusable(str(path), f"cannot be read ({error.strerror})") from error
    return decode_snapshot(whole, str(path))
