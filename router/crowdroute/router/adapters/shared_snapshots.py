"""A node's snapshots, and with them those that the nodes of a cluster share at a URL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.snapshot_files import SNAPSHOTS_KEPT, SnapshotFiles
from crowdroute.router.adapters.snapshot_format import (
    decode_snapshot,
    encode_snapshot,
    named_sequence,
    snapshot_name,
)
from crowdroute.router.errors import SnapshotUnusable, StorageError
from crowdroute.router.ports import ObjectFolder, Sections, Snapshots

_log = logging.getLogger(__name__)

Read = Callable[[int], tuple[int, bytes, Sections]]


class SharedSnapshots:
    """`Snapshots` on this node's disk, each of them put into a folder that all nodes see as well.

    The folder may be out of reach: a start then goes by what the disk has, and the next snapshot is shared.
    """

    def __init__(self, files: SnapshotFiles, folder: ObjectFolder) -> None:
        self._files = files
        self._folder = folder
        self.skipped: list[str] = []
        """Why the last reading passed over some, one line each."""

    def newest(self) -> tuple[int, bytes, Sections] | None:
        """Give the newest usable snapshot, or None."""
        return next(self.usable(), None)

    def usable(self) -> Iterator[tuple[int, bytes, Sections]]:
        """Yield every usable snapshot, newest first, from the disk where both have it."""
        self.skipped = []
        found: list[tuple[int, int, Read]] = [
            (sequence, 1, self._files.read) for sequence in self._files.sequences()
        ]
        try:
            found += [(sequence, 0, self._read_shared) for sequence in shared_sequences(self._folder)]
        except StorageError as error:
            self.skipped.append(error.message)
        given = None
        for sequence, _, read in sorted(found, key=lambda each: each[:2], reverse=True):
            if sequence == given:
                continue
            try:
                yield read(sequence)
                given = sequence
            except (SnapshotUnusable, StorageError) as error:
                self.skipped.append(error.message)

    def write(self, sequence: int, chain: bytes, sections: Sections) -> None:
        """Keep a snapshot durably on the disk, and share it.

        Raises:
            OSError: the disk did not take it; those written before stand.
        """
        self._files.write(sequence, chain, sections)
        try:
            self._folder.write(snapshot_name(sequence), b"".join(encode_snapshot(sequence, chain, sections)))
            for old in shared_sequences(self._folder)[:-SNAPSHOTS_KEPT]:
                self._folder.remove(snapshot_name(old))
        except StorageError as error:
            _log.warning("the snapshot of batch %d is not shared: %s", sequence, error.message)

    def _read_shared(self, sequence: int) -> tuple[int, bytes, Sections]:
        return read_shared(self._folder, sequence)


def shared_sequences(folder: ObjectFolder) -> list[int]:
    """Give the sequences of the snapshots in a folder, ascending, whether they can be used or not.

    Raises:
        StorageError: the folder cannot be reached.
    """
    found = (named_sequence(name) for name in folder.names())
    return [sequence for sequence in found if sequence is not None]


def read_shared(folder: ObjectFolder, sequence: int) -> tuple[int, bytes, Sections]:
    """Read one shared snapshot whole and verify it.

    Raises:
        SnapshotUnusable: it is damaged or of an unknown version.
        StorageError: it is gone, or the folder cannot be reached.
    """
    name = snapshot_name(sequence)
    return decode_snapshot(folder.read(name), f"{folder.place}/{name}")


def snapshots_at(directory: Path, shared: str | None) -> tuple[SnapshotFiles, Snapshots]:
    """Give a node's snapshot files, and what is read and written: those alone, or with the shared ones.

    Args:
        directory: of the files.
        shared: URL of the folder, or None.

    Raises:
        ConfigurationError: the URL's driver is not installed.
    """
    files = SnapshotFiles(directory)
    return files, files if shared is None else SharedSnapshots(files, Objects(shared))
