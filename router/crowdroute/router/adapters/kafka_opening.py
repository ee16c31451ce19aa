"""Opening a log on Kafka: claim, bring this node's copy up to the claim, wait until nobody else answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_clock import check_clock
from crowdroute.router.adapters.kafka_following import Following, epoch_of, read_contents
from crowdroute.router.adapters.kafka_history import KafkaHistory
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_note import Note, read_note, write_note
from crowdroute.router.adapters.kafka_owner import QUERY_LEASE_US, KafkaOwner
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.adapters.kafka_records import NONCE_BYTES, Claim
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_topics import Durability, content_topic, ensure_topics, log_topic
from crowdroute.router.adapters.kafka_wanted import read_wanted
from crowdroute.router.adapters.log_archive import LogArchive
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.shared_positions import newest_position
from crowdroute.router.adapters.sqlite_files import COPY
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.system import lease_clock_us
from crowdroute.router.ports import StoredBatch


class KafkaPlace(NamedTuple):
    """One shard's part of a cluster's log."""

    connection: KafkaConnection
    name: str
    """Of the cluster: its topics begin with it."""
    shard: int
    """Number of the shard, which is that of its partition."""
    shards: int
    durability: Durability
    directory: Path
    """Of the local copy."""
    archive: str | None = None
    """URL of what was archived before it was deleted from the topic; None for a topic that has everything."""
    snapshots: str | None = None
    """URL at which nodes share snapshots and positions; None: a new copy begins at the beginning."""

    @property
    def claimed(self) -> str:
        """Give the shard's name in its claims."""
        return f"{self.name}/{self.shard}"

    def folder(self, url: str, topic_id: bytes) -> str:
        """Give the shard's folder below a URL: a topic that is created again is another log."""
        return f"{url.rstrip('/')}/{self.name}/{topic_id.hex()}/{self.shard}"


def archive_of(place: KafkaPlace, topic_id: bytes) -> LogArchive | None:
    """Give the archive of a shard, None when the place has none.

    Raises:
        ConfigurationError: the driver of its URL is not installed.
    """
    if place.archive is None:
        return None
    return LogArchive(Objects(place.folder(place.archive, topic_id)), place.claimed, topic_id)


def open_kafka_log(
    place: KafkaPlace,
    generation: int,
    *,
    query_lease_us: int = QUERY_LEASE_US,
    now: Callable[[], float] = time.time,
) -> KafkaLog:
    """Claim a shard, bring its local copy up to the claim, and wait until no other owner answers; blocks.

    Args:
        place: where the shard's log is.
        generation: of the placement that gave this process the shard.
        query_lease_us: how long an owner answers queries after an append; the same in the whole cluster.
        now: this machine's time, in seconds since 1970.

    Raises:
        Fenced: another process has the copy's directory open, or a later generation owns the shard.
        LogCorrupt: the log is damaged, cut, or of another cluster; or the copy is of another history.
        ConfigurationError: a topic is unsafe, or the clocks of the brokers and of this machine are apart.
        StorageError: the cluster or the disk does not answer.
    """
    topic_id, _ = ensure_topics(place.connection, place.name, place.shards, place.durability)
    copy = SqliteLog(place.directory, place.shard, COPY)
    opened: list[Callable[[], None]] = [copy.close]
    try:
        path = place.directory / f"position-{place.shard}"
        note = _begun(place, copy, read_note(path, topic_id, copy.head()[0]))
        batches = KafkaPartition(place.connection, log_topic(place.name), place.shard)
        opened.append(batches.close)
        reader = KafkaReader(place.claimed, note.position)
        reader.check_topic(topic_id)
        source = _source_for(reader, batches, archive_of(place, topic_id))
        reader.check_bounds(*source.bounds())
        contents = KafkaSender(place.connection, content_topic(place.name), place.shard)
        opened.append(contents.close)
        # Before the claim: who would not serve must not take the shard from somebody who does.
        check_clock(contents, place.connection.place, now)
        sender = KafkaSender(place.connection, log_topic(place.name), place.shard)
        opened.append(sender.close)
        owner = KafkaOwner(
            reader,
            Claim(place.claimed, generation, secrets.token_bytes(NONCE_BYTES)),
            query_lease_us=query_lease_us,
        )
        owner.acknowledged(sender.send_and_wait(owner.claim()), lease_clock_us())
        following = Following(copy, note.epochs)
        read_wanted(owner, source, topic_id, following.take)
        following.flush()
        following.check_head(reader.sequence, reader.chain)
        where = KafkaPartition(place.connection, content_topic(place.name), place.shard)
        began_s = time.time()
        content_from = note.contents_from(began_s)
        if content_from == 0:
            copy.forget_contents()
        try:
            wrote = partial(epoch_of, following.epochs, copy.head()[0])
            note = read_contents(copy, where, contents, note, content_from, wrote)
        finally:
            where.close()
        copy.sync()
        note = msgspec.structs.replace(
            note, position=reader.position(), at_s=began_s, epochs=following.epochs
        )
        write_note(path, note)
        assert owner.serves_at_us is not None
        time.sleep(max(owner.serves_at_us - lease_clock_us(), 0) / 1e6)
        history = partial(_history, place, topic_id)
        return KafkaLog(owner, copy, (sender, batches), contents, topic_id, path, note, history)
    except BaseException:
        for close in reversed(opened):
            close()
        raise


def _begun(place: KafkaPlace, copy: SqliteLog, note: Note) -> Note:
    """Begin a copy of which nothing is known, at the newest position that nodes share if there is one."""
    if note.position.next_offset:
        return note
    if copy.first() > 1:
        copy.forget()  # it began at a position, and nothing tells any more what it lacks
    if copy.head()[0]:
        return note
    if place.snapshots is None:
        return note
    topic_id = note.position.topic_id
    found = newest_position(Objects(place.folder(place.snapshots, topic_id)), topic_id)
    if found is None:
        return note
    copy.follow(found.batches)
    floor = found.batches[0].sequence
    return Note(found.position, epochs=found.epochs, floor=floor if floor > 1 else 0)


def _history(place: KafkaPlace, topic_id: bytes) -> Generator[StoredBatch]:
    """Yield all batches of a shard's log from the first one on, archived or not; blocks."""
    reader = KafkaReader(place.claimed, Position(topic_id))
    partition = KafkaPartition(place.connection, log_topic(place.name), place.shard)
    history = KafkaHistory(partition, archive_of(place, topic_id))
    with closing(history):
        first, end = history.bounds()
        reader.check_bounds(first, end)
        for found in history.records(0, end - 1):
            reading = reader.take(found.offset, found.value or b"")
            if reading.batch is not None:
                yield reading.batch


def _source_for(
    reader: KafkaReader, batches: KafkaPartition, archive: LogArchive | None
) -> KafkaPartition | KafkaHistory:
    """Give the topic alone where it has all that is wanted: an archive out of reach does no harm then."""
    return batches if reader.wanted >= batches.bounds()[0] else KafkaHistory(batches, archive)
