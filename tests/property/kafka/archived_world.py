"""The same world, and the beginning of the log moves into an archive: nobody may miss what was deleted."""

from __future__ import annotations

from collections.abc import Iterator

from tests.property.kafka.judge import require
from tests.property.kafka.process import SHARD
from tests.property.kafka.world import World
from tests.support.fake_broker import FakeBroker
from tests.support.fake_folder import FakeFolder

from crowdroute.router.adapters.kafka_position import Position, decode_position
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.adapters.log_archive import Archiver, LogArchive
from crowdroute.router.errors import StorageError

SEGMENT_BYTES = 150
"""Closes a range after one or two records of the model."""


class BrokerSource:
    """A `Source` over the fake broker."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker

    def bounds(self) -> tuple[int, int]:
        return self._broker.log_start, self._broker.log_end

    def values(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        yield from self._broker.fetch(first, max(last + 1 - first, 0))


class ArchivedWorld(World):
    """Archivers of any age, each with the range that it had open when it was last let run."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = FakeFolder()
        self.archivers: list[Archiver] = []

    def archive(self) -> LogArchive:
        return LogArchive(self.folder, SHARD, self.broker.topic_id)

    def begin_archiver(self, segment_bytes: int) -> None:
        """Let another process archive, which may cut elsewhere than those before."""
        self.archivers.append(Archiver(self.archive(), SHARD, segment_bytes))

    def advance_archiver(self, pick: int, steps: int) -> None:
        """Let an archiver go on, whoever owns the log by now; it is given up where it is behind deletion."""
        archiver = self._pick(self.archivers, pick)
        for _ in range(steps if archiver is not None else 0):
            assert archiver is not None
            before = dict(self.folder.objects)
            try:
                archived = archiver.advance(BrokerSource(self.broker), self.broker.topic_id)
            except StorageError as error:
                require(self.broker.log_start > 0, f"a good log was not archived: {error.message}")
                self.archivers.remove(archiver)
                return
            same = all(self.folder.objects[name] == body for name, body in before.items())
            require(same, "an archived segment was replaced by another")
            if archived is None:
                return
            self.note("archived")

    def delete(self, pick: int, _too_many: int) -> None:
        """Delete as an owner does: what is archived and behind a snapshot."""
        section = self._pick(self.snapshots, pick)
        if section is not None:
            snapshot = decode_position(section).sequence
            try:
                before = self.archive().deletable(self.broker.log_start, snapshot)
            except StorageError as error:
                require(False, f"the archive and the topic do not join: {error.message}")
                return
            if before > self.broker.log_start:
                self.note("archived deletions")
            self.broker.delete_before(before)

    def move_the_beginning(self, pick: int) -> None:
        """Archive what is closed, keep a snapshot of all, and delete."""
        self.advance_archiver(pick, 3)
        self.snapshot(0, 100)
        self.delete(-1, 0)

    def verify(self) -> None:
        """Verify what must hold, and that archive and topic together are the whole log."""
        super().verify()
        said, start = self.meaning(), self.broker.log_start
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
