"""A closed range of a shard's records as one immutable object, which says itself whether it is whole.

    magic (8 bytes) · length of the header (4) · CRC-32 of the header (4) · header · records, compressed

The header holds the shard, what a reader had come to at both ends (chain hash, epochs, the record before: see
`kafka_position`) and a BLAKE2b-256 of the records. Records stand as the topic has them, claims and stale
batches included, each behind its length. No I/O.
"""

from __future__ import annotations

import importlib.util
import re
import struct
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from crowdroute.router.adapters.kafka_position import Position, decode_position, encode_position
from crowdroute.router.errors import ConfigurationError, LogCorrupt, SnapshotUnusable

MAGIC = b"crowdar1"
"""Ends with the version."""

LEVEL = 3
"""Of zstandard: its own default; a higher one gains little for its time."""

_front = struct.Struct(">8sII")
_length = struct.Struct(">I")
_NAME = re.compile(r"([0-9]{16})-([0-9]{16})\.segment")


class _Header(msgspec.Struct, frozen=True, array_like=True):
    shard: str
    begin: bytes
    end: bytes
    records: int
    digest: bytes


class Ends(NamedTuple):
    """What a segment says of itself without its records."""

    shard: str
    begin: Position
    """Of a reader before its first record."""
    end: Position
    """Of a reader after its last."""


def segment_name(first: int, last: int) -> str:
    """Name the segment of these offsets; names sort as their ranges do."""
    return f"{first:016d}-{last:016d}.segment"


def named_range(name: str) -> tuple[int, int] | None:
    """Give first and last offset of the segment of a name, None when it is no segment's."""
    found = _NAME.fullmatch(name)
    return None if found is None else (int(found[1]), int(found[2]))


def encode_segment(ends: Ends, records: Sequence[bytes]) -> bytes:
    """Encode the records between two positions.

    Raises:
        ConfigurationError: the cluster's extra is not installed.
    """
    if importlib.util.find_spec("zstandard") is None:
        raise ConfigurationError("an archive needs zstandard: pip install 'crowdroute[cluster]'")
    import zstandard

    raw = b"".join(part for record in records for part in (_length.pack(len(record)), record))
    header = msgspec.msgpack.encode(
        _Header(
            ends.shard,
            encode_position(ends.begin),
            encode_position(ends.end),
            len(records),
            blake2b(raw, digest_size=32).digest(),
        )
    )
    front = _front.pack(MAGIC, len(header), zlib.crc32(header))
    return front + header + zstandard.ZstdCompressor(level=LEVEL).compress(raw)


def decode_segment(whole: bytes, place: str) -> tuple[Ends, list[bytes]]:
    """Verify a segment and give its ends and its records.

    Args:
        whole: its bytes.
        place: a URL that ends with its name.

    Raises:
        LogCorrupt: it is damaged, of another version, or of another range than its name says.
    """
    import zstandard

    header, ends, at = _decode_header(whole, place)
    try:
        raw = zstandard.ZstdDecompressor().decompress(memoryview(whole)[at:])
    except zstandard.ZstdError as error:
        raise _damaged(place, f"cannot be decompressed ({error})") from error
    if blake2b(raw, digest_size=32).digest() != header.digest:
        raise _damaged(place, "is damaged (its checksum differs)")
    records, at = [], 0
    while at < len(raw):
        (length,) = _length.unpack_from(raw, at)
        at += _length.size + length
        records.append(raw[at - length : at])
    first, last = ends.begin.next_offset, ends.end.next_offset - 1
    if named_range(place.rpartition("/")[2]) != (first, last) or len(records) != last - first + 1:
        raise _damaged(place, "does not hold what its name says")
    return ends, records


def _decode_header(whole: bytes, place: str) -> tuple[_Header, Ends, int]:
    if len(whole) < _front.size:
        raise _damaged(place, "is cut off")
    magic, length, crc = _front.unpack_from(whole)
    if magic != MAGIC:
        raise _damaged(place, "is no segment of an archive that this release reads")
    encoded = whole[_front.size : _front.size + length]
    if zlib.crc32(encoded) != crc:
        raise _damaged(place, "is damaged in its header")
    try:
        header = msgspec.msgpack.decode(encoded, type=_Header)
        ends = Ends(header.shard, decode_position(header.begin), decode_position(header.end))
    except (msgspec.DecodeError, SnapshotUnusable) as error:
        raise _damaged(place, f"has a header that cannot be read ({error})") from error
    return header, ends, _front.size + length


def _damaged(place: str, what: str) -> LogCorrupt:
    return LogCorrupt(
        f"{place} {what}: put a good copy of it in its place", {"url": place, "differs": "segment"}
    )
