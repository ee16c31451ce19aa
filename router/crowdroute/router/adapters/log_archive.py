"""The archive of one shard's records: closed ranges as objects, written first, then deleted from the topic.

Segments may overlap (two owners that cut differently), for each offset holds the same record in all of them;
a reader takes any that has the offset it wants. Every one is verified whole when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from crowdroute.router.adapters.archive_segment import (
    Ends,
    decode_segment,
    encode_segment,
    named_range,
    segment_name,
)
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.errors import LogCorrupt
from crowdroute.router.ports import ObjectFolder

SEGMENT_BYTES = 8 << 20
"""Bytes of records at which a range is closed. An owner holds the open one in memory; a range is closed by
its records alone, never by time, so every owner closes the same ones."""


class Span(NamedTuple):
    """The offsets of one segment."""

    first: int
    last: int


class Source(Protocol):
    """Records by offset: of a topic's partition."""

    def bounds(self) -> tuple[int, int]:
        """Give the offset of the first record that is not deleted, and that after the last one."""

    def values(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Yield offset and record from one offset through another."""


class LogArchive:
    """What stands in a folder of segments; asked anew each time, for others write there too."""

    def __init__(self, folder: ObjectFolder, shard: str, topic_id: bytes) -> None:
        self._folder = folder
        self._shard = shard
        self._topic_id = topic_id
        self._waiting: tuple[Span, int] | None = None
        """A segment that was no ground for deletion yet, and the sequence which a snapshot must reach."""
        self.place = folder.place

    def spans(self) -> list[Span]:
        """Give the segments that follow from each other, from offset zero on; what is beyond a gap is not
        among them.

        Raises:
            StorageError: the store does not answer, as for every call.
        """
        found = sorted(Span(*each) for name in self._folder.names() if (each := named_range(name)))
        chosen: list[Span] = []
        wanted = 0
        while fitting := [span for span in found if span.first <= wanted <= span.last]:
            chosen.append(max(fitting, key=lambda span: span.last))
            wanted = chosen[-1].last + 1
        return chosen

    def end(self) -> Position:
        """Give what a reader has come to at the end of the archive, read from its last segment.

        Raises:
            LogCorrupt: that is damaged, or of another log.
        """
        spans = self.spans()
        return self._read(spans[-1])[0].end if spans else Position(self._topic_id)

    def values(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Yield offset and record from one offset through another, or through the archive's end.

        Raises:
            LogCorrupt: a segment is damaged, or of another log.
        """
        for span in self.spans():
            if span.last < first:
                continue
            if span.first > last:
                return
            _, records = self._read(span)
            for offset, record in enumerate(records, span.first):
                if first <= offset <= last:
                    yield offset, record
            first = span.last + 1

    def write(self, begin: Position, end: Position, records: list[bytes]) -> int:
        """Return once the segment between two positions is durable, with its size in bytes."""
        name = segment_name(begin.next_offset, end.next_offset - 1)
        segment = encode_segment(Ends(self._shard, begin, end), records)
        self._folder.write(name, segment)
        return len(segment)

    def deletable(self, log_start: int, snapshot: int) -> int:
        """Give the offset before which the topic need not keep anything.

        That is the last record of the last segment which is whole when it is read back, and which ends at or
        below a durable snapshot. The record itself stays: it is the anchor of who goes on from there.

        Args:
            log_start: of the topic; what is deleted is not looked at again.
            snapshot: sequence of the newest durable snapshot.

        Raises:
            LogCorrupt: a segment that is to be relied on is damaged.
        """
        before = log_start
        for span in self.spans():
            if span.last <= log_start:
                continue
            if self._waits(span, snapshot):
                break
            before = span.last
        return before

    def _waits(self, span: Span, snapshot: int) -> bool:
        """Read a segment back and say whether it ends above a snapshot; it is not read at every look while it
        does, which is megabytes from a store that counts them."""
        if self._waiting is not None and self._waiting[0] == span and self._waiting[1] > snapshot:
            return True
        sequence = self._read(span)[0].end.sequence
        self._waiting = (span, sequence) if sequence > snapshot else None
        return self._waiting is not None

    def _read(self, span: Span) -> tuple[Ends, list[bytes]]:
        name = segment_name(*span)
        place = f"{self.place}/{name}"
        ends, records = decode_segment(self._folder.read(name), place)
        if (ends.shard, ends.end.topic_id) != (self._shard, self._topic_id):
            raise LogCorrupt(
                f"{place} is of {ends.shard}, topic {ends.end.topic_id.hex()}, this is the log of"
                f" {self._shard}, topic {self._topic_id.hex()}: give each cluster an archive of its own",
                {"url": place, "differs": "shard"},
            )
        return ends, records


class Archiver:
    """Reads a topic behind its archive, and archives each range that is closed.

    It goes by nothing but the records, so a process that lost the shard writes the same objects as its
    successor; what is written twice is the same.
    """

    def __init__(self, archive: LogArchive, shard: str, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Begin at the end of the archive.

        Raises:
            StorageError: the store does not answer.
            LogCorrupt: the archive's last segment is damaged.
        """
        self._archive = archive
        self._segment_bytes = segment_bytes
        self._begin = archive.end()
        self._reader = KafkaReader(shard, self._begin)
        self._open: list[bytes] = []
        self._size = 0
        self.written_bytes = 0
        """Of segments so far."""

    @property
    def archived(self) -> int:
        """Offset of the first record that is not archived."""
        return self._begin.next_offset

    def advance(self, source: Source, topic_id: bytes) -> int | None:
        """Read on until a range is closed and archived; gives its last offset, or None when none is closed.

        Raises:
            LogCorrupt: the topic is not the one that was archived, or a record cannot stand where it stands.
            SnapshotUnusable: records that are not archived are deleted.
            StorageError: the topic or the store does not answer; calling again goes on.
        """
        log_start, log_end = source.bounds()
        self._reader.check_topic(topic_id)
        self._reader.check_bounds(log_start, log_end)
        for offset, record in source.values(self._reader.wanted, log_end - 1):
            anchoring = offset < self._reader.next_offset
            self._reader.take(offset, record)
            if anchoring:
                continue
            self._open.append(record)
            self._size += len(record)
            if self._size >= self._segment_bytes:
                break
        if self._size < self._segment_bytes:
            return None
        end = self._reader.position()
        self.written_bytes += self._archive.write(self._begin, end, self._open)
        self._begin, self._open, self._size = end, [], 0
        return end.next_offset - 1
