"""The same world, where every owner archives its log and deletes what is archived.

It is the owners' own code (`KafkaArchiving`, `Deletion`) over folders in memory. An owner's archive goes on
for a while when it is fenced: it runs in a thread, and knows nothing of claims. A deletion may come in late.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator

from tests.property.kafka.judge import require
from tests.property.kafka.process import SHARD, Process
from tests.property.kafka.unsteady_folder import UnsteadyFolder, Whim
from tests.property.kafka.world import World
from tests.support.fake_broker import FakeBroker

from crowdroute.router.adapters.kafka_archiving import Deletion, KafkaArchiving
from crowdroute.router.adapters.kafka_position import Position, decode_position
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.adapters.log_archive import LogArchive
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.shared_snapshots import read_shared, shared_sequences
from crowdroute.router.adapters.snapshot_format import encode_snapshot, snapshot_name
from crowdroute.router.errors import SnapshotUnusable, StorageError

SEGMENT_BYTES = 150
"""Closes a range after one or two records of the model; every third owner closes larger ones."""

ARCHIVING = 4
"""Owners that archive at once: those that live, and one or more that were replaced."""


class BrokerSource:
    """A partition's connection over the fake broker."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker

    def bounds(self) -> tuple[int, int]:
        return self._broker.log_start, self._broker.log_end

    def values(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        yield from self._broker.fetch(first, max(last + 1 - first, 0))

    def close(self) -> None:
        """Nothing is held."""


class ArchivedWorld(World):
    """Owners of any age archive beside each other, on stores that fail them."""

    def __init__(self) -> None:
        super().__init__()
        place = f"memory://{secrets.token_hex(8)}"
        self.archived = UnsteadyFolder(Objects(place, "archive"))
        self.shared = UnsteadyFolder(Objects(place, "snapshots"))
        self.archivings: deque[KafkaArchiving] = deque(maxlen=ARCHIVING)
        self.deletions: list[int] = []
        """Offsets that brokers were asked to delete before, and have not yet."""

    def archive(self) -> LogArchive:
        """Give the archive as a process finds it that begins now."""
        return LogArchive(self.archived, SHARD, self.broker.topic_id)

    def begun(self, process: Process) -> None:
        """Let an owner archive, beside those that have not heard of it."""
        self.archivings.append(
            KafkaArchiving(
                self.archive(),
                SHARD,
                lambda: BrokerSource(self.broker),
                self.broker.topic_id,
                Deletion(self.shared, self.deletions.append),
                SEGMENT_BYTES * (2 if process.number % 3 == 0 else 1),
            )
        )

    def keep_archive(self, pick: int, steps: int) -> None:
        """Let an owner archive and ask for deletion, whoever owns the log by now."""
        archiving = self._pick(self.archivings, pick)
        for _ in range(steps if archiving is not None else 0):
            assert archiving is not None
            before = self.archived.whole()
            went_on = self._archive(archiving)
            after = self.archived.whole()
            same = all(after[name] == body for name, body in before.items())
            require(same, "an archived segment was replaced by another")
            if not went_on:
                return
            self.note("archived")
            ends = max(name for name in after if name not in before) if len(after) > len(before) else None
            last = self.archive().spans()[-1].last
            require(ends is None or int(ends[17:33]) <= last, "a range was archived that follows no other")

    def _archive(self, archiving: KafkaArchiving, behind: bool = False) -> bool:
        whim = self.archived.whim
        try:
            return archiving.step()
        except StorageError as error:
            if self.archived.whim is not whim:
                self.note("archive failures")
                return False
            # Another owner archived, and deleted, what this one had in mind: it begins again, at the archive.
            may_be_behind = isinstance(error, SnapshotUnusable) and self.broker.log_start > 0 and not behind
            require(may_be_behind, f"a good log was not archived: {error.message}")
            self.note("archives behind")
        return self._archive(archiving, behind=True)

    def be_unsteady(self, whim: Whim, *, archive: bool) -> None:
        """Let the next write to a store fail, in one way or another."""
        (self.archived if archive else self.shared).whim = whim

    def snapshot(self, pick: int, records: int) -> None:
        """Share the snapshot as well, when it holds any batch."""
        known = len(self.snapshots)
        super().snapshot(pick, records)
        for section in self.snapshots[known:]:
            position = decode_position(section)
            if position.sequence:
                parts = encode_snapshot(position.sequence, position.chain, {"position": section})
                try:
                    self.shared.write(snapshot_name(position.sequence), b"".join(parts))
                except StorageError:
                    self.note("snapshots not shared")

    def delete(self, pick: int, _too_many: int) -> None:
        """Let the brokers do what an owner asked for, some time ago."""
        if self.deletions:
            before = self.deletions.pop(pick % len(self.deletions))
            if before > self.broker.log_start:
                self.note("archived deletions")
            self.broker.delete_before(before)

    def move_the_beginning(self, pick: int) -> None:
        """Archive what is closed, keep a snapshot of all, and delete."""
        self.keep_archive(pick, 3)
        self.snapshot(0, 100)
        self.keep_archive(pick, 1)
        self.delete(-1, 0)

    def verify(self) -> None:
        """Verify what must hold, and that archive and topic together are the whole log."""
        super().verify()
        said, start = self.meaning(), self.broker.log_start
        deleted = sum(offset < start for offset, _ in said.batches)
        require(deleted <= self._newest_shared(), "batches were deleted that no shared snapshot holds")
        reader = KafkaReader(SHARD, Position(self.broker.topic_id))
        try:
            for offset, record in self.archive().values(0, start - 1):
                reader.take(offset, record)
            for offset, record in self.broker.fetch(start, self.broker.log_end):
                reader.take(offset, record)
        except StorageError as error:
            require(False, f"the archive and the topic do not join: {error.message}")
        require(said.corrupt_at is None, "a corrupt log was read to its end")
        last = said.batches[-1][1] if said.batches else reader.chain
        whole = (len(said.batches), last)
        require((reader.sequence, reader.chain) == whole, "the archive and the topic hold another history")

    def _newest_shared(self) -> int:
        for sequence in reversed(shared_sequences(self.shared)):
            try:
                read_shared(self.shared, sequence)
            except SnapshotUnusable:
                continue
            return sequence
        return 0

    def forget(self) -> None:
        """Let go of the memory that this world's folders take."""
        for folder in (self.archived, self.shared):
            for name in folder.names():
                folder.remove(name)
