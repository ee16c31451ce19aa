"""What must hold of a Kafka log and of all who read it, whatever happened to them."""

from __future__ import annotations

from tests.property.kafka.meaning import Meaning, meaning
from tests.property.kafka.process import SHARD, Query, open_reader
from tests.support.fake_broker import FakeBroker

from crowdroute.router.adapters.kafka_position import Position, decode_position
from crowdroute.router.adapters.kafka_reader import KafkaReader
from crowdroute.router.errors import LogCorrupt, SnapshotUnusable, StorageError


class PromiseBroken(AssertionError):
    """Something happened that must not, whatever the schedule."""


def require(holds: bool, sentence: str) -> None:
    """Raise `PromiseBroken` with a sentence unless something holds."""
    if not holds:
        raise PromiseBroken(sentence)


class Judge:
    """Remembers what anybody was told about a log, and compares the log and its readers with it."""

    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.snapshots: list[bytes] = []
        self.acknowledged: list[tuple[int, bytes]] = []
        """Sequence and chain hash of every batch that somebody was told is durable."""
        self.floor = 0
        """The newest batch that anybody has heard of, in an acknowledgement or an answer."""
        self.seen: dict[str, int] = {}
        """How often what happened."""
        self._meaning: tuple[object, Meaning] | None = None

    def meaning(self) -> Meaning:
        """Say what the log means now, those records included that only the archive holds."""
        key = (self.broker.topic_id, self.broker.elections, self.broker.log_end)
        if self._meaning is None or self._meaning[0] != key:
            self._meaning = (key, meaning(self.broker.history))
        return self._meaning[1]

    def verify(self) -> None:
        """Verify what must hold of the log and of everybody who reads it now."""
        said = self.meaning()
        for sequence, chain_hash in self.acknowledged:
            require(said.holds(sequence, chain_hash), f"batch {sequence} was acknowledged and is not valid")
        end = self._verify_from_the_beginning(said)
        for section in self.snapshots:
            self._verify_from(section, end)

    def _verify_from_the_beginning(self, said: Meaning) -> Position | None:
        """Read the archive and the topic; give the position at the end, or None when the log is refused."""
        reader = KafkaReader(SHARD, Position(self.broker.topic_id))
        try:
            for offset, record in enumerate(self.broker.history):
                reader.take(offset, record)
        except LogCorrupt as error:
            require(said.corrupt_at is not None, f"a good log was refused: {error.message}")
            return None
        require(said.corrupt_at is None, "a corrupt log was read to its end")
        last = said.batches[-1][1] if said.batches else reader.chain
        require(
            (reader.sequence, reader.chain) == (len(said.batches), last),
            "a reader from the beginning took other batches for valid",
        )
        return reader.position()

    def _verify_from(self, section: bytes, end: Position | None) -> None:
        try:
            reader = open_reader(self.broker, section)
            self.fold(reader, self.broker.log_end)
        except StorageError as error:
            self.note_refusal(error, section)
            return
        require(reader.position() == end, "a reader from a snapshot came to another end than one from zero")

    def note_refusal(self, error: StorageError, section: bytes | None) -> None:
        """Accept that a reader refuses, if deletion took what it needs."""
        needed = decode_position(section).next_offset - 1 if section is not None else 0
        deleted = isinstance(error, SnapshotUnusable) and self.broker.log_start > needed
        require(deleted or self.may_be_corrupt(error), f"a good log was refused: {error.message}")
        self.note(type(error).__name__)

    def may_be_corrupt(self, _error: StorageError) -> bool:
        """Say whether the broker gave a reason to refuse its log."""
        return False

    def fold(self, reader: KafkaReader, end: int) -> None:
        """Read on through the topic as a consumer does that resets to the beginning."""
        first = max(reader.wanted, self.broker.log_start)
        for offset, record in self.broker.fetch(first, max(end - first, 0)):
            reader.take(offset, record)

    def note_acknowledged(self, reader: KafkaReader) -> None:
        """Check a batch that its owner acknowledges."""
        valid = self.meaning().holds(reader.sequence, reader.chain)
        require(valid, f"batch {reader.sequence} was acknowledged and is not valid")
        self.note("acknowledged")
        self.acknowledged.append((reader.sequence, reader.chain))
        self.floor = max(self.floor, reader.sequence)

    def note_answers(self, reader: KafkaReader, answered: list[Query]) -> None:
        """Check answers that are made from what an owner has read."""
        require(self.meaning().holds(reader.sequence, reader.chain), "an answer was made of a lost history")
        for query in answered:
            self.note("answers")
            require(reader.sequence >= query.floor, "an answer did not know what was known when it was asked")
        self.floor = max(self.floor, reader.sequence)

    def note(self, what: str) -> None:
        """Count what happened."""
        self.seen[what] = self.seen.get(what, 0) + 1
