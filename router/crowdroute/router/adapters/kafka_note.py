"""How far a node's copy of a log on Kafka is, noted in a small file beside it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from crowdroute.router.adapters.kafka_position import Position, decode_position, encode_position
from crowdroute.router.adapters.kafka_topics import TRACES_MS
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.ports import StoredBatch

Epochs = tuple[tuple[int, int], ...]
"""Of each epoch that has batches: the sequence of its first, and its number; ascending."""

TRACES_S = TRACES_MS / 1000 / 2
"""Half of the time for which the topic leaves traces: the other half is for reading it, and for clocks."""


class _Written(msgspec.Struct, frozen=True, array_like=True):
    """The note as it lies in the file."""

    position: bytes
    contents: int
    secret: bytes
    at_s: float = 0.0
    unfinished: bool = False
    epochs: Epochs = ()
    floor: int = 0


class Note(msgspec.Struct, frozen=True):
    """How far both partitions are in the copy."""

    position: Position
    contents: int = 0
    """Offset of the first record of contents that is not looked at."""
    secret: bytes = b""
    """The key of the digests; empty when it was not read yet."""
    at_s: float = 0.0
    """Seconds since 1970 when the contents in the copy were certainly those of the log."""
    unfinished: bool = False
    """Whether the log was copied from another one, and not to the end, as far as contents are looked at."""
    epochs: Epochs = ()
    """Of the batches in the copy, and of those that it lacks."""
    floor: int = 0
    """Sequence of the batch from which on the copy has all; 0: it lacks none."""

    def contents_from(self, now_s: float) -> int:
        """Give the offset from which contents are to be read on; 0 when that takes an empty copy, because
        what was erased meanwhile may have left no trace."""
        return self.contents if 0 <= now_s - self.at_s < TRACES_S else 0


def read_note(path: Path, topic_id: bytes, head: int) -> Note:
    """Give what was noted, or the beginning when that is not known.

    Args:
        path: of the file.
        topic_id: of the log, for the beginning.
        head: sequence of the newest batch in the copy; a note that is ahead of it is worth nothing.
    """
    try:
        found = msgspec.msgpack.decode(path.read_bytes(), type=_Written)
        position = decode_position(found.position)
    except (FileNotFoundError, msgspec.DecodeError, SnapshotUnusable):
        return Note(Position(topic_id))
    if position.sequence > head or (position.sequence and not found.epochs):
        return Note(Position(topic_id))
    return Note(
        position,
        found.contents,
        found.secret,
        found.at_s,
        found.unfinished,
        found.epochs,
        found.floor,
    )


def write_note(path: Path, note: Note) -> None:
    """Put a note in the place of the one before, whole or not at all."""
    written = _Written(
        encode_position(note.position),
        note.contents,
        note.secret,
        note.at_s,
        note.unfinished,
        note.epochs,
        note.floor,
    )
    raw = msgspec.msgpack.encode(written)
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, raw)
    finally:
        os.close(descriptor)
    os.replace(partial, path)


def with_batch(epochs: Epochs, stored: StoredBatch) -> Epochs:
    """Give the epochs of a log that goes on with a batch."""
    return epochs if epochs and epochs[-1][1] == stored.epoch else (*epochs, (stored.sequence, stored.epoch))
