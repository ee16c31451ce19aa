"""Opening a log on Kafka: claim, bring this node's copy up to the claim, wait until nobody else answers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_clock import check_clock
from crowdroute.router.adapters.kafka_content import (
    ContentReader,
    Version,
    secret_key,
    version_of,
    versioned,
)
from crowdroute.router.adapters.kafka_history import KafkaHistory
from crowdroute.router.adapters.kafka_log import KafkaLog, read_wanted
from crowdroute.router.adapters.kafka_note import Note, read_note, write_note
from crowdroute.router.adapters.kafka_owner import QUERY_LEASE_US, KafkaOwner
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.adapters.kafka_records import NONCE_BYTES, Claim
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_topics import Durability, content_topic, ensure_topics, log_topic
from crowdroute.router.adapters.log_archive import LogArchive
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.sqlite_files import COPY
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.system import lease_clock_us
from crowdroute.router.errors import LogCorrupt
from crowdroute.router.ports import ContentChange, StoredBatch

COPIED_BYTES = 4 << 20
"""What is brought into the copy in one transaction."""

SECRET_BYTES = 32
"""Length of the key that digests of contents are made with."""


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
        note = read_note(path, topic_id, copy.head()[0])
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
        following = _Following(copy)
        read_wanted(owner, source, topic_id, following.take)
        following.flush()
        where = KafkaPartition(place.connection, content_topic(place.name), place.shard)
        began_s = time.time()
        content_from = note.contents_from(began_s)
        if content_from == 0:
            copy.forget_contents()
        try:
            note = _read_contents(copy, where, contents, note, content_from)
        finally:
            where.close()
        copy.sync()
        note = msgspec.structs.replace(note, position=reader.position(), at_s=began_s)
        write_note(path, note)
        assert owner.serves_at_us is not None
        time.sleep(max(owner.serves_at_us - lease_clock_us(), 0) / 1e6)
        return KafkaLog(owner, copy, (sender, batches), contents, topic_id, path, note)
    except BaseException:
        for close in reversed(opened):
            close()
        raise


def _source_for(
    reader: KafkaReader, batches: KafkaPartition, archive: LogArchive | None
) -> KafkaPartition | KafkaHistory:
    """Give the topic alone where it has all that is wanted: an archive out of reach does no harm then."""
    return batches if reader.wanted >= batches.bounds()[0] else KafkaHistory(batches, archive)


class _Following:
    """Brings the batches of the log into the copy, many in one transaction."""

    def __init__(self, copy: SqliteLog) -> None:
        self._copy = copy
        self._head, _ = copy.head()
        self._waiting: list[StoredBatch] = []
        self._bytes = 0

    def take(self, stored: StoredBatch) -> None:
        """Take the next valid batch, or see that the copy has it."""
        if stored.sequence <= self._head:
            if next(self._copy.read(stored.sequence - 1)).chain != stored.chain:
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

    def flush(self) -> None:
        """Write what was taken."""
        self._copy.follow(self._waiting)
        self._waiting, self._bytes = [], 0


def _read_contents(
    copy: SqliteLog, where: KafkaPartition, sender: KafkaSender, note: Note, offset: int
) -> Note:
    """Bring the contents from an offset on into the copy, tombstone what ought to be gone, and note it."""

    def held(key: str) -> Version | None:
        raw = copy.select((key,)).get(key)
        return None if raw is None else version_of(raw)

    def epoch_of(sequence: int) -> int | None:
        return None if sequence > copy.head()[0] else next(copy.read(sequence - 1)).epoch

    secret, unfinished = note.secret, note.unfinished and offset > 0
    while True:
        reader = ContentReader(epoch_of, held)
        first, end = where.bounds()
        changes: list[ContentChange] = []
        size = 0
        for found in where.records(max(offset, first), end - 1):
            change = reader.take(found)
            if change is not None:
                changes.append(versioned(*change))
                size += len(change.body or b"")
            if size > COPIED_BYTES:
                copy.follow((), changes)
                changes, size = [], 0
        copy.follow((), changes)
        offset = max(offset, end)
        for dead in reader.to_tombstone():
            sender.send_and_wait(None, dead)
        secret = secret or reader.secret or b""
        unfinished = unfinished if reader.unfinished is None else reader.unfinished
        if secret:
            return msgspec.structs.replace(note, contents=offset, secret=secret, unfinished=unfinished)
        sender.send_and_wait(secrets.token_bytes(SECRET_BYTES), secret_key())
