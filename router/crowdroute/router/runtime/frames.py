"""What the owner of a log and its snapshotter say to each other over pipes.

To the snapshotter: frames of one kind byte, a length and a payload. Back: lines of a word and a number.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from crowdroute.router.errors import InvariantBroken
from crowdroute.router.ports import StoredBatch

BATCH = b"B"
SAVE = b"S"

AT = "at"
"""First line: the snapshotter holds the log through this sequence and wants the next batch."""
SAVED = "saved"
"""A snapshot of this sequence is durable."""

_front = struct.Struct(">cI")
_batch = struct.Struct(">QQ32s")


def batch_frame(stored: StoredBatch) -> bytes:
    """Give the frame that carries a batch as the log holds it."""
    head = _batch.pack(stored.sequence, stored.epoch, stored.chain)
    return b"".join((_front.pack(BATCH, len(head) + len(stored.body)), head, stored.body))


def save_frame() -> bytes:
    """Give the frame that asks for a snapshot now."""
    return _front.pack(SAVE, 0)


def read_frame(stream: BinaryIO) -> StoredBatch | None:
    """Read a frame: a batch, or None for the wish to save.

    Raises:
        EOFError: the owner is gone.
        InvariantBroken: it is no frame of this release.
    """
    kind, length = _front.unpack(_exactly(stream, _front.size))
    payload = _exactly(stream, length)
    if kind == SAVE:
        return None
    if kind != BATCH or length < _batch.size:
        raise InvariantBroken(
            f"a frame of kind {kind!r} and {length} bytes is unknown here", {"field": "kind"}
        )
    sequence, epoch, chain = _batch.unpack_from(payload)
    return StoredBatch(sequence, epoch, chain, payload[_batch.size :])


def _exactly(stream: BinaryIO, size: int) -> bytes:
    read = stream.read(size)
    if len(read) < size:
        raise EOFError
    return read
