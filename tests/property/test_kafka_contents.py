"""Whatever owners write, leave half done or are too late with: every reader finds the contents of the log.

The topic is a list; compaction removes any record that is not the last of its key, and after a day the
tombstone that is. A batch counts when it is
in the log in the epoch that wrote it; what a lost owner wrote for batches of its own must change nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.adapters.kafka_content import (
    Admitted,
    ContentReader,
    Version,
    encode_key,
    encode_value,
    secret_key,
)
from crowdroute.router.adapters.kafka_note import Note
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_topics import TRACES_MS

KEYS = ["a", "b", "c"]

writes = st.dictionaries(st.sampled_from(KEYS), st.none() | st.binary(max_size=4), min_size=1, max_size=3)


@dataclass
class Topic:
    """Records by offset; None where compaction took one away."""

    records: list[Found | None] = field(default_factory=list)
    now_s: float = 1e9
    written_s: list[float] = field(default_factory=list)

    def add(self, key: bytes, value: bytes | None) -> None:
        self.records.append(Found(len(self.records), key, value))
        self.written_s.append(self.now_s)

    def compact(self, keep: int) -> None:
        """Remove what a later record of the same key supersedes, all but the newest `keep` records."""
        last: dict[bytes | None, int] = {found.key: found.offset for found in self.records if found}
        for offset in range(len(self.records) - keep):
            found = self.records[offset]
            if found is not None and last[found.key] != offset:
                self.records[offset] = None
        self._let_tombstones_go()

    def _let_tombstones_go(self) -> None:
        """Remove the tombstones that are old enough and have nothing left to bury, as brokers do."""
        names = Counter(found.key for found in self.records if found)
        for offset, found in enumerate(self.records):
            if found is None or found.value is not None or names[found.key] > 1:
                continue
            if self.now_s - self.written_s[offset] > TRACES_MS / 1000:
                self.records[offset] = None


@dataclass
class Copy:
    """What one node holds."""

    contents: dict[str, tuple[Version, bytes]] = field(default_factory=dict)
    offset: int = 0
    at_s: float = 0.0

    def read(self, topic: Topic, epochs: list[int]) -> tuple[bytes, ...]:
        """Read on; give what is to be tombstoned."""

        def epoch_of(sequence: int) -> int | None:
            return epochs[sequence - 1] if sequence <= len(epochs) else None

        def held(key: str) -> Version | None:
            return self.contents[key][0] if key in self.contents else None

        self.offset = Note(Position(b""), self.offset, at_s=self.at_s).contents_from(topic.now_s)
        if self.offset == 0:
            self.contents.clear()
        self.at_s = topic.now_s
        reader = ContentReader(epoch_of, held)
        changes: list[Admitted] = []
        for found in topic.records[self.offset :]:
            change = None if found is None else reader.take(found)
            if change is not None:
                changes.append(change)
        for key, version, body in changes:
            if body is None:
                self.contents.pop(key, None)
            else:
                self.contents[key] = (version, body)
        self.offset = len(topic.records)
        return tuple(reader.to_tombstone())

    def plain(self) -> dict[str, bytes]:
        return {key: body for key, (_, body) in self.contents.items()}


def take_over(topic: Topic, epochs: list[int], data: st.DataObject) -> None:
    """Let new owners come, until one lives long enough to tombstone everything and serve."""
    for _ in range(data.draw(st.integers(0, 2))):
        dead = Copy().read(topic, epochs)
        for name in dead[: data.draw(st.integers(0, len(dead)))]:
            topic.add(name, None)
    for name in Copy().read(topic, epochs):
        topic.add(name, None)


@given(data=st.data())
def test_every_reader_finds_what_the_log_says(data: st.DataObject) -> None:
    topic, epochs, expected = Topic(), list[int](), dict[str, bytes]()
    before: dict[str, Version] = {}
    copies = [Copy(), Copy()]
    topic.add(secret_key(), b"key")
    epoch = 0
    for _ in range(data.draw(st.integers(1, 12))):
        move = data.draw(
            st.sampled_from(["batch", "batch", "batch", "orphan", "owner", "compact", "read", "wait"])
        )
        if move in ("batch", "orphan"):
            changes = data.draw(writes)
            version = Version(epoch, len(epochs) + 1)
            for key, body in changes.items():
                topic.add(encode_key(key, version), encode_value(body))
            if move == "orphan":
                epoch += 1  # its batch never came: the owner is gone
                take_over(topic, epochs, data)
                continue
            epochs.append(epoch)
            # What the owner tombstones, in its order, before it goes on; or as far as it comes when it dies.
            dead = [encode_key(key, before[key]) for key in changes if key in before]
            dead += [encode_key(key, version) for key, body in changes.items() if body is None]
            sent = data.draw(st.integers(0, len(dead)))
            for name in dead[:sent]:
                topic.add(name, None)
            if sent < len(dead):
                epoch += 1
                take_over(topic, epochs, data)
            before |= dict.fromkeys(changes, version)
            for key, body in changes.items():
                if body is None:
                    del before[key]
                if body is None:
                    expected.pop(key, None)
                else:
                    expected[key] = body
        elif move == "owner":
            epoch += 1
            take_over(topic, epochs, data)
        elif move == "wait":
            topic.now_s += data.draw(st.sampled_from([3600, 20 * 3600, 40 * 3600]))
        elif move == "compact":
            topic.compact(data.draw(st.integers(0, 3)))
        else:
            copy = data.draw(st.sampled_from(copies))
            copy.offset = data.draw(st.integers(0, copy.offset))
            copy.read(topic, epochs)
            assert copy.plain() == expected
    for copy in (*copies, Copy()):
        copy.read(topic, epochs)
        assert copy.plain() == expected


def test_a_copy_that_comes_back_when_no_trace_of_an_erasure_is_left_begins_anew() -> None:
    topic, copy, epochs = Topic(), Copy(), [0]
    first, erased = encode_key("a", Version(0, 1)), encode_key("a", Version(0, 2))
    topic.add(first, encode_value(b"body"))
    copy.read(topic, epochs)
    assert copy.plain() == {"a": b"body"}
    topic.add(erased, encode_value(None))
    epochs.append(0)
    for name in (first, erased):
        topic.add(name, None)
    topic.now_s += 2 * TRACES_MS / 1000
    topic.compact(0)
    assert topic.records == [None] * 4
    copy.read(topic, epochs)
    assert copy.plain() == {}


@given(data=st.data())
def test_what_is_erased_is_gone_from_the_topic_once_an_owner_has_looked(data: st.DataObject) -> None:
    topic, epochs = Topic(), list[int]()
    for _ in range(data.draw(st.integers(1, 6))):
        version = Version(0, len(epochs) + 1)
        for key, body in data.draw(writes).items():
            topic.add(encode_key(key, version), encode_value(body))
        epochs.append(0)
    version = Version(0, len(epochs) + 1)
    topic.add(encode_key("a", version), encode_value(None))
    epochs.append(0)
    for dead in Copy().read(topic, epochs):
        topic.add(dead, None)
    topic.compact(0)
    left = [found.value for found in topic.records if found and found.key and found.key.endswith(b"a")]
    assert set(left) <= {None}
