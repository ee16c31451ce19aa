"""Contents in a compacted topic: one record per version, admitted only with the batch that it belongs to.

A version is named by its content's key and by the batch (epoch and sequence) that wrote it, so that a
process which lost the shard can add a record but never replace one. It is durable before its batch, and
counts when the log holds that batch in that epoch. An erasure is a version too, without a body. What was
superseded, erased or never admitted is tombstoned once the batch is durable, and again by the next owner
should that not have happened, so that compaction removes it; an erasure after everything that it erased.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.errors import LogCorrupt, UnknownEvent
from crowdroute.router.ports import ContentChange

_front = struct.Struct(">BQQ")
_VERSION, _SECRET, _CLOCK, _UNFINISHED = 1, 2, 3, 4
_BODY, _ERASED = b"\x01", b"\x00"

KINDS = 32
"""Names of other kinds than those above, but below this, are a newer release's; those of others are text."""

SECRET = bytes((_SECRET,))
"""How the name of a record begins that holds the secret behind the digests; the first in the topic counts."""

CLOCK = bytes((_CLOCK,))
"""Name of the record that is written to learn the broker's time; it says nothing."""

UNFINISHED = bytes((_UNFINISHED,))
"""Name of the record that is there while the log is copied from another one, and tombstoned after that."""

SERVED = CLOCK + b"\x01"
"""Name of the record that an owner writes again and again while it serves, and tombstones when it ends in
order."""

_NONCE_BYTES = 16


def secret_key() -> bytes:
    """Name a secret in the topic, each by a name of its own.

    Two processes that begin a log at once write one each. Under one name compaction would keep the later one,
    and the first, which all digests are made with, would be lost.
    """
    return SECRET + os.urandom(_NONCE_BYTES)


class Version(NamedTuple):
    """Which batch wrote a content."""

    epoch: int
    sequence: int


def encode_key(key: str, version: Version) -> bytes:
    """Name a version in the topic."""
    return _front.pack(_VERSION, *version) + key.encode()


def decode_key(raw: bytes, offset: int) -> tuple[str, Version]:
    """Give back what `encode_key` was given.

    Raises:
        UnknownEvent: a newer release wrote it.
        LogCorrupt: it is not such a name.
    """
    if raw and _UNFINISHED < raw[0] < KINDS:
        raise UnknownEvent(
            f"the content at offset {offset} is of kind {raw[0]}, which this release does not know: start the"
            " release that wrote it, or a newer one",
            {"offset": str(offset), "differs": "kind"},
        )
    try:
        kind, epoch, sequence = _front.unpack_from(raw)
        if kind == _VERSION:
            return str(raw[_front.size :], "utf-8"), Version(epoch, sequence)
    except (struct.error, UnicodeDecodeError):
        pass
    raise LogCorrupt(
        f"the content at offset {offset} is not one of this engine's: give each cluster a topic of its own",
        {"offset": str(offset), "differs": "content"},
    )


def sequence_of(found: Found) -> int:
    """Give the sequence of the batch that a record's version belongs to; 0 for a record that is no version.

    Raises:
        LogCorrupt: it is no record of this engine.
    """
    raw = found.key or b""
    if raw[:1] in (SECRET, CLOCK) or raw == UNFINISHED:
        return 0
    return decode_key(raw, found.offset)[1].sequence


def encode_value(body: bytes | None) -> bytes:
    """Encode a body, or None for an erasure."""
    return _ERASED if body is None else _BODY + body


class Admitted(NamedTuple):
    """One change that counts."""

    key: str
    version: Version
    body: bytes | None


class ContentReader:
    """Says of each record of the topic, in order, what it changes; and which versions ought to be gone."""

    def __init__(self, epoch_of: Callable[[int], int | None], held: Callable[[str], Version | None]) -> None:
        """Begin to read.

        Args:
            epoch_of: gives the epoch of a batch by its sequence, None where the log has no such batch.
            held: gives the version of a content that was admitted before.
        """
        self._epoch_of = epoch_of
        self._held = held
        self._now: dict[str, Version | None] = {}
        self._dead: dict[bytes, None] = {}
        self.secret: bytes | None = None
        self.unfinished: bool | None = None
        """Whether the log is a copy that is not finished, as the last such record says; None without one."""

    def take(self, found: Found) -> Admitted | None:
        """Give the change that a record brings, None for none.

        Raises:
            UnknownEvent: a newer release wrote it.
            LogCorrupt: it is no record of this engine.
        """
        raw = found.key or b""
        if raw[:1] == SECRET:
            self.secret = self.secret or found.value
            return None
        if raw[:1] == CLOCK:
            return None
        if raw == UNFINISHED:
            self.unfinished = found.value is not None
            return None
        key, version = decode_key(raw, found.offset)
        before = self._now[key] if key in self._now else self._held(key)
        if found.value is None:
            self._dead.pop(raw, None)
            if before != version:
                return None
            self._now[key] = None
            return Admitted(key, version, None)
        superseded = before is not None and version.sequence < before.sequence
        if superseded or self._epoch_of(version.sequence) != version.epoch:
            self._dead[raw] = None
            return None
        if before is not None and before != version:
            self._dead[encode_key(key, before)] = None
        if found.value[:1] == _ERASED:
            self._dead[raw] = None
            self._now[key] = None
            return Admitted(key, version, None)
        self._now[key] = version
        return Admitted(key, version, found.value[1:])

    def to_tombstone(self) -> Iterable[bytes]:
        """Give the names of versions that ought to be gone, and for which no tombstone was read; each erasure
        after what it erased, in which order they must be tombstoned."""
        return tuple(self._dead)


_COPIED_VERSION_BYTES = 16


def versioned(key: str, version: Version, body: bytes | None) -> ContentChange:
    """Give a change as a node's copy keeps it: the version before the body."""
    if body is None:
        return ContentChange(key, None)
    return ContentChange(key, version.epoch.to_bytes(8, "big") + version.sequence.to_bytes(8, "big") + body)


def version_of(raw: bytes) -> Version:
    """Give the version of what a copy keeps."""
    return Version(int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:_COPIED_VERSION_BYTES], "big"))


def body_of(raw: bytes) -> bytes:
    """Give the body of what a copy keeps."""
    return raw[_COPIED_VERSION_BYTES:]
