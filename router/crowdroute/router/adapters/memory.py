"""Every durable port in memory: for simulation and tests, where crashes are calls and time is a number.

A `MemoryDisk` is what survives; a `MemoryLog` is one process's hold on it. Whatever was not acknowledged when
the process crashed may or may not have reached the disk, as with any disk.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Sequence

from crowdroute.router.adapters.codec import CHAIN_START, check_link
from crowdroute.router.errors import AppendFailed, Fenced, LogCorrupt, StorageError
from crowdroute.router.model.ids import ID_BYTES, Id
from crowdroute.router.ports import ContentChange, Sections, StoredBatch

SNAPSHOTS_KEPT = 2


class MemoryDisk:
    """What is durable: batches, contents, the number of the last ownership."""

    def __init__(self, content_key: bytes = bytes(32)) -> None:
        self.batches: list[StoredBatch] = []
        self.contents: dict[str, bytes] = {}
        self.epoch: int = 0
        self.owner: MemoryLog | None = None
        self.content_key = content_key

    def forget_owner(self) -> None:
        """Let another process take over while the owner lives on without knowing: it becomes a zombie."""
        self.owner = None

    def store(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Make a batch durable with what belongs to it."""
        self.batches.append(batch)
        for key, body in contents:
            if body is None:
                self.contents.pop(key, None)
            else:
                self.contents[key] = body


class MemoryLog:
    """`EventLog` over a `MemoryDisk`."""

    def __init__(self, disk: MemoryDisk) -> None:
        """Take ownership.

        Raises:
            Fenced: another process owns the disk.
        """
        if disk.owner is not None:
            raise Fenced(
                f"epoch {disk.owner.epoch} still owns this log: close or crash it first",
                {"epoch": str(disk.owner.epoch)},
            )
        disk.owner = self
        disk.epoch += 1
        self.epoch: int = disk.epoch
        self.content_key = disk.content_key
        self._disk = disk
        self._over: StorageError | None = None
        self._in_flight: tuple[StoredBatch, Sequence[ContentChange]] | None = None
        self._gate: asyncio.Event | None = None

    async def append(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Make a batch durable; while `hold` is in force, wait for `release` first."""
        self._refuse_when_over()
        if self._disk.epoch != self.epoch:
            raise self._end(
                Fenced(f"epoch {self._disk.epoch} owns the log now, this process held epoch {self.epoch}")
            )
        if batch.sequence != self.head()[0] + 1:
            raise self._end(AppendFailed(f"batch {batch.sequence} cannot follow batch {self.head()[0]}"))
        self._in_flight = (batch, contents)
        if self._gate is None:
            await asyncio.sleep(0)
        else:
            await self._gate.wait()
        self._refuse_when_over()
        self._disk.store(batch, contents)
        self._in_flight = None

    def read(self, after: int = 0) -> Iterator[StoredBatch]:
        """Yield every batch above `after`, checked."""
        self._refuse_when_over()
        batches = self._disk.batches
        if after > len(batches):
            raise LogCorrupt(
                f"batch {after} is missing: the log ends at {len(batches)}",
                {"sequence": str(len(batches) + 1), "differs": "end"},
            )
        previous = batches[after - 1].chain if after else CHAIN_START
        for sequence, stored in enumerate(batches[after:], after + 1):
            check_link(previous, sequence, stored)
            previous = stored.chain
            yield stored

    async def read_some(self, after: int, limit_bytes: int) -> list[StoredBatch]:
        """Give the batches above `after` that fit into `limit_bytes`, but one at least if there is one."""
        some: list[StoredBatch] = []
        for stored in self.read(after):
            limit_bytes -= len(stored.body)
            if some and limit_bytes < 0:
                break
            some.append(stored)
        return some

    def vouches(self, asked_us: int) -> bool:
        """Say yes: a simulated process ends before another takes its disk."""
        return True

    def head(self) -> tuple[int, bytes]:
        """Give sequence and chain hash of the last batch."""
        if not self._disk.batches:
            return 0, CHAIN_START
        last = self._disk.batches[-1]
        return last.sequence, last.chain

    def close(self) -> None:
        """Give the ownership back."""
        self._end(AppendFailed("the log was closed"))

    def hold(self) -> None:
        """Keep every append from becoming durable until `release`."""
        if self._gate is None:
            self._gate = asyncio.Event()

    def release(self) -> None:
        """Let appends become durable again."""
        if self._gate is not None:
            self._gate.set()
            self._gate = None

    def fail(self) -> None:
        """Let the append in flight, or else the next one, fail without reaching the disk."""
        self._end(AppendFailed("the disk failed"))

    def crash(self, *, in_flight_survives: bool = False) -> None:
        """End the process that owns this log: what was not durable is forgotten, whatever was asked for.

        Args:
            in_flight_survives: the append in flight reached the disk although nobody was told.
        """
        if in_flight_survives and self._in_flight is not None:
            self._disk.store(*self._in_flight)
        self._end(AppendFailed("the process crashed"))

    def _end(self, reason: StorageError) -> StorageError:
        self._over = self._over or reason
        self._in_flight = None
        self.release()
        if self._disk.owner is self:
            self._disk.owner = None
        return self._over

    def _refuse_when_over(self) -> None:
        if self._over is not None:
            raise type(self._over)(self._over.message, self._over.details)


class MemoryContents:
    """`ContentStore` over a `MemoryDisk`."""

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk

    def get(self, key: str) -> bytes | None:
        """Give the content, or None when it was erased or never existed."""
        return self._disk.contents.get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist."""
        return {key: body for key in keys if (body := self._disk.contents.get(key)) is not None}

    async def fetch(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give those of the contents that exist."""
        return self.get_many(keys)


class MemorySnapshots:
    """`Snapshots` that end with the process."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, bytes, dict[str, bytes]]] = []
        """Oldest first."""
        self.skipped: list[str] = []

    def newest(self) -> tuple[int, bytes, Sections] | None:
        """Give the newest snapshot."""
        return next(self.usable(), None)

    def usable(self) -> Iterator[tuple[int, bytes, Sections]]:
        """Yield every snapshot, newest first."""
        yield from reversed(self.kept)

    def write(self, sequence: int, chain: bytes, sections: Sections) -> None:
        """Keep a snapshot, and the one before it."""
        self.kept.append((sequence, chain, {name: bytes(section) for name, section in sections.items()}))
        del self.kept[:-SNAPSHOTS_KEPT]


class ManualClock:
    """`Clock` that stands still until it is told."""

    def __init__(self, now_us: int = 1_700_000_000_000_000) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Give the moment that was set last."""
        return self._now_us

    def advance(self, by_us: int) -> None:
        """Let time pass; a negative number leaves it where it is."""
        self._now_us += max(by_us, 0)


class SeededIds:
    """`Ids` that come again with the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def entropy(self) -> Id:
        """Give the next 16 bytes."""
        return self._random.randbytes(ID_BYTES)
