"""Snapshots as files that are either whole or not there: `<directory>/<sequence>.snap`.

    magic (8 bytes) · version (2) · length of the header (4) · CRC-32 of the header (4) · header · sections

The header is msgpack: sequence, chain hash, and for each section its name, length and CRC-32. A file is
written under another name, synced, and renamed, so a crash leaves at most a `.partial` file behind.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from crowdroute.router.adapters.codec import CHAIN_BYTES
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.ports import Sections

MAGIC = b"crowdrt\n"
VERSION = 1
SNAPSHOTS_KEPT = 2
"""The newest, and the one before it in case the newest turns out to be damaged."""

_front = struct.Struct(">8sHII")


class _Section(msgspec.Struct, frozen=True, array_like=True):
    name: str
    length: int
    crc32: int


class _Header(msgspec.Struct, frozen=True, array_like=True):
    sequence: int
    chain: bytes
    sections: tuple[_Section, ...]


_headers = msgspec.msgpack.Decoder(_Header)


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

    def write(self, sequence: int, chain: bytes, sections: Sections) -> None:
        """Keep a snapshot durably, and only then let go of the oldest.

        Raises:
            OSError: it could not be written; those written before stand.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        described = tuple(
            _Section(name, len(section), zlib.crc32(section)) for name, section in sections.items()
        )
        header = msgspec.msgpack.encode(_Header(sequence, chain, described))
        path = self.directory / f"{sequence:016d}.snap"
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            with partial.open("wb") as file:
                file.write(_front.pack(MAGIC, VERSION, len(header), zlib.crc32(header)))
                file.write(header)
                for section in sections.values():
                    file.write(section)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        self._sync()
        for old in self._files()[:-SNAPSHOTS_KEPT]:
            old.unlink(missing_ok=True)

    def clear_partial(self) -> None:
        """Remove what crashed writers left; only while no other process writes here."""
        for partial in self.directory.glob("*.partial"):
            partial.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        """List the snapshot files, oldest first: names sort as their sequences do."""
        return sorted(self.directory.glob("*.snap"))

    def _sync(self) -> None:
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_snapshot(path: Path) -> tuple[int, bytes, Sections]:
    """Read one file whole and verify it.

    Raises:
        SnapshotUnusable: it is damaged, of an unknown version, or gone.
    """
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror})") from error
    if len(whole) < _front.size:
        raise _unusable(path, "is cut off")
    magic, version, length, crc = _front.unpack_from(whole)
    if magic != MAGIC:
        raise _unusable(path, "is no snapshot")
    if version != VERSION:
        raise _unusable(path, f"is of version {version}, this release reads {VERSION}")
    view = memoryview(whole)
    encoded = view[_front.size : _front.size + length]
    if zlib.crc32(encoded) != crc:
        raise _unusable(path, "is damaged in its header")
    try:
        header = _headers.decode(encoded)
    except msgspec.DecodeError as error:
        raise _unusable(path, f"has a header that cannot be read ({error})") from error
    if header.sequence != _named_sequence(path) or len(header.chain) != CHAIN_BYTES:
        raise _unusable(path, "does not hold what its name says")
    at = _front.size + length
    if len(whole) != at + sum(section.length for section in header.sections):
        raise _unusable(path, "is cut off or too long")
    sections: dict[str, bytes | memoryview] = {}
    for section in header.sections:
        part = view[at : at + section.length]
        if zlib.crc32(part) != section.crc32:
            raise _unusable(path, f"is damaged in section {section.name!r}")
        sections[section.name] = part
        at += section.length
    return header.sequence, header.chain, sections


def _named_sequence(path: Path) -> int:
    return int(path.stem) if path.stem.isdigit() else -1


def _unusable(path: Path, why: str) -> SnapshotUnusable:
    return SnapshotUnusable(f"{path} {why}: the one before it, or the log, is used", {"path": str(path)})
