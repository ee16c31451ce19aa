"""What every event log and content store must do, in memory, in SQLite and on a real Kafka alike."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.services import Services

from crowdroute.router.adapters.codec import CHAIN_START, chain
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.adapters.memory import MemoryContents, MemoryDisk, MemoryLog
from crowdroute.router.adapters.sqlite_content import SqliteContents
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import AppendFailed, Fenced, LogCorrupt, StorageError
from crowdroute.router.ports import ContentChange, ContentStore, EventLog, StoredBatch


class Place(Protocol):
    """Where a log lives; each `open` is a process of its own."""

    def open(self) -> tuple[EventLog, ContentStore]: ...

    def forget_owner(self) -> None:
        """Let another process in while the owner lives."""


class MemoryPlace:
    def __init__(self) -> None:
        self._disk = MemoryDisk()

    def open(self) -> tuple[EventLog, ContentStore]:
        return MemoryLog(self._disk), MemoryContents(self._disk)

    def forget_owner(self) -> None:
        self._disk.forget_owner()


class SqlitePlace:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._logs: list[SqliteLog] = []

    def open(self) -> tuple[EventLog, ContentStore]:
        log = SqliteLog(self._directory)
        self._logs.append(log)
        return log, SqliteContents(log, cache_bytes=40)

    def forget_owner(self) -> None:
        (self._directory / "shard-0.lock").unlink()

    def close(self) -> None:
        for log in self._logs:
            log.close()


class KafkaPlaceOfTests:
    """Topics of their own; the next process is on another node once the owner is forgotten."""

    def __init__(self, connection: KafkaConnection, directory: Path) -> None:
        self._connection, self._directory = connection, directory
        self._name = f"contract-{next(_numbers)}-{directory.name}"
        self._node = 0
        self._logs: list[KafkaLog] = []

    def open(self) -> tuple[EventLog, ContentStore]:
        directory = self._directory / f"node-{self._node}"
        place = KafkaPlace(self._connection, self._name, 0, 1, Durability.SINGLE_BROKER, directory)
        log = open_kafka_log(place, self._node, query_lease_us=LEASE_US)
        self._logs.append(log)
        return log, SqliteContents(log, cache_bytes=40)

    def forget_owner(self) -> None:
        self._node += 1

    def close(self) -> None:
        for log in self._logs:
            log.close()


LEASE_US = 20_000
"""A short query lease, since every owner waits for that of the one before."""

_numbers = itertools.count()
KINDS = ["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.cluster)]


def make_place(kind: str, directory: Path) -> MemoryPlace | SqlitePlace:
    return MemoryPlace() if kind == "memory" else SqlitePlace(directory / f"log-{next(_numbers)}")


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    made: MemoryPlace | SqlitePlace | KafkaPlaceOfTests
    if request.param == "kafka":
        services: Services = request.getfixturevalue("services")
        made = KafkaPlaceOfTests(KafkaConnection(tuple(services.bootstrap)), tmp_path)
    else:
        made = make_place(request.param, tmp_path)
    yield made
    if not isinstance(made, MemoryPlace):
        made.close()


def following(log: EventLog, body: bytes) -> StoredBatch:
    sequence, previous = log.head()
    return StoredBatch(sequence + 1, log.epoch, chain(previous, body), body)


async def append(log: EventLog, body: bytes, *contents: ContentChange) -> StoredBatch:
    batch = following(log, body)
    await log.append(batch, contents)
    return batch


async def test_a_new_log_is_empty(place: Place) -> None:
    log, contents = place.open()
    assert log.head() == (0, CHAIN_START)
    assert list(log.read()) == []
    assert contents.get("item/1") is None
    assert contents.get_many(["item/1"]) == {}


async def test_what_was_appended_is_there_for_this_and_the_next_owner(place: Place) -> None:
    log, _ = place.open()
    batches = [await append(log, body) for body in (b"", b"one", b"x" * 600_000)]
    assert list(log.read()) == batches
    assert log.head() == (3, batches[-1].chain)
    log.close()
    successor, _ = place.open()
    assert successor.epoch > log.epoch
    assert list(successor.read()) == batches
    assert successor.head() == (3, batches[-1].chain)
    later = await append(successor, b"later")
    assert list(successor.read(3)) == [later]
    assert later.epoch == successor.epoch


async def test_reading_begins_after_any_batch(place: Place) -> None:
    log, _ = place.open()
    batches = [await append(log, b"%d" % n) for n in range(200)]
    for after in (0, 1, 63, 64, 65, 199, 200):
        assert list(log.read(after)) == batches[after:]


async def test_reading_after_a_batch_that_is_not_there_is_corruption(place: Place) -> None:
    log, _ = place.open()
    await append(log, b"one")
    with pytest.raises(LogCorrupt, match="the log ends at 1"):
        list(log.read(2))


async def test_some_batches_are_as_many_as_fit_and_one_at_least(place: Place) -> None:
    log, _ = place.open()
    batches = [await append(log, bytes(100)) for _ in range(5)]
    assert await log.read_some(0, 250) == batches[:2]
    assert await log.read_some(2, 1) == batches[2:3]
    assert await log.read_some(2, 1000) == batches[2:]
    assert await log.read_some(5, 1000) == []


async def test_a_second_owner_is_refused_while_the_first_lives(place: Place) -> None:
    log, _ = place.open()
    with pytest.raises(Fenced):
        place.open()
    await append(log, b"the first goes on")
    log.close()
    place.open()


async def test_an_owner_that_was_replaced_is_fenced_at_its_next_append(place: Place) -> None:
    zombie, _ = place.open()
    await append(zombie, b"before")
    place.forget_owner()
    successor, _ = place.open()
    with pytest.raises(Fenced):
        await append(zombie, b"of the zombie")
    with pytest.raises(StorageError):
        await append(zombie, b"again")
    await append(successor, b"after")
    assert [stored.body for stored in successor.read()] == [b"before", b"after"]


async def test_a_batch_out_of_its_turn_ends_the_log(place: Place) -> None:
    log, _ = place.open()
    await append(log, b"one")
    with pytest.raises(AppendFailed):
        await log.append(following(log, b"gap")._replace(sequence=3), ())
    with pytest.raises(AppendFailed):
        await append(log, b"two")


async def test_a_closed_log_takes_nothing(place: Place) -> None:
    log, _ = place.open()
    log.close()
    with pytest.raises(AppendFailed, match="closed"):
        await append(log, b"one")
    with pytest.raises(AppendFailed):
        list(log.read())


async def test_content_is_there_with_its_batch_and_gone_with_its_erasure(place: Place) -> None:
    log, contents = place.open()
    await append(log, b"one", ContentChange("item/1", b"first"), ContentChange("item/2", b""))
    assert contents.get("item/1") == b"first"
    assert contents.get_many(["item/1", "item/2", "item/3"]) == {"item/1": b"first", "item/2": b""}
    await append(log, b"two", ContentChange("item/1", b"second"), ContentChange("item/2", None))
    assert contents.get("item/1") == b"second"
    assert contents.get("item/2") is None
    log.close()
    _, again = place.open()
    assert again.get_many(["item/1", "item/2"]) == {"item/1": b"second"}


async def test_in_one_batch_the_last_change_of_a_content_counts(place: Place) -> None:
    log, contents = place.open()
    await append(
        log,
        b"one",
        ContentChange("item/1", b"first"),
        ContentChange("item/1", None),
        ContentChange("item/2", None),
        ContentChange("item/2", b"back"),
    )
    assert contents.get_many(["item/1", "item/2"]) == {"item/2": b"back"}


async def test_content_can_be_read_while_appends_go_on(place: Place) -> None:
    log, contents = place.open()

    async def writes() -> None:
        for n in range(100):
            await append(log, b"%d" % n, ContentChange(f"item/{n}", b"%d" % n))

    async def reads() -> int:
        found = 0
        while found < 100:
            found = len(await contents.fetch(f"item/{n}" for n in range(100)))
            assert found == sum(contents.get(f"item/{n}") == b"%d" % n for n in range(found))
            await asyncio.sleep(0)
        return found

    _, found = await asyncio.gather(writes(), reads())
    assert found == 100


changes = st.lists(
    st.lists(
        st.builds(
            ContentChange,
            st.sampled_from([f"item/{n}" for n in range(6)]),
            st.none() | st.binary(max_size=30),
        ),
        max_size=4,
    ),
    max_size=12,
)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=40)
@given(history=changes)
def test_contents_are_always_the_sum_of_their_changes(
    kind: str,
    history: list[list[ContentChange]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = make_place(kind, tmp_path_factory.getbasetemp())

    async def run() -> None:
        log, contents = place.open()
        expected: dict[str, bytes] = {}
        for step in history:
            await append(log, b"step", *step)
            expected.update(step)
            known = {key: body for key, body in expected.items() if body is not None}
            assert contents.get_many(f"item/{n}" for n in range(6)) == known
            assert await contents.fetch(f"item/{n}" for n in range(6)) == known
        log.close()

    asyncio.run(run())
