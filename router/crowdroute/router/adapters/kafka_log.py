"""The event log on a Kafka partition, with a copy of it in a local file that everything is read from.

Kafka holds the truth; the copy (an SQLite log in a directory of this node) is what a Kafka Streams store is:
it makes restarts quick and contents readable, and may be deleted at any time. A batch is durable when the
owner's protocol says so (see the ADR on the fence), and is in the copy before anybody is told of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import takewhile
from pathlib import Path

import msgspec

from crowdroute.router.adapters.codec import assemble, chain
from crowdroute.router.adapters.kafka_clock import tell_served
from crowdroute.router.adapters.kafka_content import (
    SERVED,
    Version,
    body_of,
    encode_key,
    encode_value,
    version_of,
    versioned,
)
from crowdroute.router.adapters.kafka_note import Note, with_batch, write_note
from crowdroute.router.adapters.kafka_owner import KafkaOwner
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_records import BatchRecord, Claim, decode, encode_batch
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_wanted import read_wanted
from crowdroute.router.adapters.shared_positions import SharedPosition, position_at
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.system import lease_clock_us
from crowdroute.router.adapters.unfinished_copy import unfinished
from crowdroute.router.errors import AppendFailed, Fenced, StorageError
from crowdroute.router.ports import ContentChange, StoredBatch

RETRY_SECONDS = 0.1
"""An acknowledgement that took so long may have come by way of another leader: the client waits so long at
the least before it tries again."""

QUIET_SECONDS = 1.0
"""After so long without an append the connection may be another one."""

FILLED_BYTES = 256 << 10
"""Batches that a copy lacked and that are written to it at once: a few milliseconds of the connection."""

BATCHES_PER_POSITION = 256
"""Batches between two notes of how far the log was read; a start reads so many again at most."""

BYTES_TOGETHER = 4 << 20
"""Of batches that are on their way at once: eight of the largest, which a slow broker, too, acknowledges well
within the patience of a sender (10 s)."""


class KafkaLog:
    """`EventLog` of one shard; made by `open_kafka_log`."""

    def __init__(
        self,
        owner: KafkaOwner,
        copy: SqliteLog,
        batches: tuple[KafkaSender, KafkaPartition],
        contents: KafkaSender,
        topic_id: bytes,
        note_path: Path,
        note: Note,
        history: Callable[[], Generator[StoredBatch]],
    ) -> None:
        """Go on where a claimed, read and copied log stands; it is closed with this.

        Args:
            owner: serves, or will in a moment.
            copy: of the log, up to the owner's claim.
            batches: to and from the log's partition.
            contents: to the partition of contents.
            topic_id: of the log's topic.
            note_path: of the note beside the copy.
            note: what it says.
            history: gives all batches from the first one on, from where the log is; blocks.
        """
        assert owner.epoch is not None
        self.epoch: int = owner.epoch.offset
        self.content_key = note.secret
        self._owner = owner
        self._copy = copy
        self._sender, self._partition = batches
        self._content_sender = contents
        self.topic_id = topic_id
        self._note_path, self._note = note_path, note
        self._at_s = note.at_s
        self._epochs = note.epochs
        self._floor = note.floor
        self._history = history
        self._filling = asyncio.Lock()
        self._appended_at = time.monotonic()
        self._over: StorageError | None = None
        copy.enter(self.epoch)

    def require_finished(self, place: str) -> None:
        """See that the log, if it is a copy of another one, was copied with all its shards.

        Args:
            place: where the log is, for the message.

        Raises:
            ConfigurationError: it was not, so that shards do not fit together.
        """
        if self._note.unfinished:
            raise unfinished(place)

    async def append(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Make a batch and the contents it names durable in Kafka, and put them into the copy.

        Raises:
            AppendFailed: that failed, or its outcome is unknown; this log refuses every later call.
            Fenced: another process claimed the shard; likewise.
            LogCorrupt: the broker lost what it had acknowledged; likewise.
        """
        await self._append(batch, contents, released=False)

    async def append_some(self, batches: Sequence[StoredBatch], contents: Sequence[ContentChange]) -> None:
        """Append batches that another log decided, and contents with the last of them.

        All but the last are sent without waiting for each other, some at a time. The producer keeps their
        order, so whatever becomes of them, those that are in the log are the first ones; and each counts as
        any other does.

        Raises:
            AppendFailed, Fenced, LogCorrupt: as `append`.
        """
        for some in _together(batches[:-1]):
            await self._closing_on_failure(self._send_together(some))
        await self.append(batches[-1], contents)

    async def hand_over(self) -> None:
        """Append a last, empty batch that lets the next owner serve without waiting; nothing can follow it.

        Raises:
            AppendFailed, Fenced, LogCorrupt: as `append`.
        """
        sequence, previous = self.head()
        body = assemble(sequence + 1, [])
        batch = StoredBatch(sequence + 1, self.epoch, chain(previous, body), body)
        await self._append(batch, (), released=True)
        await self._content_sender.send(None, SERVED)

    def require_unclaimed(self) -> None:
        """See that nobody claimed the shard after the last append; blocks.

        Raises:
            Fenced: somebody did, and may have written since.
        """
        _, end = self._partition.bounds()
        for found in self._partition.records(self._owner.reader.next_offset, end - 1):
            if isinstance(decode(found.value or b"", found.offset), Claim):
                raise Fenced(
                    f"another process claimed the shard at offset {found.offset}: stop what starts engines on"
                    " it, then do the same again",
                    {"offset": str(found.offset)},
                )

    def vouches(self, asked_us: int) -> bool:
        """Say whether nobody else can have served the shard when a query came in."""
        self._refuse_when_over()
        return self._owner.may_answer(asked_us)

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch above `after`, checked for sequence, checksum and chain."""
        self._refuse_when_over()
        if after < self._floor:
            for some in self._missing():
                self._copy.fill(some)
            self._floor = 0
        return self._copy.read(after)

    async def read_some(self, after: int, limit_bytes: int) -> list[StoredBatch]:
        """Give the batches above `after` that fit into `limit_bytes`, but one at least if there is one."""
        if after < self._floor:
            await self._fill()
        return await self._copy.read_some(after, limit_bytes)

    async def _fill(self) -> None:
        """Fetch what a copy that began at a shared position lacks: somebody asked for it."""
        async with self._filling:
            if self._floor:
                missing = self._missing()
                while some := await asyncio.to_thread(next, missing, ()):
                    await self._copy.fill_between(some)
                self._floor = 0

    def _missing(self) -> Iterator[Sequence[StoredBatch]]:
        """Yield, some at once, the batches before those that the copy has."""
        with closing(self._history()) as history:
            some: list[StoredBatch] = []
            size = 0
            for stored in takewhile(lambda stored: stored.sequence < self._floor, history):
                some.append(stored)
                size += len(stored.body)
                if size >= FILLED_BYTES:
                    yield some
                    some, size = [], 0
            if some:
                yield some

    def shared_position(self) -> SharedPosition | None:
        """Give where another node's copy may begin; None while an append is under way."""
        position = self._owner.reader.position()
        if self._over is not None or position.sequence == 0 or position.sequence != self.head()[0]:
            return None
        return position_at(position, self._epochs, self._floor, self._copy.read)

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch."""
        return self._copy.head()

    def select(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist, blocking while the copy is written."""
        return {key: body_of(body) for key, body in self._copy.select(keys).items()}

    async def fetch(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist without ever blocking the loop."""
        return {key: body_of(body) for key, body in (await self._copy.fetch(keys)).items()}

    def contents_after(self, key: str, limit: int) -> list[tuple[str, bytes]]:
        """Give up to `limit` contents whose keys come after `key`, in order, from the copy."""
        return [(name, body_of(raw)) for name, raw in self._copy.contents_after(key, limit)]

    def mark(self) -> int | None:
        """Give the number of the last change of a content in the copy."""
        return self._copy.mark()

    def touched(self, mark: int) -> set[str] | None:
        """Give the keys of the contents that changed in the copy after a mark; None when nobody knows."""
        return self._copy.touched(mark)

    def watch_contents(self, watcher: Callable[[Sequence[ContentChange]], None]) -> None:
        """Have the changes of each append told, as soon as they are durable."""
        self._copy.watch_contents(lambda changes: watcher([_plain(change) for change in changes]))

    def tell_served(self, servers: str) -> None:
        """Tell others that the shard is served, and compare clocks; see `kafka_clock`."""
        tell_served(self._content_sender, servers)

    def close(self) -> None:
        """Note how far the copy is, and disconnect; without `hand_over` the next owner waits for a moment."""
        with ExitStack() as closing:
            # From the last to the first, each whatever came of the one before.
            for one in (self._copy, self._partition, self._content_sender, self._sender):
                closing.callback(one.close)
            if self._over is None:
                self._over = AppendFailed("the log was closed")
                self._copy.sync()
                self._remember()

    async def _append(self, batch: StoredBatch, contents: Sequence[ContentChange], *, released: bool) -> None:
        await self._closing_on_failure(self._append_once(batch, contents, released=released))

    async def _closing_on_failure(self, appending: Coroutine[None, None, None]) -> None:
        """Append, and refuse everything after a failure."""
        try:
            self._refuse_when_over()
        except StorageError:
            appending.close()
            raise
        try:
            await appending
        except StorageError as error:
            self._over = error
            raise
        except BaseException:
            self._over = AppendFailed(f"the append after batch {self.head()[0]} was interrupted")
            raise

    async def _send_together(self, batches: Sequence[StoredBatch]) -> None:
        """Have batches without contents on their way at once, and count each when all were acknowledged."""
        epoch = self._owner.epoch
        assert epoch is not None
        records = [
            encode_batch(BatchRecord(epoch, one.sequence, False, one.chain, one.body)) for one in batches
        ]
        began, began_s, sent_us = time.monotonic(), time.time(), lease_clock_us()
        offsets = await asyncio.gather(*(self._sender.send(record) for record in records))
        self._look_back_if_slow(began, time.monotonic())
        for batch, offset in zip(batches, offsets, strict=True):
            self._owner.append(batch, sent_us)
            await self._count(offset)
        await self._copy.append_some(batches, ())
        for batch in batches:
            self._epochs = with_batch(self._epochs, batch)
        self._at_s = began_s
        await self._remember_now_and_then(batches[0].sequence, batches[-1].sequence)

    def _look_back_if_slow(self, began: float, ended: float) -> None:
        """Take note of an acknowledgement, whose connection may be another one than before."""
        if ended - began > RETRY_SECONDS or began - self._appended_at > QUIET_SECONDS:
            self._owner.reconnected()
        self._appended_at = ended

    async def _count(self, offset: int) -> None:
        """Take the offset of the record in flight, and read what the owner wants to see before it counts."""
        self._owner.acknowledged(offset, lease_clock_us())
        if self._owner.wanted is not None:
            await asyncio.to_thread(read_wanted, self._owner, self._partition, self.topic_id)

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
        began, began_s = time.monotonic(), time.time()
        record = self._owner.append(batch, lease_clock_us(), released=released)
        offset = await self._sender.send(record)
        self._look_back_if_slow(began, time.monotonic())
        await self._count(offset)
        await self._copy.append(batch, [versioned(key, version, body) for key, body in changes.items()])
        self._at_s = began_s  # nobody else had the log then
        self._epochs = with_batch(self._epochs, batch)
        # The versions before an erasure first: were it forgotten before them, they would be back.
        superseded = [encode_key(key, version_of(raw)) for key, raw in before.items()]
        erasures = [encode_key(key, version) for key, body in changes.items() if body is None]
        for dead in (superseded, erasures):
            await asyncio.gather(*(self._content_sender.send(None, key) for key in dead))
        await self._remember_now_and_then(batch.sequence, batch.sequence)

    async def _remember_now_and_then(self, first: int, last: int) -> None:
        """Note how far the copy is if it is time, after the batches from `first` through `last`."""
        if last // BATCHES_PER_POSITION > (first - 1) // BATCHES_PER_POSITION:
            await self._copy.checkpoint()
            self._remember()

    def _remember(self) -> None:
        """Note how far the copy is, once the disk holds it: a note that is ahead would lose contents."""
        position = self._owner.reader.position()
        note = msgspec.structs.replace(
            self._note, position=position, at_s=self._at_s, epochs=self._epochs, floor=self._floor
        )
        write_note(self._note_path, note)

    def _refuse_when_over(self) -> None:
        if self._over is not None:
            raise type(self._over)(self._over.message, self._over.details) from self._over


def _together(batches: Sequence[StoredBatch]) -> Iterator[list[StoredBatch]]:
    """Yield batches as many at once as may be on their way."""
    some: list[StoredBatch] = []
    size = 0
    for batch in batches:
        if some and size + len(batch.body) > BYTES_TOGETHER:
            yield some
            some, size = [], 0
        some.append(batch)
        size += len(batch.body)
    if some:
        yield some


def _plain(change: ContentChange) -> ContentChange:
    return change if change.body is None else ContentChange(change.key, body_of(change.body))
