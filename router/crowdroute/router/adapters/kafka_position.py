"""How far a Kafka log is read: what a snapshot's header holds, so that reading can go on from it."""

from __future__ import annotations

import msgspec

from crowdroute.router.adapters.codec import CHAIN_BYTES, CHAIN_START
from crowdroute.router.adapters.kafka_records import DIGEST_BYTES, NONCE_BYTES, Epoch
from crowdroute.router.errors import SnapshotUnusable

FORMAT = 1
"""First byte of every header."""


class Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The result of reading a log up to an offset: a function of the records before it alone."""

    topic_id: bytes
    """Of the topic that was read: one created again under the same name is another log."""
    next_offset: int = 0
    claims: tuple[Epoch, ...] = ()
    """Every claim that was not void; the last one is the epoch whose batches are valid."""
    generation: int = 0
    """Highest generation that claimed."""
    sequence: int = 0
    """Of the last valid batch."""
    chain: bytes = CHAIN_START
    released: bool = False
    """Whether the last valid batch said so."""
    digests: tuple[bytes, ...] = ()
    """Of the last valid batches, oldest first."""
    anchor: bytes = b""
    """Digest of the record before `next_offset`, whatever it was; none when nothing was read."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Position)


def encode_position(position: Position) -> bytes:
    """Encode a position as a snapshot's section."""
    return bytes((FORMAT,)) + _encoder.encode(position)


def decode_position(section: bytes | memoryview) -> Position:
    """Decode a snapshot's section.

    Raises:
        SnapshotUnusable: it is not a position, or one of another release.
    """
    try:
        if section[0] != FORMAT:
            raise SnapshotUnusable(
                f"the snapshot's position in the log is written in format {section[0]}, this release reads"
                f" {FORMAT}: take another snapshot, or fold the log from its beginning",
                {"differs": "format"},
            )
        position = _decoder.decode(memoryview(section)[1:])
    except (msgspec.DecodeError, IndexError) as error:
        raise _damaged(str(error)) from error
    if not _fits(position):
        raise _damaged("its parts do not fit together")
    return position


def _fits(position: Position) -> bool:
    offsets = [epoch.offset for epoch in position.claims]
    return (
        len(position.chain) == CHAIN_BYTES
        and len(position.anchor) == (DIGEST_BYTES if position.next_offset else 0)
        and all(len(known) == DIGEST_BYTES for known in position.digests)
        and all(len(epoch.nonce) == NONCE_BYTES for epoch in position.claims)
        and offsets == sorted(set(offsets))
        and all(0 <= offset < position.next_offset for offset in offsets)
        and bool(position.claims or not position.sequence)
        and min(position.generation, position.sequence, position.next_offset) >= 0
    )


def _damaged(reason: str) -> SnapshotUnusable:
    return SnapshotUnusable(
        f"the snapshot's position in the log cannot be used ({reason}): take another snapshot, or fold the"
        " log from its beginning",
        {"differs": "position"},
    )
