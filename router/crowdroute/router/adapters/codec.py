"""Batches as bytes: the only place that knows how the log is written.

A body is one format byte followed by the msgpack form of `Batch`, whose events are arrays that begin with
their tag. Within a format, event classes only gain fields at the end, with defaults; a class that had to
change otherwise was given a new tag, and `UPCASTERS` turns the old tag's array into the new one when an old
log is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import cast

import msgspec

from crowdroute.router.errors import LogCorrupt, UnknownEvent
from crowdroute.router.events import EVENTS, Batch, Entry, InputOffset
from crowdroute.router.ports import StoredBatch

FORMAT = 1
"""Version of everything around the events; the first byte of every body."""

CHAIN_BYTES = 32
CHAIN_START = bytes(CHAIN_BYTES)
"""The chain hash before the first batch."""

_EVENTS_FIELD = 3
"""Where an entry's array holds its events."""

Upcaster = Callable[[list[object]], list[object]]
"""Takes an old event's array (tag first) and gives the array of the class that replaced it."""

UPCASTERS: Mapping[int, Upcaster] = {}
"""By the tag of a class that no longer exists. No class was replaced so far."""

_encoder = msgspec.msgpack.Encoder()
_batches = msgspec.msgpack.Decoder(Batch)
_untyped = msgspec.msgpack.Decoder()
_widths = {cast(int, event.__struct_config__.tag): 1 + len(event.__struct_fields__) for event in EVENTS}


def encode_entry(entry: Entry) -> bytes:
    """Encode one entry alone, so that its size is known before its batch is closed."""
    return _encoder.encode(entry)


def assemble(
    sequence: int, entries: Sequence[bytes], inputs: Sequence[InputOffset] = (), alive_us: int = 0
) -> bytes:
    """Put encoded entries together to the body that `encode_batch` gives for the same batch."""
    return b"".join(
        (
            bytes((FORMAT, 0x94)),  # an array of Batch's four fields
            _encoder.encode(sequence),
            _array_header(len(entries)),
            *entries,
            _encoder.encode(inputs),
            _encoder.encode(alive_us),
        )
    )


def encode_batch(batch: Batch) -> bytes:
    """Encode a batch as the log holds it."""
    return bytes((FORMAT,)) + _encoder.encode(batch)


def decode_batch(body: bytes, sequence: int, upcasters: Mapping[int, Upcaster] = UPCASTERS) -> Batch:
    """Decode the body that the log holds under `sequence`.

    Raises:
        UnknownEvent: a newer release wrote it.
        LogCorrupt: it is not a batch, or it is the batch of another sequence.
    """
    if not body or body[0] != FORMAT:
        raise UnknownEvent(
            f"batch {sequence} is written in format {body[0] if body else 'none'}, this release reads"
            f" {FORMAT}: start the release that wrote it, or a newer one",
            {"sequence": str(sequence), "differs": "format"},
        )
    payload = memoryview(body)[1:]
    try:
        batch = _batches.decode(payload)
    except msgspec.DecodeError as error:
        batch = _decode_foreign(payload, sequence, upcasters, error)
    if batch.sequence != sequence:
        raise LogCorrupt(
            f"the log holds batch {batch.sequence} where batch {sequence} belongs: restore it from a backup",
            {"sequence": str(sequence), "differs": "sequence"},
        )
    return batch


def chain(previous: bytes, body: bytes) -> bytes:
    """Give the chain hash of a body (BLAKE2b-256 over the hash before it and the body)."""
    digest = blake2b(previous, digest_size=CHAIN_BYTES)
    digest.update(body)
    return digest.digest()


def check_link(previous: bytes, sequence: int, stored: StoredBatch) -> None:
    """Verify that a batch belongs at `sequence`, after the one whose chain hash is `previous`.

    Raises:
        LogCorrupt: with the sequence, and in `details["differs"]` what is wrong.
    """
    if stored.sequence != sequence:
        raise LogCorrupt(
            f"batch {sequence} is missing, batch {stored.sequence} stands in its place:"
            " restore the log from a backup",
            {"sequence": str(sequence), "differs": "sequence"},
        )
    if chain(previous, stored.body) != stored.chain:
        raise LogCorrupt(
            f"batch {sequence} does not follow from the batches before it (its chain hash differs):"
            " restore the log from a backup",
            {"sequence": str(sequence), "differs": "chain"},
        )


def keyed_digest(key: bytes, content: bytes) -> bytes:
    """Give the 16 bytes that stand in the log for content; nobody can guess at it without the key."""
    return blake2b(content, key=key, digest_size=16).digest()


def _array_header(length: int) -> bytes:
    """Give what msgpack writes before the elements of an array."""
    if length < 16:
        return bytes((0x90 | length,))
    if length < 1 << 16:
        return b"\xdc" + length.to_bytes(2, "big")
    return b"\xdd" + length.to_bytes(4, "big")


def _decode_foreign(
    payload: memoryview, sequence: int, upcasters: Mapping[int, Upcaster], cause: msgspec.DecodeError
) -> Batch:
    """Decode a body that does not fit the present classes: bring old events up, name unknown ones."""
    unreadable = LogCorrupt(
        f"batch {sequence} cannot be decoded ({cause}): restore the log from a backup",
        {"sequence": str(sequence), "differs": "body"},
    )
    try:
        raw = _untyped.decode(payload)
        for entry in raw[1]:
            entry[_EVENTS_FIELD] = [_upcast(event, sequence, upcasters) for event in entry[_EVENTS_FIELD]]
        return _batches.decode(_encoder.encode(raw))
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise unreadable from error


def _upcast(event: list[object], sequence: int, upcasters: Mapping[int, Upcaster]) -> list[object]:
    """Replace an old event until its class exists; refuse one that this release cannot know."""
    tag = event[0]
    while isinstance(tag, int) and tag in upcasters:
        event = upcasters[tag](event)
        tag = event[0]
    if isinstance(tag, int) and len(event) > _widths.get(tag, 0):
        raise UnknownEvent(
            f"batch {sequence} holds an event of tag {tag} with {len(event) - 1} fields, which this release"
            " does not know: start the release that wrote the log, or a newer one",
            {"sequence": str(sequence), "differs": "event", "tag": str(tag)},
        )
    return event
