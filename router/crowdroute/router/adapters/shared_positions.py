"""Positions in a shard's log that nodes share beside its snapshots, so that a node's copy can begin at one.

A position is kept only once a shared snapshot is as far: whoever begins there folds from that snapshot, and
needs nothing before it. What is older a copy fetches from the log when somebody asks for it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

import msgspec

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.kafka_note import Epochs
from crowdroute.router.adapters.kafka_position import Position, decode_position, encode_position
from crowdroute.router.adapters.shared_snapshots import shared_sequences
from crowdroute.router.errors import SnapshotUnusable, StorageError
from crowdroute.router.ports import ObjectFolder, StoredBatch

LOOKED_SECONDS = 30.0
"""Between two looks at whether there is a new snapshot."""

APART = 1000
"""Batches between two positions that wait for their snapshot: what a copy may have to read besides."""

MOST_WAITING = 64
MOST_BATCHES = 64
"""Batches that go with a position: back to the last that tells a time, which recovery looks for."""

_DIGEST_BYTES = 16
_NAME = re.compile(r"position-(\d{20})")
_log = logging.getLogger(__name__)


class SharedPosition(msgspec.Struct, frozen=True, array_like=True):
    """Where a copy can begin."""

    encoded: bytes
    """The position in the log's partition."""
    epochs: Epochs
    """Of each epoch that has batches before it: the sequence of its first, and its number."""
    batches: tuple[StoredBatch, ...]
    """The last ones before it: back to one that tells the time, and the one before that."""

    @property
    def position(self) -> Position:
        """Give where the partition is read on.

        Raises:
            SnapshotUnusable: it is of another release.
        """
        return decode_position(self.encoded)


_decoder = msgspec.msgpack.Decoder(SharedPosition)


def position_at(
    position: Position, epochs: Epochs, floor: int, read: Callable[[int], Iterator[StoredBatch]]
) -> SharedPosition | None:
    """Give what is shared of a position; None when the batches that go with it are too many.

    Args:
        position: how far a log was read.
        epochs: of its batches.
        floor: sequence of the first batch that the copy has.
        read: yields the batches above a sequence.
    """
    batches: list[StoredBatch] = []
    for sequence in range(position.sequence, max(position.sequence - MOST_BATCHES, floor), -1):
        if len(batches) > 1 and _tells_time(batches[-2]):
            break
        batches.append(next(read(sequence - 1)))
    is_whole = batches and (batches[-1].sequence == 1 or (len(batches) > 1 and _tells_time(batches[-2])))
    return SharedPosition(encode_position(position), epochs, tuple(reversed(batches))) if is_whole else None


def _tells_time(stored: StoredBatch) -> bool:
    batch = decode_batch(stored.body, stored.sequence)
    return bool(batch.entries or batch.alive_us)


def newest_position(folder: ObjectFolder, topic_id: bytes) -> SharedPosition | None:
    """Give the newest position of a log that can be used; None where there is none, or no way to it."""
    try:
        names = sorted(filter(_NAME.fullmatch, folder.names()), reverse=True)
    except StorageError as error:
        _log.warning("the copy begins at the beginning of the log: %s", error.message)
        return None
    for name in names:
        try:
            found = _decoded(folder.read(name))
            if found.position.topic_id == topic_id:
                return found
        except (SnapshotUnusable, StorageError) as error:
            _log.warning("%s is not used: %s", name, error.message)
    return None


def _decoded(raw: bytes) -> SharedPosition:
    digest, body = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if blake2b(body, digest_size=_DIGEST_BYTES).digest() != digest:
        raise SnapshotUnusable("the position is damaged: the next one takes its place", {"differs": "digest"})
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise SnapshotUnusable(f"the position is of another release: {error}") from error


class PositionKeeper:
    """Keeps the newest position that a shared snapshot is as far as; blocks."""

    def __init__(self, folder: ObjectFolder) -> None:
        """Begin with none that waits."""
        self._folder = folder
        self._waiting: dict[int, SharedPosition] = {}
        self._last = -APART

    def note(self, found: SharedPosition) -> None:
        """Have a position wait for its snapshot, unless it is too near to the last one."""
        sequence = found.batches[-1].sequence
        if sequence >= self._last + APART and len(self._waiting) < MOST_WAITING:
            self._waiting[sequence] = found
            self._last = sequence

    def look(self) -> None:
        """Keep the newest of those that waited whose snapshot is there, in place of the one before.

        Raises:
            StorageError: the folder cannot be reached.
        """
        reached = max(shared_sequences(self._folder), default=-1)
        ready = max((sequence for sequence in self._waiting if sequence <= reached), default=None)
        if ready is None:
            return
        body = msgspec.msgpack.encode(self._waiting[ready])
        name = f"position-{ready:020d}"
        self._folder.write(name, blake2b(body, digest_size=_DIGEST_BYTES).digest() + body)
        self._waiting = {sequence: one for sequence, one in self._waiting.items() if sequence > ready}
        for old in self._folder.names():
            if _NAME.fullmatch(old) and old < name:
                self._folder.remove(old)


async def keep_positions(
    position: Callable[[], SharedPosition | None], folder: ObjectFolder, every_s: float = LOOKED_SECONDS
) -> None:
    """Keep positions again and again until it is cancelled; a log goes on whatever becomes of them.

    Args:
        position: gives where the log is now; None when that cannot be told at the moment.
        folder: of the shard's shared snapshots.
        every_s: seconds between two looks.
    """
    keeper = PositionKeeper(folder)
    # Not one of those that the loop lends: a store that hangs would keep them from the engines beside it.
    thread = ThreadPoolExecutor(1, "positions")
    try:
        while True:
            try:
                if (now := position()) is not None:
                    keeper.note(now)
                await asyncio.get_running_loop().run_in_executor(thread, keeper.look)
            except StorageError as error:
                _log.warning("no position is shared: %s", error.message)
            except Exception:
                _log.exception("no position is shared, by a defect")
            await asyncio.sleep(every_s)
    finally:
        thread.shutdown(wait=False)
