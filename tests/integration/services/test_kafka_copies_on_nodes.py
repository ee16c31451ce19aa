"""The copy of a log on Kafka that a node has: absent, behind, away for long, or no copy at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.test_event_log import append
from tests.support.services import Services

from crowdroute.router.adapters.codec import assemble
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_content import Version, versioned
from crowdroute.router.adapters.kafka_note import TRACES_S, Note, read_note, write_note
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_partition import Found, KafkaPartition
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.shared_positions import PositionKeeper
from crowdroute.router.adapters.snapshot_format import snapshot_name
from crowdroute.router.adapters.sqlite_content import SqliteContents
from crowdroute.router.adapters.sqlite_files import COPY
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.errors import LogCorrupt
from crowdroute.router.ports import ContentChange

pytestmark = pytest.mark.cluster


async def test_what_the_copy_on_a_node_lacks_comes_from_the_log(services: Services, tmp_path: Path) -> None:
    connection = KafkaConnection((services.bootstrap[0],))

    def place(node: str) -> KafkaPlace:
        return KafkaPlace(connection, "copies", 0, 1, Durability.SINGLE_BROKER, tmp_path / node)

    log = await asyncio.to_thread(open_kafka_log, place("one"), 0, query_lease_us=1000)
    key = log.content_key
    await append(log, b"1", ContentChange("kept", b"first"), ContentChange("gone", b"secret"))
    await append(log, b"2", ContentChange("kept", b"second"), ContentChange("gone", None))
    log.close()
    other = await asyncio.to_thread(open_kafka_log, place("two"), 1, query_lease_us=1000)
    assert other.content_key == key
    assert [batch.body for batch in other.read()] == [b"1", b"2"]
    assert SqliteContents(other).get_many(["kept", "gone"]) == {"kept": b"second"}
    other.close()


def alive(sequence: int) -> bytes:
    """Give the body of a batch that tells the time."""
    return assemble(sequence, [], alive_us=sequence)


async def test_a_node_without_a_copy_reads_the_tail_alone_and_the_rest_when_it_is_asked_for(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, shared = KafkaConnection((services.bootstrap[0],)), f"file://{tmp_path / 'shared'}"
    read: list[tuple[str, int]] = []
    whole = KafkaPartition.records

    def counted(self: KafkaPartition, first: int, last: int) -> Iterator[Found]:
        for found in whole(self, first, last):
            read.append((self._where.topic, found.offset))
            yield found

    monkeypatch.setattr(KafkaPartition, "records", counted)

    def place(node: str) -> KafkaPlace:
        kept = Durability.SINGLE_BROKER
        return KafkaPlace(connection, "tail", 0, 1, kept, tmp_path / node, snapshots=shared)

    log = await asyncio.to_thread(open_kafka_log, place("one"), 0, query_lease_us=1000)
    history = [await append(log, alive(number + 1)) for number in range(300)]
    await append(log, alive(301), ContentChange("kept", b"first"), ContentChange("gone", b"secret"))
    folder = Objects(place("one").folder(shared, log.topic_id))
    keeper = PositionKeeper(folder)
    position = log.shared_position()
    assert position is not None
    keeper.note(position)
    folder.write(snapshot_name(301), b"of that batch")
    keeper.look()
    tail = [await append(log, alive(302 + number)) for number in range(5)]
    await append(log, alive(307), ContentChange("kept", b"second"), ContentChange("gone", None))
    log.close()

    read.clear()
    log = await asyncio.to_thread(open_kafka_log, place("two"), 1, query_lease_us=1000)

    batches = [offset for topic, offset in read if topic.endswith(".log")]
    assert len(batches) <= 1 + len(tail) + 1 + 1, "the anchor, the tail, and the claim"
    assert log.head()[0] == 307
    assert [each.sequence for each in log.read(301)] == list(range(302, 308))
    assert SqliteContents(log).get_many(["kept", "gone"]) == {"kept": b"second"}
    await append(log, alive(308))
    log.close()
    log = await asyncio.to_thread(open_kafka_log, place("two"), 2, query_lease_us=1000)
    read.clear()
    assert [each.body for each in await log.read_some(0, 1 << 20)][:300] == [each.body for each in history]
    assert len(read) > len(history)
    read.clear()
    assert [each.sequence for each in log.read()] == list(range(1, 309))
    assert not read, "once is enough"
    log.close()


async def test_a_directory_with_a_log_of_its_own_is_no_copy_and_stays_as_it_is(
    services: Services, tmp_path: Path
) -> None:
    truth = SqliteLog(tmp_path)
    await append(truth, alive(1), ContentChange("kept", b"truth"))
    truth.close()
    connection = KafkaConnection((services.bootstrap[0],))
    place = KafkaPlace(connection, "mistaken", 0, 1, Durability.SINGLE_BROKER, tmp_path)
    with pytest.raises(LogCorrupt, match="no copy of this log"):
        await asyncio.to_thread(open_kafka_log, place, 0, query_lease_us=1000)
    truth = SqliteLog(tmp_path)
    assert truth.select(["kept"]) == {"kept": b"truth"}
    assert truth.head()[0] == 1
    truth.close()


async def test_a_copy_that_was_away_for_long_keeps_nothing_that_was_erased_meanwhile(
    services: Services, tmp_path: Path
) -> None:
    place = KafkaPlace(
        KafkaConnection((services.bootstrap[0],)), "away", 0, 1, Durability.SINGLE_BROKER, tmp_path / "node"
    )
    log = await asyncio.to_thread(open_kafka_log, place, 0, query_lease_us=1000)
    await append(log, b"1", ContentChange("kept", b"first"))
    log.close()
    # What another owner erased a while ago: compaction has left no trace of it in the topic.
    copy = SqliteLog(place.directory, 0, COPY)
    copy.follow((), [versioned("erased", Version(0, 1), b"secret")])
    copy.close()
    note = read_note(place.directory / "position-0", log.topic_id, 1)
    long_ago = Note(note.position, note.contents, note.secret, note.at_s - TRACES_S)
    write_note(place.directory / "position-0", long_ago)

    log = await asyncio.to_thread(open_kafka_log, place, 1, query_lease_us=1000)

    assert SqliteContents(log).get_many(["kept", "erased"]) == {"kept": b"first"}
    log.close()
    assert not [file for file in place.directory.iterdir() if b"secret" in file.read_bytes()]
