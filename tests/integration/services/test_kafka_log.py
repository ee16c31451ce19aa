"""Owners of a shard on a real broker, killed, frozen and replaced: what was acknowledged stays."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.support.counting_core import CountingCore
from tests.support.processes import Engine, acknowledged
from tests.support.services import Services

from crowdroute.router.adapters.codec import assemble
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_partition import Found, KafkaPartition
from crowdroute.router.adapters.kafka_topics import Durability, check_topics, ensure_topics, log_topic
from crowdroute.router.adapters.memory import MemorySnapshots
from crowdroute.router.commands.organisation import CreateOrganisation
from crowdroute.router.errors import ConfigurationError, LogCorrupt, StorageError
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.runtime.clustered import (
    QUIET_SECONDS,
    clustered_shard,
    require_brokers,
    require_unserved,
)
from crowdroute.router.runtime.recovery import recover
from crowdroute.router.runtime.settings import KafkaLogSettings

pytestmark = pytest.mark.cluster

Start = Callable[..., Engine]
KILLS = 4


@pytest.fixture
def start(services: Services, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start owners of a log of the test's own, each on the node of its directory; leave none behind."""
    engines: list[Engine] = []

    def started(directory: Path, generation: int = 0) -> Engine:
        engine = Engine(
            directory,
            "--kafka",
            services.bootstrap[0],
            "--name",
            request.node.name,
            "--generation",
            str(generation),
        )
        engines.append(engine)
        assert engine.answer().startswith("ready ")
        return engine

    yield started
    for engine in engines:
        engine.end()


@pytest.fixture
def kept(services: Services, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], list[str]]:
    """Fold the log on a node that has no copy of it; give the reasons in order."""

    def read() -> list[str]:
        connection = KafkaConnection((services.bootstrap[0],))
        node = tmp_path / "auditor"
        place = KafkaPlace(connection, request.node.name, 0, 1, Durability.SINGLE_BROKER, node)
        log = open_kafka_log(place, 1_000)
        try:
            return recover(log, MemorySnapshots(), CountingCore).core.reasons
        finally:
            log.close()

    return read


def test_no_kill_of_an_owner_loses_or_doubles_what_was_acknowledged(
    start: Start, kept: Callable[[], list[str]], tmp_path: Path
) -> None:
    answered: list[str] = []
    for kill in range(KILLS):
        engine = start(tmp_path / f"node-{kill % 2}")
        engine.ask(*(f"{kill}-{number}" for number in range(2000)))
        answers = [engine.answer() for _ in range(100 + 150 * kill)]
        engine.process.send_signal(signal.SIGKILL)
        answered += acknowledged(answers + engine.rest())
        engine.process.wait()
    found = kept()
    assert len(answered) > 100 * KILLS
    assert set(answered) <= set(found)
    assert len(found) == len(set(found))


def test_an_owner_that_was_frozen_while_another_took_over_acknowledges_nothing_more(
    start: Start, kept: Callable[[], list[str]], tmp_path: Path
) -> None:
    zombie = start(tmp_path / "old")
    zombie.ask("before")
    assert zombie.answer() == "noted before"
    zombie.process.send_signal(signal.SIGSTOP)
    successor = start(tmp_path / "new", 1)
    successor.ask("after")
    assert successor.answer() == "noted after"
    zombie.process.send_signal(signal.SIGCONT)
    zombie.ask("of the zombie")
    answers, status = zombie.finish()
    assert acknowledged(answers) == []
    assert any(line.startswith("stopped FENCED") for line in answers)
    assert status == 3
    successor.ask("later")
    assert successor.answer() == "noted later"
    answers, status = successor.finish()
    assert status == 0
    assert kept() == ["before", "after", "later"]


def test_an_owner_of_an_older_placement_is_turned_away(
    start: Start, tmp_path: Path, services: Services
) -> None:
    owner = start(tmp_path / "new", 7)
    late = Engine(
        tmp_path / "old",
        "--kafka",
        services.bootstrap[0],
        "--name",
        "test_an_owner_of_an_older_placement_is_turned_away",
        "--generation",
        "6",
    )
    assert late.answer().startswith("stopped FENCED")
    late.end()
    owner.ask("still here")
    assert owner.answer() == "noted still here"


def test_a_frozen_broker_acknowledges_nothing_and_the_next_owner_goes_on(
    start: Start, kept: Callable[[], list[str]], tmp_path: Path, services: Services
) -> None:
    engine = start(tmp_path / "node")
    engine.ask("before")
    assert engine.answer() == "noted before"
    broker = services.pid("kafka-1")
    os.kill(broker, signal.SIGSTOP)
    try:
        engine.ask("into the ice")
        answers, status = engine.finish()
    finally:
        os.kill(broker, signal.SIGCONT)
    assert acknowledged(answers) == []
    assert any(line.startswith("stopped APPEND_FAILED") for line in answers)
    assert status == 3
    again = start(tmp_path / "node")
    again.ask("after")
    assert again.answer() == "noted after"
    again.end()
    found = kept()
    assert [reason for reason in found if reason != "into the ice"] == ["before", "after"]


def test_a_killed_broker_lost_nothing_that_was_acknowledged(
    start: Start, kept: Callable[[], list[str]], tmp_path: Path, services: Services
) -> None:
    engine = start(tmp_path / "node")
    engine.ask(*(f"{number}" for number in range(300)))
    answers = [engine.answer() for _ in range(200)]
    os.kill(services.pid("kafka-1"), signal.SIGKILL)
    answers += engine.rest()
    services.up()
    found = kept()
    assert set(acknowledged(answers)) <= set(found)
    assert len(found) == len(set(found))


async def test_what_the_copy_on_a_node_lacks_comes_from_the_log(services: Services, tmp_path: Path) -> None:
    from tests.contract.test_event_log import append

    from crowdroute.router.adapters.sqlite_content import SqliteContents
    from crowdroute.router.ports import ContentChange

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
    from tests.contract.test_event_log import append

    from crowdroute.router.adapters.objects import Objects
    from crowdroute.router.adapters.shared_positions import PositionKeeper
    from crowdroute.router.adapters.snapshot_format import snapshot_name
    from crowdroute.router.adapters.sqlite_content import SqliteContents
    from crowdroute.router.ports import ContentChange

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
    from tests.contract.test_event_log import append

    from crowdroute.router.adapters.sqlite_log import SqliteLog
    from crowdroute.router.ports import ContentChange

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
    from tests.contract.test_event_log import append

    from crowdroute.router.adapters.kafka_content import Version, versioned
    from crowdroute.router.adapters.kafka_note import TRACES_S, Note, read_note, write_note
    from crowdroute.router.adapters.sqlite_content import SqliteContents
    from crowdroute.router.adapters.sqlite_files import COPY
    from crowdroute.router.adapters.sqlite_log import SqliteLog
    from crowdroute.router.ports import ContentChange

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


def test_unsafe_topics_and_wrong_addresses_are_refused_in_one_line(
    services: Services, tmp_path: Path
) -> None:
    from tests.integration.services import kafka_client

    connection = KafkaConnection((services.bootstrap[0],))
    kafka_client.make_topic(services.bootstrap, log_topic("unsafe"), {"retention.ms": "1000"})
    with pytest.raises(ConfigurationError, match=r"retention\.ms is 1000, not -1"):
        ensure_topics(connection, "unsafe", 1, Durability.SINGLE_BROKER)
    with pytest.raises(ConfigurationError, match="has 1 partitions, and 2 shards need one each"):
        ensure_topics(connection, "unsafe", 2, Durability.SINGLE_BROKER)
    with pytest.raises(ConfigurationError, match="has 1 replicas"):
        ensure_topics(connection, "unsafe", 1, Durability.REPLICATED)
    with pytest.raises(StorageError, match=r"no Kafka broker answers at 127\.0\.0\.1:1 "):
        ensure_topics(KafkaConnection(("127.0.0.1:1",)), "unsafe", 1, Durability.SINGLE_BROKER)


async def test_a_second_cluster_on_a_log_is_refused_while_the_first_serves(
    services: Services, tmp_path: Path
) -> None:
    kafka = KafkaLogSettings(servers=[services.bootstrap[0]], name="twice", durability="single-broker")
    require_brokers(kafka, 1)
    require_unserved(kafka)
    async with clustered_shard(kafka, tmp_path, snapshots=False) as engine:
        engine.start()
        with pytest.raises(ConfigurationError, match=r"another cluster serves the log twice.*kafka\.name"):
            await asyncio.wait_for(_refused(kafka), 30)
        require_unserved(kafka, lambda: time.time() + 2 * QUIET_SECONDS)
    require_unserved(kafka)


async def _refused(kafka: KafkaLogSettings) -> None:
    """Look until a look fails: an engine tells of itself beside everything else."""
    while True:
        await asyncio.to_thread(require_unserved, kafka)
        await asyncio.sleep(0.02)


async def test_an_engine_stops_once_a_topic_of_its_log_is_made_unsafe(
    services: Services, tmp_path: Path
) -> None:
    from tests.integration.services import kafka_client

    kafka = KafkaLogSettings(servers=[services.bootstrap[0]], name="altered", durability="single-broker")
    with contextlib.suppress(StorageError):  # when leaving: the engine cannot be drained any more
        async with clustered_shard(kafka, tmp_path, snapshots=False, looked_at_s=0.05) as engine:
            engine.start()
            await engine.submit(engine.request(organisation_stream("t"), CreateOrganisation("t")))
            kafka_client.alter_topic(services.bootstrap, log_topic("altered"), {"retention.ms": "1000"})
            error = await asyncio.wait_for(asyncio.shield(engine.failed), 30)
    assert isinstance(error, ConfigurationError)
    assert "retention.ms is 1000, not -1" in error.message


def test_a_topic_that_is_gone_or_made_anew_is_not_the_log_any_more(services: Services) -> None:
    from tests.integration.services import kafka_client

    connection = KafkaConnection((services.bootstrap[0],))
    topic_id, _ = ensure_topics(connection, "gone", 1, Durability.SINGLE_BROKER)
    check_topics(connection, "gone", 1, Durability.SINGLE_BROKER, topic_id)
    kafka_client.remove_topic(services.bootstrap, log_topic("gone"))
    with pytest.raises(ConfigurationError, match=r"there is no topic gone\.log"):
        check_topics(connection, "gone", 1, Durability.SINGLE_BROKER, topic_id)
    ensure_topics(connection, "gone", 1, Durability.SINGLE_BROKER)
    with pytest.raises(ConfigurationError, match="was removed and made again"):
        check_topics(connection, "gone", 1, Durability.SINGLE_BROKER, topic_id)


def test_an_owner_whose_clock_is_wrong_is_refused_before_it_takes_the_shard_from_anybody(
    services: Services, tmp_path: Path
) -> None:
    place = KafkaPlace(
        *(KafkaConnection((services.bootstrap[0],)), "skewed", 0, 1, Durability.SINGLE_BROKER),
        tmp_path / "right",
    )
    log = open_kafka_log(place, 0, query_lease_us=1000)
    for wrong_s, side in ((60.0, "ahead of"), (-60.0, "behind")):
        with pytest.raises(ConfigurationError, match=f"{side} that of Kafka at {services.bootstrap[0]}"):
            open_kafka_log(
                place._replace(directory=tmp_path / "wrong"), 0, now=partial(_time_shifted, wrong_s)
            )
    log.tell_served(place.connection.place)
    asyncio.run(log.hand_over())  # which it could not, were it fenced
    log.close()


def _time_shifted(seconds: float) -> float:
    return time.time() + seconds


def test_two_clusters_do_not_share_a_log(services: Services, tmp_path: Path) -> None:
    connection = KafkaConnection((services.bootstrap[0],))
    place = KafkaPlace(connection, "shared", 0, 1, Durability.SINGLE_BROKER, tmp_path / "one")
    open_kafka_log(place, 0, query_lease_us=1000).close()
    _claim_as(connection, "shared", b"another/0")
    with pytest.raises(LogCorrupt, match="give each shard of each cluster a partition of its own"):
        open_kafka_log(place._replace(directory=tmp_path / "two"), 0)


def _claim_as(connection: KafkaConnection, name: str, shard: bytes) -> None:
    """Write the claim of another cluster into a log."""
    from crowdroute.router.adapters.kafka_records import Claim, encode_claim
    from crowdroute.router.adapters.kafka_sender import KafkaSender

    sender = KafkaSender(connection, log_topic(name), 0)
    sender.send_and_wait(encode_claim(Claim(shard.decode(), 0, bytes(16))))
    sender.close()
