"""The organisation's state as bytes that are made and read piece by piece, for whoever goes on meanwhile.

All pieces one after the other are the section that `saving` packs, so that whoever knows nothing of pieces
reads them, too; the tables of many rows stand in another order in it, which means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.machine.organisation.saving import SECTION, TABLES, VERSION
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.organisation_rows import HeldRows, put_rows

_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[str, msgspec.msgpack.Decoder[list[Any]]] = {
    name: msgspec.msgpack.Decoder(list[kind])  # type: ignore[valid-type]
    for name, kind in TABLES.items()
}


class PackedRows(NamedTuple):
    """Some whole rows of one table, and before them what joins them to the piece before."""

    table: str
    rows: int
    """How many they are."""
    start: int
    """Where in the body the rows begin."""
    body: bytes


def pack_in_pieces(held: HeldRows) -> Iterator[PackedRows]:
    """Yield the rows as bytes; others may have their turn between any two pieces."""
    for piece in held.pieces():
        joint = b""
        if piece.table == "tenant":
            joint = _OPENING
        elif piece.first:
            joint = _array(piece.total)
        count = len(piece.rows)
        rows = _encode(piece.rows)[len(_array(count)) :]
        yield PackedRows(piece.table, count, len(joint), joint + rows)


class ReadInPieces:
    """A state that is made of packed rows as they come, in their order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.state = OrganisationState()

    def take(self, piece: PackedRows) -> None:
        """Put the rows of one more piece.

        Raises:
            SnapshotUnusable: it is damaged, or of another version.
        """
        if piece.table == "tenant" and piece.body[: piece.start] != _OPENING:
            raise SnapshotUnusable(
                f"section {SECTION!r} is not of version {VERSION}, which this release reads:"
                " run neighbouring releases only"
            )
        decoder = _decoders.get(piece.table)
        if decoder is None:
            raise SnapshotUnusable(
                f"section {SECTION!r} has rows of {piece.table!r}, which is no table of it"
            )
        try:
            rows = decoder.decode(_array(piece.rows) + piece.body[piece.start :])
        except msgspec.MsgspecError as error:
            raise SnapshotUnusable(f"rows of {piece.table!r} are damaged ({error})") from error
        put_rows(self.state, piece.table, rows)


def _array(length: int) -> bytes:
    """Give what MessagePack begins an array of so many elements with."""
    if length < 1 << 4:
        return bytes([0x90 | length])
    if length < 1 << 16:
        return b"\xdc" + length.to_bytes(2, "big")
    return b"\xdd" + length.to_bytes(4, "big")


_OPENING = _array(2) + _encode(VERSION) + _array(len(TABLES))
"""Where `saving` begins its section, as far as the tenant."""
