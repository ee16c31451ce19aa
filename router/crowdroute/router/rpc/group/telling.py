"""What who follows a group is told, in messages that neither end spends long on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence, Set

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.machine.organisation import pieces, saving
from crowdroute.router.machine.organisation.pieces import PackedRows, ReadInPieces
from crowdroute.router.runtime.copies import OrganisationCopy
from crowdroute.router.state.organisation import OrganisationState
from crowdroute.router.state.organisation_rows import HeldRows

PART_BYTES = 64 << 10
"""Of durable entries in one message, as far as they can be cut: a thousand small events, folded in some
milliseconds."""

MOST_UNTOLD_BYTES = 64 << 20
"""Of entries kept for a follower who does not take them; then it begins anew. They must last while a large
organisation is sent, or that would begin anew for ever: 100,000 totals a second take 5 MB each second."""


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


class Untold:
    """Durable entries that a follower is still to be told; all are given up when they are too many."""

    def __init__(self) -> None:
        """Begin with none."""
        self.posted = asyncio.Event()
        """Set whenever something became durable."""
        self.size = 0
        """Bytes that are kept."""
        self._entries: list[peer_pb2.DurableEntry] = []
        self._is_over = False

    def note(self, entry: peer_pb2.DurableEntry) -> None:
        """Keep one more; seen here when they are too many, for a follower that is frozen lets nobody look."""
        if self._is_over:
            return
        self._entries.append(entry)
        self.size += len(entry.entry)
        if self.size > MOST_UNTOLD_BYTES:
            self._keep([])
            self._is_over = True

    def leave_out(self, streams: Set[str]) -> None:
        """Forget those of some streams."""
        self._keep([entry for entry in self._entries if entry.stream not in streams])

    def take(self) -> list[peer_pb2.DurableEntry] | None:
        """Take all of them out; None when they were given up, so that nothing more may be told."""
        some = self._entries
        self._keep([])
        return None if self._is_over else some

    def _keep(self, entries: list[peer_pb2.DurableEntry]) -> None:
        self._entries = entries
        self.size = sum(len(entry.entry) for entry in entries)


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
