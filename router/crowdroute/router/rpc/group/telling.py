"""What who follows a group is told, in messages that neither end spends long on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.machine.organisation import pieces, saving
from crowdroute.router.machine.organisation.pieces import PackedRows, ReadInPieces
from crowdroute.router.runtime.copies import OrganisationCopy
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.organisation_rows import HeldRows

PART_BYTES = 64 << 10
"""Of durable entries in one message, as far as they can be cut: a thousand small events, folded in some
milliseconds."""


class HeldOrganisation:
    """A copy's organisation as it is now, to be told piece by piece."""

    def __init__(self, copy: OrganisationCopy) -> None:
        """Hold the rows and remember of which batch they are; what follows is told as entries."""
        self._copy = copy
        self._sequence = copy.sequence
        self._rows = HeldRows(copy.machine.state)

    def parts(self) -> Iterator[peer_pb2.FollowPart]:
        """Yield the messages that tell it; whoever sends them has others take their turn in between."""
        for packed in pieces.pack_in_pieces(self._rows):
            rows = peer_pb2.Rows(table=packed.table, count=packed.rows, start=packed.start)
            section = peer_pb2.Section(name=saving.SECTION, body=packed.body, rows=rows)
            yield self._part([section], more=True)
        yield self._part([], more=False)

    def _part(self, sections: list[peer_pb2.Section], *, more: bool) -> peer_pb2.FollowPart:
        told = peer_pb2.Organisation(
            stream=self._copy.stream,
            shard=self._copy.shard,
            sequence=self._sequence,
            sections=sections,
            more=more,
        )
        return peer_pb2.FollowPart(organisations=[told])


class ArrivingOrganisation:
    """An organisation that is told and is not here whole yet."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._read = ReadInPieces()
        # Of a release that says nothing of rows: cut anywhere, and read in one go once all of it is there.
        self._unread: dict[str, bytearray] = {}

    def take(self, told: peer_pb2.Organisation) -> None:
        """Take over one more piece.

        Raises:
            SnapshotUnusable: it cannot be read.
        """
        for section in told.sections:
            if section.HasField("rows"):
                rows = section.rows
                self._read.take(PackedRows(rows.table, rows.count, rows.start, section.body))
            else:
                self._unread.setdefault(section.name, bytearray()).extend(section.body)

    def whole(self) -> OrganisationState:
        """Give the state, once the last piece is there.

        Raises:
            SnapshotUnusable: it cannot be read.
        """
        if self._unread:
            return saving.unpack({name: memoryview(body) for name, body in self._unread.items()})
        return self._read.state


def entry_parts(entries: Sequence[peer_pb2.DurableEntry]) -> Iterator[peer_pb2.FollowPart]:
    """Yield the messages that tell entries; with the last, everything up to now is told."""
    part, size = peer_pb2.FollowPart(), 0
    for entry in entries:
        if size and size + len(entry.entry) > PART_BYTES:
            yield part
            part, size = peer_pb2.FollowPart(), 0
        part.entries.append(entry)
        size += len(entry.entry)
    part.complete = True
    yield part
