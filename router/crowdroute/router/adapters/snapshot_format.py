"""A snapshot as bytes that say themselves whether they are whole.

    magic (8 bytes) · version (2) · length of the header (4) · CRC-32 of the header (4) · header · sections

The header is msgpack: sequence, chain hash, and for each section its name, length and CRC-32.
"""

from __future__ import annotations

import struct
import zlib

import msgspec

from crowdroute.router.adapters.codec import CHAIN_BYTES
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.ports import Sections

MAGIC = b"crowdrt\n"
VERSION = 1
SUFFIX = ".snap"

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


def snapshot_name(sequence: int) -> str:
    """Name the snapshot of a batch; names sort as their sequences do."""
    return f"{sequence:016d}{SUFFIX}"


def named_sequence(name: str) -> int | None:
    """Give the batch that a name is of, None when it is no snapshot's."""
    stem, dot, suffix = name.rpartition(".")
    return int(stem) if dot + suffix == SUFFIX and stem.isdigit() else None


def encode_snapshot(sequence: int, chain: bytes, sections: Sections) -> list[bytes | memoryview]:
    """Give the parts of a snapshot in order."""
    described = tuple(_Section(name, len(section), zlib.crc32(section)) for name, section in sections.items())
    header = msgspec.msgpack.encode(_Header(sequence, chain, described))
    return [_front.pack(MAGIC, VERSION, len(header), zlib.crc32(header)), header, *sections.values()]


def decode_snapshot(whole: bytes, place: str) -> tuple[int, bytes, Sections]:
    """Verify a snapshot and give sequence, chain hash and sections.

    Args:
        whole: its bytes.
        place: a path or URL, which ends with its name.

    Raises:
        SnapshotUnusable: it is damaged, of an unknown version, or of another batch than its name says.
    """
    if len(whole) < _front.size:
        raise unusable(place, "is cut off")
    magic, version, length, crc = _front.unpack_from(whole)
    if magic != MAGIC:
        raise unusable(place, "is no snapshot")
    if version != VERSION:
        raise unusable(place, f"is of version {version}, this release reads {VERSION}")
    view = memoryview(whole)
    encoded = view[_front.size : _front.size + length]
    if zlib.crc32(encoded) != crc:
        raise unusable(place, "is damaged in its header")
    try:
        header = _headers.decode(encoded)
    except msgspec.DecodeError as error:
        raise unusable(place, f"has a header that cannot be read ({error})") from error
    if header.sequence != named_sequence(place.rpartition("/")[2]) or len(header.chain) != CHAIN_BYTES:
        raise unusable(place, "does not hold what its name says")
    at = _front.size + length
    if len(whole) != at + sum(section.length for section in header.sections):
        raise unusable(place, "is cut off or too long")
    sections: dict[str, bytes | memoryview] = {}
    for section in header.sections:
        part = view[at : at + section.length]
        if zlib.crc32(part) != section.crc32:
            raise unusable(place, f"is damaged in section {section.name!r}")
        sections[section.name] = part
        at += section.length
    return header.sequence, header.chain, sections


def unusable(place: str, why: str) -> SnapshotUnusable:
    """Say why a snapshot is passed over."""
    return SnapshotUnusable(f"{place} {why}: the one before it, or the log, is used", {"path": place})
