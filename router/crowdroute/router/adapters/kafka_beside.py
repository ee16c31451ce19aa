"""A shard's log on Kafka read beside its owner: nothing is claimed, nothing written, nobody fenced.

Which batches count is decided by the records before them alone (ADR 12), so what is read here stays true
whoever owns the shard, or claims it meanwhile. It goes into a copy like an owner's, in a folder of its own;
`open_kafka_log` over that folder later has only the rest to read.

Contents are versions of batches (ADR 22). How far their topic goes is asked before the log is read, and they
are read that far alone: whatever is tombstoned there was tombstoned for a batch that is known by then. A
version of a batch that is not known yet may count later; there the reading stops, and goes on next time. So a
copy beside the owner can lack the newest contents of its newest batches. It has them when the log is claimed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial

import msgspec

from crowdroute.router.adapters.kafka_content import body_of
from crowdroute.router.adapters.kafka_following import Following, epoch_of, follow_contents, noted
from crowdroute.router.adapters.kafka_history import KafkaHistory, Partition
from crowdroute.router.adapters.kafka_note import read_note, write_note
from crowdroute.router.adapters.kafka_opening import KafkaPlace, archive_of
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.adapters.kafka_topics import content_topic, log_topic, look_at_log
from crowdroute.router.adapters.log_archive import LogArchive
from crowdroute.router.adapters.sqlite_files import COPY
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.unfinished_copy import unfinished
from crowdroute.router.errors import LogCorrupt, StorageError
from crowdroute.router.ports import StoredBatch


class KafkaBeside:
    """A shard's log as far as it went at the last `bring`; blocks, for one thread at a time."""

    def __init__(
        self,
        place: KafkaPlace,
        topic_id: bytes,
        batches: Partition,
        contents: Partition,
        archive: LogArchive | None,
    ) -> None:
        """Go on with the copy in the place's directory, or begin one there; closed with this.

        Args:
            place: of the shard, with a directory for this reader alone.
            topic_id: of the log's topic.
            batches: the partition of the log.
            contents: the partition of the contents.
            archive: of what is deleted from the log's topic, if there is one.

        Raises:
            Fenced: another process reads into this directory.
        """
        self._place = place
        self._topic_id = topic_id
        self._batches, self._contents, self._archive = batches, contents, archive
        self._copy = SqliteLog(place.directory, place.shard, COPY)
        self._path = place.directory / f"position-{place.shard}"
        self._note = read_note(self._path, topic_id, self._copy.head()[0])

    @property
    def content_key(self) -> bytes:
        """Give the key of the digests; empty before the first `bring`, and for a log without owners."""
        return self._note.secret

    def bring(self) -> None:
        """Read what came since the last time.

        Raises:
            LogCorrupt: the log is damaged, cut, or another one.
            SnapshotUnusable: what was to be read next is deleted and in no archive.
            StorageError: the cluster, the archive's store or the disk does not answer.
        """
        began_s = time.time()
        first, until = self._contents.bounds()
        reader = KafkaReader(self._place.claimed, self._note.position)
        reader.check_topic(self._topic_id)
        following = Following(self._copy, self._note.epochs)
        self._read_batches(reader, following)
        following.flush()
        following.check_head(reader.sequence, reader.chain)
        begin = self._note.contents_from(began_s)
        if begin == 0:
            self._copy.forget_contents()
        found, ahead = follow_contents(
            self._copy,
            self._contents.records(max(begin, first), until - 1),
            partial(epoch_of, following.epochs, reader.sequence),
            reader.sequence,
        )
        self._copy.sync()
        offset = max(begin, until) if ahead is None else ahead
        self._note = msgspec.structs.replace(
            noted(self._note, found, offset, from_the_beginning=begin == 0),
            position=reader.position(),
            at_s=began_s if ahead is None else self._note.at_s,
            epochs=following.epochs,
        )
        write_note(self._path, self._note)

    def _read_batches(self, reader: KafkaReader, following: Following) -> None:
        """Read the log to its end, from the archive where the topic's beginning is deleted meanwhile."""
        while True:
            source = self._source(reader)
            first, end = source.bounds()
            reader.check_bounds(first, end)
            try:
                for found in source.records(reader.wanted, end - 1):
                    reading = reader.take(found.offset, found.value or b"")
                    if reading.batch is not None:
                        following.take(reading.batch)
            except LogCorrupt:
                raise
            except StorageError:
                if self._batches.bounds()[0] <= reader.wanted:
                    raise
                continue  # deleted under the reader, and so archived before that
            if reader.next_offset < end:
                raise LogCorrupt(
                    f"offset {reader.next_offset} is missing in the log: restore the log from its archive",
                    {"offset": str(reader.next_offset), "differs": "offset"},
                )
            return

    def _source(self, reader: KafkaReader) -> Partition:
        if reader.wanted >= self._batches.bounds()[0]:
            return self._batches
        return KafkaHistory(self._batches, self._archive)

    def require_finished(self) -> None:
        """See that the log, if it is a copy of another one, was copied with all its shards.

        Raises:
            ConfigurationError: it was not, so that shards do not fit together.
        """
        if self._note.unfinished:
            raise unfinished(self._place.claimed)

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch that was read."""
        return self._copy.head()

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch above `after` that was read, checked for sequence, checksum and chain."""
        return self._copy.read(after)

    def select(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that were there at the last `bring`."""
        return {key: body_of(raw) for key, raw in self._copy.select(keys).items()}

    def contents_after(self, key: str, limit: int) -> list[tuple[str, bytes]]:
        """Give up to `limit` contents whose keys come after `key`, in order."""
        return [(name, body_of(raw)) for name, raw in self._copy.contents_after(key, limit)]

    def mark(self) -> int | None:
        """Give the number of the last change of a content that was read."""
        return self._copy.mark()

    def touched(self, mark: int) -> set[str] | None:
        """Give the keys of the contents whose changes were read after a mark; None when that is not known."""
        return self._copy.touched(mark)

    def close(self) -> None:
        """Disconnect; the copy stays, for whoever goes on with it."""
        with ExitStack() as closing:
            for one in (self._copy, self._contents, self._batches):
                closing.callback(one.close)


def beside_owner(place: KafkaPlace) -> KafkaBeside:
    """Give a reader of a shard's log, whoever owns it; blocks.

    Args:
        place: where the log is, with a directory for this reader alone.

    Raises:
        ConfigurationError: there is no such log, or it could lose what it acknowledged.
        Fenced: another process reads into this directory.
        StorageError: the cluster does not answer.
    """
    topic_id = look_at_log(place.connection, place.name, place.shards, place.durability)
    with ExitStack() as opened:
        batches = KafkaPartition(place.connection, log_topic(place.name), place.shard)
        opened.callback(batches.close)
        contents = KafkaPartition(place.connection, content_topic(place.name), place.shard)
        opened.callback(contents.close)
        reader = KafkaBeside(place, topic_id, batches, contents, archive_of(place, topic_id))
        opened.pop_all()
    return reader
