"""The event log on a Kafka partition, with a copy of it in a local file that everything is read from.

Kafka holds the truth; the copy (an SQLite log in a directory of this node) is what a Kafka Streams store is:
it makes restarts quick and contents readable, and may be deleted at any time. A batch is durable when the
owner's protocol says so (see the ADR on the fence), and is in the copy before anybody is told of it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from crowdroute.router.adapters.codec import assemble, chain
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_content import (
    ContentReader,
    Version,
    encode_key,
    encode_value,
    secret_key,
)
from crowdroute.router.adapters.kafka_owner import QUERY_LEASE_US, KafkaOwner
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_position import Position, decode_position, encode_position
from crowdroute.router.adapters.kafka_reader import KafkaReader, Verdict
from crowdroute.router.adapters.kafka_records import NONCE_BYTES, Claim
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_topics import Durability, content_topic, ensure_topics, log_topic
from crowdroute.router.adapters.sqlite_files import COPY
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.system import lease_clock_us
from crowdroute.router.errors import AppendFailed, LogCorrupt, SnapshotUnusable, StorageError
from crowdroute.router.ports import ContentChange, StoredBatch

RETRY_SECONDS = 0.1
"""An acknowledgement that took so long may have come by way of another leader: the client waits so long at
the least before it tries again."""

QUIET_SECONDS = 1.0
"""After so long without an append the connection may be another one."""

BATCHES_PER_POSITION = 256
"""Batches between two notes of how far the log was read; a start reads so many again at most."""

COPIED_BYTES = 4 << 20
"""What is brought into the copy in one transaction."""

SECRET_BYTES = 32


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


class _Note(msgspec.Struct, frozen=True, array_like=True):
    """How far both partitions are in the copy."""

    position: bytes
    contents: int
    secret: bytes


class KafkaLog:
    """`EventLog` of one shard; made by `open_kafka_log`."""

    def __init__(
        self,
        owner: KafkaOwner,
        copy: SqliteLog,
        batches: tuple[KafkaSender, KafkaPartition],
        contents: KafkaSender,
        note: Path,
        topic_id: bytes,
        content_offset: int,
        content_key: bytes,
    ) -> None:
        assert owner.epoch is not None
        self.epoch: int = owner.epoch.offset
        self.content_key = content_key
        self._owner = owner
        self._copy = copy
        self._sender, self._partition = batches
        self._content_sender = contents
        self._note = note
        self._topic_id = topic_id
        self._content_offset = content_offset
        self._appended_at = time.monotonic()
        self._over: StorageError | None = None
        copy.enter(self.epoch)

    async def append(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Make a batch and the contents it names durable in Kafka, and put them into the copy.

        Raises:
            AppendFailed: that failed, or its outcome is unknown; this log refuses every later call.
            Fenced: another process claimed the shard; likewise.
            LogCorrupt: the broker lost what it had acknowledged; likewise.
        """
        await self._append(batch, contents, released=False)

    async def hand_over(self) -> None:
        """Append a last, empty batch that lets the next owner serve without waiting; nothing can follow it.

        Raises:
            AppendFailed, Fenced, LogCorrupt: as `append`.
        """
        sequence, previous = self.head()
        body = assemble(sequence + 1, [])
        batch = StoredBatch(sequence + 1, self.epoch, chain(previous, body), body)
        await self._append(batch, (), released=True)

    def vouches(self, asked_us: int) -> bool:
        """Say whether nobody else can have served the shard when a query came in."""
        self._refuse_when_over()
        return self._owner.may_answer(asked_us)

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch above `after`, checked for sequence, checksum and chain."""
        self._refuse_when_over()
        return self._copy.read(after)

    async def read_some(self, after: int, limit_bytes: int) -> list[StoredBatch]:
        """Give the batches above `after` that fit into `limit_bytes`, but one at least if there is one."""
        return await self._copy.read_some(after, limit_bytes)

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch."""
        return self._copy.head()

    def select(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist, blocking while the copy is written."""
        return {key: body[_VERSION_BYTES:] for key, body in self._copy.select(keys).items()}

    async def fetch(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist without ever blocking the loop."""
        return {key: body[_VERSION_BYTES:] for key, body in (await self._copy.fetch(keys)).items()}

    def contents_after(self, key: str, limit: int) -> list[tuple[str, bytes]]:
        """Give up to `limit` contents whose keys come after `key`, in order, from the copy."""
        return [(name, raw[_VERSION_BYTES:]) for name, raw in self._copy.contents_after(key, limit)]

    def watch_contents(self, watcher: Callable[[Sequence[ContentChange]], None]) -> None:
        """Have the changes of each append told, as soon as they are durable."""
        self._copy.watch_contents(lambda changes: watcher([_plain(change) for change in changes]))

    def close(self) -> None:
        """Note how far the copy is, and disconnect; without `hand_over` the next owner waits for a moment."""
        if self._over is None:
            self._copy.sync()
            self._remember()
            self._over = AppendFailed("the log was closed")
        self._sender.close()
        self._content_sender.close()
        self._partition.close()
        self._copy.close()

    async def _append(self, batch: StoredBatch, contents: Sequence[ContentChange], *, released: bool) -> None:
        self._refuse_when_over()
        try:
            await self._append_once(batch, contents, released=released)
        except StorageError as error:
            self._over = error
            raise
        except BaseException:
            self._over = AppendFailed(f"the append of batch {batch.sequence} was interrupted")
            raise

    async def _append_once(
        self, batch: StoredBatch, contents: Sequence[ContentChange], *, released: bool
    ) -> None:
        version = Version(self.epoch, batch.sequence)
        changes = {change.key: change.body for change in contents}
        before = await self._copy.fetch(changes) if changes else {}
        if changes:
            await asyncio.gather(
                *(
                    self._content_sender.send(encode_value(body), encode_key(key, version))
                    for key, body in changes.items()
                )
            )
        began = time.monotonic()
        record = self._owner.append(batch, lease_clock_us(), released=released)
        offset = await self._sender.send(record)
        ended = time.monotonic()
        if ended - began > RETRY_SECONDS or began - self._appended_at > QUIET_SECONDS:
            self._owner.reconnected()
        self._appended_at = ended
        self._owner.acknowledged(offset, lease_clock_us())
        if self._owner.wanted is not None:
            await asyncio.to_thread(_read_wanted, self._owner, self._partition, self._topic_id)
        await self._copy.append(batch, [_versioned(key, version, body) for key, body in changes.items()])
        # The versions before an erasure first: were it forgotten before them, they would be back.
        superseded = [encode_key(key, _version_of(raw)) for key, raw in before.items()]
        erasures = [encode_key(key, version) for key, body in changes.items() if body is None]
        for dead in (superseded, erasures):
            await asyncio.gather(*(self._content_sender.send(None, key) for key in dead))
        if batch.sequence % BATCHES_PER_POSITION == 0:
            await self._copy.checkpoint()
            self._remember()

    def _remember(self) -> None:
        """Note how far the copy is, once the disk holds it: a note that is ahead would lose contents."""
        _write(self._note, self._owner.reader.position(), self._content_offset, self.content_key)

    def _refuse_when_over(self) -> None:
        if self._over is not None:
            raise type(self._over)(self._over.message, self._over.details) from self._over


_VERSION_BYTES = 16


def _versioned(key: str, version: Version, body: bytes | None) -> ContentChange:
    """Give a change as the copy keeps it: the version before the body."""
    if body is None:
        return ContentChange(key, None)
    return ContentChange(key, version.epoch.to_bytes(8, "big") + version.sequence.to_bytes(8, "big") + body)


def _version_of(raw: bytes) -> Version:
    return Version(int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:_VERSION_BYTES], "big"))


def _plain(change: ContentChange) -> ContentChange:
    return change if change.body is None else ContentChange(change.key, change.body[_VERSION_BYTES:])


def open_kafka_log(place: KafkaPlace, generation: int, *, query_lease_us: int = QUERY_LEASE_US) -> KafkaLog:
    """Claim a shard, bring its local copy up to the claim, and wait until no other owner answers; blocks.

    Args:
        place: where the shard's log is.
        generation: of the placement that gave this process the shard.
        query_lease_us: how long an owner answers queries after an append; the same in the whole cluster.

    Raises:
        Fenced: another process has the copy's directory open, or a later generation owns the shard.
        LogCorrupt: the log is damaged, cut, or of another cluster; or the copy is of another history.
        ConfigurationError: a topic is unsafe.
        StorageError: the cluster or the disk does not answer.
    """
    topic_id, _ = ensure_topics(place.connection, place.name, place.shards, place.durability)
    copy = SqliteLog(place.directory, place.shard, COPY)
    opened: list[Callable[[], None]] = [copy.close]
    try:
        note = place.directory / f"position-{place.shard}"
        position, content_offset, secret = _read(note, topic_id, copy.head()[0])
        batches = KafkaPartition(place.connection, log_topic(place.name), place.shard)
        opened.append(batches.close)
        sender = KafkaSender(place.connection, log_topic(place.name), place.shard)
        opened.append(sender.close)
        contents = KafkaSender(place.connection, content_topic(place.name), place.shard)
        opened.append(contents.close)
        name = f"{place.name}/{place.shard}"
        reader = KafkaReader(name, position)
        reader.check_topic(topic_id)
        reader.check_bounds(*batches.bounds())
        owner = KafkaOwner(
            reader,
            Claim(name, generation, secrets.token_bytes(NONCE_BYTES)),
            query_lease_us=query_lease_us,
        )
        owner.acknowledged(sender.send_and_wait(owner.claim()), lease_clock_us())
        following = _Following(copy)
        _read_wanted(owner, batches, topic_id, following.take)
        following.flush()
        where = KafkaPartition(place.connection, content_topic(place.name), place.shard)
        try:
            secret, content_offset = _read_contents(copy, where, contents, content_offset, secret)
        finally:
            where.close()
        copy.sync()
        _write(note, reader.position(), content_offset, secret)
        assert owner.serves_at_us is not None
        time.sleep(max(owner.serves_at_us - lease_clock_us(), 0) / 1e6)
        return KafkaLog(owner, copy, (sender, batches), contents, note, topic_id, content_offset, secret)
    except BaseException:
        for close in reversed(opened):
            close()
        raise


def begin_with_key(place: KafkaPlace, content_key: bytes) -> None:
    """Give a shard that was never used the content key of the log that it becomes a copy of; blocks.

    Nothing happens where there are contents already: whoever opens the log sees what key it has.

    Raises:
        ConfigurationError, StorageError, AppendFailed: as `open_kafka_log`.
    """
    ensure_topics(place.connection, place.name, place.shards, place.durability)
    where = KafkaPartition(place.connection, content_topic(place.name), place.shard)
    try:
        _, end = where.bounds()
    finally:
        where.close()
    if end:
        return
    sender = KafkaSender(place.connection, content_topic(place.name), place.shard)
    try:
        sender.send_and_wait(content_key, secret_key())
    finally:
        sender.close()


def _read_wanted(
    owner: KafkaOwner,
    partition: KafkaPartition,
    topic_id: bytes,
    fold: Callable[[StoredBatch], None] = lambda _stored: None,
) -> None:
    """Hand the owner the records that it wants."""
    owner.bounds(topic_id, *partition.bounds())
    assert owner.wanted is not None
    for found in partition.records(*owner.wanted):
        reading = owner.arrived(found.offset, found.value or b"")
        if reading.verdict is Verdict.BATCH and reading.batch is not None:
            fold(reading.batch)
    if owner.wanted is not None:
        raise LogCorrupt(
            f"offset {owner.wanted[0]} is missing in the log: restore the log from its archive",
            {"offset": str(owner.wanted[0]), "differs": "offset"},
        )


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
    copy: SqliteLog, where: KafkaPartition, sender: KafkaSender, offset: int, secret: bytes
) -> tuple[bytes, int]:
    """Bring the contents into the copy and tombstone what ought to be gone; give the secret and the end."""

    def held(key: str) -> Version | None:
        raw = copy.select((key,)).get(key)
        return None if raw is None else _version_of(raw)

    def epoch_of(sequence: int) -> int | None:
        return None if sequence > copy.head()[0] else next(copy.read(sequence - 1)).epoch

    while True:
        reader = ContentReader(epoch_of, held)
        first, end = where.bounds()
        changes: list[ContentChange] = []
        size = 0
        for found in where.records(max(offset, first), end - 1):
            change = reader.take(found)
            if change is not None:
                changes.append(_versioned(*change))
                size += len(change.body or b"")
            if size > COPIED_BYTES:
                copy.follow((), changes)
                changes, size = [], 0
        copy.follow((), changes)
        offset = max(offset, end)
        for dead in reader.to_tombstone():
            sender.send_and_wait(None, dead)
        secret = secret or reader.secret or b""
        if secret:
            return secret, offset
        sender.send_and_wait(secrets.token_bytes(SECRET_BYTES), secret_key())


def _read(note: Path, topic_id: bytes, head: int) -> tuple[Position, int, bytes]:
    """Give how far the copy is, or the beginning when that is not known."""
    try:
        found = msgspec.msgpack.decode(note.read_bytes(), type=_Note)
        position = decode_position(found.position)
    except (FileNotFoundError, msgspec.DecodeError, SnapshotUnusable):
        return Position(topic_id), 0, b""
    if position.sequence > head:
        return Position(topic_id), 0, b""
    return position, found.contents, found.secret


def _write(note: Path, position: Position, contents: int, secret: bytes) -> None:
    partial = note.with_name(note.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, msgspec.msgpack.encode(_Note(encode_position(position), contents, secret)))
    finally:
        os.close(descriptor)
    os.replace(partial, note)
