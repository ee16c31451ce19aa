"""A log on Kafka lets go of everything it holds, whatever goes wrong on the way."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from crowdroute.router.adapters import kafka_log
from crowdroute.router.adapters.codec import CHAIN_BYTES
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_note import Note, read_note, write_note
from crowdroute.router.adapters.kafka_position import Position
from crowdroute.router.adapters.kafka_records import DIGEST_BYTES, NONCE_BYTES, Epoch
from crowdroute.router.errors import StorageError
from crowdroute.router.ports import StoredBatch

TOPIC = bytes(range(16))


class Closed:
    """Something that is closed, well or badly."""

    def __init__(self, name: str, said: list[str], fails: bool = False) -> None:
        self._name, self._said, self._fails = name, said, fails

    def close(self) -> None:
        self._said.append(self._name)
        if self._fails:
            raise StorageError(f"{self._name} cannot be closed")


class Copy(Closed):
    """A copy whose disk may be full."""

    def enter(self, _epoch: int) -> None:
        pass

    def sync(self) -> None:
        self._said.append("sync")
        if self._fails:
            raise StorageError("the disk is full")


def log_with(path: Path, copy: Copy, sender: Closed, said: list[str]) -> KafkaLog:
    owner = SimpleNamespace(
        epoch=SimpleNamespace(offset=7), reader=SimpleNamespace(position=lambda: Position(TOPIC))
    )
    parts: tuple[Any, ...] = (sender, Closed("partition", said))
    return KafkaLog(
        cast(Any, owner), cast(Any, copy), cast(Any, parts), cast(Any, Closed("contents", said)), TOPIC, path,
        Note(Position(TOPIC), 3, b"secret"), lambda: (each for each in ()),
    )  # fmt: skip


def test_how_far_the_copy_is_is_noted_before_it_is_closed(tmp_path: Path) -> None:
    said = list[str]()
    log_with(tmp_path / "note", Copy("copy", said), Closed("batches", said), said).close()
    assert said == ["sync", "batches", "contents", "partition", "copy"]
    assert read_note(tmp_path / "note", TOPIC, 0) == Note(Position(TOPIC), 3, b"secret")


def test_connections_and_the_copy_are_closed_even_when_the_disk_is_full(tmp_path: Path) -> None:
    said = list[str]()
    log = log_with(tmp_path / "note", Copy("copy", said, fails=True), Closed("batches", said), said)
    with pytest.raises(StorageError):
        log.close()
    assert said == ["sync", "batches", "contents", "partition", "copy"]
    assert not (tmp_path / "note").exists()


def test_a_connection_that_cannot_be_closed_keeps_no_other_open(tmp_path: Path) -> None:
    said = list[str]()
    log = log_with(tmp_path / "note", Copy("copy", said), Closed("batches", said, fails=True), said)
    with pytest.raises(StorageError, match="batches cannot be closed"):
        log.close()
    assert said == ["sync", "batches", "contents", "partition", "copy"]


def test_a_note_of_a_copy_that_is_not_finished_says_so_until_it_is_finished(tmp_path: Path) -> None:
    for unfinished in (True, False):
        note = Note(Position(TOPIC), 3, b"secret", 5.0, unfinished)
        write_note(tmp_path / "note", note)
        assert read_note(tmp_path / "note", TOPIC, 0) == note


def test_a_note_that_is_ahead_of_the_copy_is_worth_nothing(tmp_path: Path) -> None:
    position = Position(
        topic_id=TOPIC,
        next_offset=7,
        claims=(Epoch(0, b"a" * NONCE_BYTES),),
        sequence=5,
        chain=b"c" * CHAIN_BYTES,
        digests=(b"d" * DIGEST_BYTES,),
        anchor=b"d" * DIGEST_BYTES,
    )
    write_note(tmp_path / "note", Note(position, 9, b"secret", epochs=((1, 0),)))
    assert read_note(tmp_path / "note", TOPIC, 5).contents == 9
    assert read_note(tmp_path / "note", TOPIC, 4) == Note(Position(TOPIC))


def test_a_note_that_does_not_tell_the_epochs_of_its_batches_is_of_an_older_release(tmp_path: Path) -> None:
    position = Position(TOPIC, 7, (Epoch(0, b"a" * NONCE_BYTES),), sequence=5, anchor=b"d" * DIGEST_BYTES)
    write_note(tmp_path / "note", Note(position, 9, b"secret"))
    assert read_note(tmp_path / "note", TOPIC, 5) == Note(Position(TOPIC))


class Taking(Closed):
    """A sender whose broker takes everything, or a copy whose disk does."""

    async def send(self, _value: bytes) -> int:
        return 0

    def enter(self, _epoch: int) -> None:
        pass

    def sync(self) -> None:
        pass

    async def append_some(self, batches: list[StoredBatch], _contents: object) -> None:
        self._said.append(f"through {batches[-1].sequence}")

    async def append(self, batch: StoredBatch, _contents: object) -> None:
        self._said.append(f"through {batch.sequence}")

    async def checkpoint(self) -> None:
        self._said.append("checkpoint")


def log_that_takes(note: Path, taking: Any) -> KafkaLog:
    """Give a log whose broker and disk are well, and which nobody else claims."""
    owner = SimpleNamespace(
        epoch=Epoch(7, b"n" * NONCE_BYTES),
        reader=SimpleNamespace(position=lambda: Position(TOPIC)),
        append=lambda *_given, **_how: b"",
        acknowledged=lambda *_given: None,
        reconnected=lambda: None,
        wanted=None,
    )
    return KafkaLog(
        cast(Any, owner), taking, (taking, taking), taking, TOPIC, note,
        Note(Position(TOPIC), 3, b"secret"), lambda: (each for each in ()),
    )  # fmt: skip


def batch(sequence: int, size: int = 0) -> StoredBatch:
    return StoredBatch(sequence, 7, b"c" * CHAIN_BYTES, bytes(size))


@pytest.mark.parametrize(
    ("first", "done"),
    [
        (1, ["through 3", "through 4", "checkpoint"]),
        (2, ["through 4", "checkpoint", "through 5"]),
        (3, ["through 5", "checkpoint", "through 6"]),
        (5, ["through 7", "through 8", "checkpoint"]),
    ],
)
async def test_how_far_the_copy_is_is_noted_wherever_batches_that_come_together_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, done: list[str]
) -> None:
    monkeypatch.setattr(kafka_log, "BATCHES_PER_POSITION", 4)
    said = list[str]()
    log = log_that_takes(tmp_path / "note", Taking("all", said))
    await log.append_some([batch(first + n) for n in range(4)], ())
    assert said == done
    assert (tmp_path / "note").exists()


async def test_no_more_bytes_are_on_their_way_together_than_a_broker_takes_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_log, "BYTES_TOGETHER", 25)
    said = list[str]()
    log = log_that_takes(tmp_path / "note", Taking("all", said))
    sizes = (10, 10, 10, 40, 5, 10)
    await log.append_some([batch(1 + n, size) for n, size in enumerate(sizes)], ())
    assert said == ["through 2", "through 3", "through 4", "through 5", "through 6"]
    await log.append_some([batch(7)], ())
    assert said[5:] == ["through 7"]
