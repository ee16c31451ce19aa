"""Bringing a node's copy of a log on Kafka up to date: the batches that it lacks, then the contents."""

from __future__ import annotations

import secrets
from bisect import bisect_right
from collections.abc import Callable, Iterable

import msgspec

from crowdroute.router.adapters.kafka_content import (
    ContentReader,
    Version,
    secret_key,
    sequence_of,
    version_of,
    versioned,
)
from crowdroute.router.adapters.kafka_note import Epochs, Note, with_batch
from crowdroute.router.adapters.kafka_partition import Found, KafkaPartition
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import LogCorrupt
from crowdroute.router.ports import ContentChange, StoredBatch

COPIED_BYTES = 4 << 20
"""What is brought into the copy in one transaction."""

SECRET_BYTES = 32
"""Length of the key that digests of contents are made with."""


class Following:
    """Brings the batches of the log into the copy, many in one transaction."""

    def __init__(self, copy: SqliteLog, epochs: Epochs) -> None:
        """Go on with a copy of whose batches the epochs are known."""
        self._copy = copy
        self.epochs = epochs
        """Of all that was read so far."""
        self._head, _ = copy.head()
        self._waiting: list[StoredBatch] = []
        self._bytes = 0

    def take(self, stored: StoredBatch) -> None:
        """Take the next valid batch, or see that the copy has it."""
        self.epochs = with_batch(self.epochs, stored)
        if stored.sequence <= self._head:
            if not self._has(stored):
                raise LogCorrupt(
                    f"batch {stored.sequence} of the copy in {self._copy.directory} is not the log's: remove"
                    " the directory, so that a new copy is made",
                    {"sequence": str(stored.sequence), "differs": "chain"},
                )
            return
        self._waiting.append(stored)
        self._bytes += len(stored.body)
        if self._bytes > COPIED_BYTES:
            self.flush()

    def _has(self, stored: StoredBatch) -> bool:
        try:
            return next(self._copy.read(stored.sequence - 1)).chain == stored.chain
        except LogCorrupt:
            return False

    def check_head(self, sequence: int, chain: bytes) -> None:
        """See that the copy ends where the log does: one that goes further is of another log.

        Raises:
            LogCorrupt: it does not, and nothing was removed from it.
        """
        if self._copy.head() != (sequence, chain):
            raise LogCorrupt(
                f"the log ends with batch {sequence}, but {self._copy.directory} holds"
                f" {self._copy.head()[0]}: it is no copy of this log; name another directory for the copies",
                {"sequence": str(sequence), "differs": "copy"},
            )

    def flush(self) -> None:
        """Write what was taken."""
        self._copy.follow(self._waiting)
        self._waiting, self._bytes = [], 0


def epoch_of(epochs: Epochs, head: int, sequence: int) -> int | None:
    """Give the epoch that wrote a batch; None where the log has no such batch."""
    if not 0 < sequence <= head:
        return None
    return epochs[bisect_right(epochs, sequence, key=lambda each: each[0]) - 1][1]


def follow_contents(
    copy: SqliteLog,
    found_in_order: Iterable[Found],
    epoch_of: Callable[[int], int | None],
    last: int | None = None,
) -> tuple[ContentReader, int | None]:
    """Bring contents into the copy, as far as the batches that they belong to are known.

    Args:
        copy: of the log.
        found_in_order: the records, without a gap but for what compaction took.
        epoch_of: gives the epoch of a batch by its sequence, None where the log has no such batch.
        last: sequence of the newest batch when more may follow: a version of a later one is not judged. None
            when no other can follow.

    Returns:
        What was read, and the offset of the first record that is not judged, None when all are.
    """

    def held(key: str) -> Version | None:
        raw = copy.select((key,)).get(key)
        return None if raw is None else version_of(raw)

    reader = ContentReader(epoch_of, held)
    changes: list[ContentChange] = []
    size, ahead = 0, None
    for found in found_in_order:
        if last is not None and sequence_of(found) > last:
            ahead = found.offset
            break
        change = reader.take(found)
        if change is not None:
            changes.append(versioned(*change))
            size += len(change.body or b"")
        if size > COPIED_BYTES:
            copy.follow((), changes)
            changes, size = [], 0
    copy.follow((), changes)
    return reader, ahead


def noted(note: Note, reader: ContentReader, offset: int, from_the_beginning: bool) -> Note:
    """Give the note of a copy whose contents were read up to an offset."""
    unfinished = note.unfinished and not from_the_beginning
    return msgspec.structs.replace(
        note,
        contents=offset,
        secret=note.secret or reader.secret or b"",
        unfinished=unfinished if reader.unfinished is None else reader.unfinished,
    )


def read_contents(
    copy: SqliteLog,
    where: KafkaPartition,
    sender: KafkaSender,
    note: Note,
    offset: int,
    epoch_of: Callable[[int], int | None],
) -> Note:
    """Bring the contents from an offset on into the copy, tombstone what ought to be gone, and note it."""
    while True:
        first, end = where.bounds()
        reader, _ = follow_contents(copy, where.records(max(offset, first), end - 1), epoch_of)
        for dead in reader.to_tombstone():
            sender.send_and_wait(None, dead)
        note = noted(note, reader, max(offset, end), from_the_beginning=offset == 0)
        if note.secret:
            return note
        offset = note.contents
        sender.send_and_wait(secrets.token_bytes(SECRET_BYTES), secret_key())
