"""A history moved from a file to a real broker and back, and taken away from an owner that still runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.support.histories import append
from tests.support.kafka_logs import LEASE_US, opened, place
from tests.support.recorded_commands import record_commands
from tests.support.services import Services
from tests.support.small_crowd import TASKS

from crowdroute.router.adapters.codec import assemble, chain, decode_batch
from crowdroute.router.adapters.kafka_copied import begin_with_key
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import log_topic
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.adapters.unfinished_copy import require_finished
from crowdroute.router.cli.program import run
from crowdroute.router.errors import AppendFailed, ConfigurationError, Fenced
from crowdroute.router.events import Entry
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime import copying, log_place, moving
from crowdroute.router.runtime.clustered import clustered_shard
from crowdroute.router.runtime.comparing import compare
from crowdroute.router.runtime.copying import Copied, ReadLog, copy_history
from crowdroute.router.runtime.log_place import place_of

pytestmark = pytest.mark.cluster


async def test_a_history_goes_from_a_file_to_kafka_and_back_with_its_hashes(
    services: Services, tmp_path: Path
) -> None:
    origin = SqliteLog(tmp_path / "origin")
    for n in range(50):
        await append(origin, b"%d" % n, ContentChange(f"item/{n}", b"text %d" % n))
    await append(origin, b"erasing", ContentChange("item/7", None))
    there = place(services, "moves", tmp_path / "node")
    begin_with_key(there, origin.content_key)
    log = await opened(there)
    await copy_history(origin, log)
    log.close()
    # On a node that has no copy of it, so that everything comes from the broker.
    read_back = await opened(there._replace(directory=tmp_path / "other node"), 1)
    compare(origin, read_back)
    await append(read_back, b"on kafka", ContentChange("item/0", None), ContentChange("item/99", b"new"))
    returned = SqliteLog(tmp_path / "returned")
    returned.adopt_key(read_back.content_key)
    await copy_history(read_back, returned)
    compare(read_back, returned)
    assert returned.select(["item/0", "item/7", "item/8", "item/99"]) == {
        "item/8": b"text 8", "item/99": b"new"
    }  # fmt: skip
    for each in (origin, read_back, returned):
        each.close()


async def test_only_the_tail_is_copied_once_work_was_stopped(services: Services, tmp_path: Path) -> None:
    origin = SqliteLog(tmp_path / "origin")
    await append(origin, b"before", ContentChange("item/0", b"old"))
    there = place(services, "tails", tmp_path / "node")
    begin_with_key(there, origin.content_key)
    log = await opened(there)
    await copy_history(origin, log)
    log.close()
    await append(origin, b"meanwhile", ContentChange("item/0", b"new"))
    again = await opened(there, 1)
    copied = await copy_history(origin, again)
    assert (copied.batches, copied.contents) == (1, 1)
    compare(origin, again)
    origin.close()
    again.close()


async def test_who_copies_from_kafka_takes_the_log_away_from_its_owner(
    services: Services, tmp_path: Path
) -> None:
    owner = await opened(place(services, "taken", tmp_path / "owner"))
    await append(owner, b"one")
    copier = await opened(place(services, "taken", tmp_path / "copier"))
    target = SqliteLog(tmp_path / "target")
    target.adopt_key(copier.content_key)
    await copy_history(copier, target)
    with pytest.raises(Fenced):
        await append(owner, b"too late")
    compare(copier, target)
    for each in (owner, copier, target):
        each.close()


async def test_batches_that_are_sent_together_do_not_count_once_another_claimed_the_log(
    services: Services, tmp_path: Path
) -> None:
    first = await opened(place(services, "together", tmp_path / "first"))
    await append(first, b"one")
    second = await opened(place(services, "together", tmp_path / "second"))
    sequence, previous = first.head()
    late = []
    for body in (b"two", b"three", b"four"):
        sequence, previous = sequence + 1, chain(previous, body)
        late.append(StoredBatch(sequence, first.epoch, previous, body))
    with pytest.raises(Fenced):
        await first.append_some(late, [ContentChange("item/0", b"late")])
    assert first.head()[0] == 1
    await append(second, b"second")
    second.close()
    third = await opened(place(services, "together", tmp_path / "third"), 1)
    assert [stored.body for stored in third.read()] == [b"one", b"second"]
    assert third.select(["item/0"]) == {}
    third.close()
    first.close()


async def test_a_used_log_on_kafka_keeps_its_own_key(services: Services, tmp_path: Path) -> None:
    there = place(services, "used", tmp_path / "node")
    used = await opened(there)
    used.close()
    origin = SqliteLog(tmp_path / "origin")
    begin_with_key(there, origin.content_key)
    again = await opened(there, 1)
    assert again.content_key == used.content_key
    with pytest.raises(ConfigurationError, match="with a key of its own"):
        await copy_history(origin, again)
    again.close()
    origin.close()


async def test_a_log_on_kafka_is_verified_while_its_owner_serves_and_a_forged_record_is_found(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.integration.services import kafka_client

    there = place(services, "verified", tmp_path / "node")
    owner = await opened(there)
    for sequence in (1, 2):
        await append(owner, assemble(sequence, []))
    settings = tmp_path / "kafka.toml"
    settings.write_text(
        f'directory = "{tmp_path / "other"}"\n'
        f'[kafka]\nservers = {json.dumps(services.bootstrap)}\nname = "verified"\n'
        'durability = "single-broker"\n'
    )
    verify = ["log", "verify", "--config", str(settings), "--json"]
    assert await asyncio.to_thread(run, verify) == 0
    (told,) = json.loads(capsys.readouterr().out)["shards"]
    assert (told["records"], told["batches"], told["claims"], told["void"]) == (3, 2, 1, 0)
    assert told["chain"] == owner.head()[1].hex()

    await append(owner, assemble(3, []))  # not fenced by who looked
    owner.close()
    kafka_client.write(services.bootstrap, log_topic("verified"), [b"forged"])
    assert await asyncio.to_thread(run, verify) == 4
    (told,) = json.loads(capsys.readouterr().out)["shards"]
    assert told["intact_through"] == 3
    assert told["damage"][0].startswith("offset 4: ")


def test_nothing_is_made_where_there_is_no_log_to_verify(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.integration.services import kafka_client

    settings = tmp_path / "kafka.toml"
    settings.write_text(
        f'[kafka]\nservers = {json.dumps(services.bootstrap)}\nname = "absent"\n'
        'durability = "single-broker"\n'
    )
    assert run(["log", "verify", "--config", str(settings)]) == 2
    assert "[CONFIGURATION]" in capsys.readouterr().err
    assert log_topic("absent") not in kafka_client.topics(services.bootstrap)


async def test_several_shards_are_copied_from_kafka_when_all_were_taken_and_nobody_came_between(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "kafka.toml"
    settings.write_text(
        f'directory = "{tmp_path / "node"}"\nshards = 2\n'
        f'[kafka]\nservers = {json.dumps(services.bootstrap)}\nname = "several"\n'
        'durability = "single-broker"\n'
    )
    on_kafka = place(services, "several", tmp_path / "owner")._replace(shards=2)
    for shard in (0, 1):
        owner = await opened(on_kafka._replace(shard=shard))
        await append(owner, assemble(1, []), ContentChange(f"item/{shard}", b"text"))
        owner.close()
    others: list[KafkaLog] = []
    first_taken = Event()

    def opened_while_another_takes_the_first(where: KafkaPlace, generation: int) -> KafkaLog:
        if where.shard == 1:
            assert first_taken.wait(30)
            first = on_kafka._replace(directory=tmp_path / "other")
            others.append(open_kafka_log(first, generation, query_lease_us=LEASE_US))
        taken = open_kafka_log(where, generation, query_lease_us=LEASE_US)
        if where.shard == 0:
            first_taken.set()
        return taken

    with monkeypatch.context() as patched:
        patched.setattr(log_place, "open_kafka_log", opened_while_another_takes_the_first)
        with pytest.raises(Fenced):
            await moving.move(place_of(settings, 1), place_of(tmp_path / "target", 1))
    others[0].close()
    with pytest.raises(ConfigurationError, match="not finished"):
        require_finished(tmp_path / "target")

    copied = (await moving.move(place_of(settings, 1), place_of(tmp_path / "target", 1))).copied
    assert copied.keys() == {0, 1}
    for shard in copied:
        log = SqliteLog(tmp_path / "target", shard)
        assert log.head() == (copied[shard].sequence, copied[shard].chain)
        assert log.select([f"item/{shard}"]) == {f"item/{shard}": b"text"}
        log.close()


async def test_a_copy_to_kafka_that_was_interrupted_is_served_by_no_node_until_it_is_finished(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, settings = tmp_path / "source", tmp_path / "kafka.toml"
    settings.write_text(
        f'directory = "{tmp_path / "node"}"\nshards = 2\n'
        f'[kafka]\nservers = {json.dumps(services.bootstrap)}\nname = "interrupted"\n'
        'durability = "single-broker"\n'
    )
    kafka = place_of(settings, 0).settings.kafka
    assert kafka is not None

    async def worked(shard: int) -> None:
        log = SqliteLog(source, shard)
        await append(log, assemble(log.head()[0] + 1, []), ContentChange(f"item/{shard}", b"text"))
        log.close()

    async def copied() -> dict[int, Copied]:
        return (await moving.move(place_of(source, 0), place_of(settings, 0))).copied

    async def served(node: str) -> None:
        async with clustered_shard(kafka, tmp_path / node, shards=2, snapshots=False):
            pass

    async def interrupted(log: ReadLog, target: Any, *more: Any) -> Copied:
        if log.select(["item/1"]):
            raise AppendFailed("the brokers do not answer")
        return await copy_history(log, target, *more)

    for shard in (0, 1):
        await worked(shard)
    with monkeypatch.context() as patched:
        patched.setattr(copying, "copy_history", interrupted)
        with pytest.raises(AppendFailed):
            await copied()
    # The first shard is whole in Kafka; without the second, which caused some of it, nobody may have it.
    for node in ("another", "another", "node"):
        with pytest.raises(ConfigurationError, match="give the same `crowdroute log copy` again"):
            await served(node)
    await worked(0)
    assert {shard: one.sequence for shard, one in (await copied()).items()} == {0: 2, 1: 1}
    for node in ("another", "node"):
        await served(node)


async def test_recorded_commands_with_their_times_give_the_same_log_and_labels_in_a_file_and_on_kafka(
    services: Services, tmp_path: Path
) -> None:
    record = record_commands(tmp_path)
    in_file = SqliteLog(tmp_path / "file")
    on_kafka = await opened(place(services, "recorded", tmp_path / "node"))
    outcomes = [await record.carry_out(log) for log in (in_file, on_kafka)]
    histories = [entries_of(log) for log in (in_file, on_kafka)]
    in_file.close()
    on_kafka.close()
    assert [one.labels for one in outcomes] == [record.outcome.labels] * 2
    assert histories[0] == histories[1]
    assert record.outcome.finalised > TASKS / 2


def entries_of(log: SqliteLog | KafkaLog) -> list[Entry]:
    """Give what a log says, without the empty batches that an owner on Kafka shows itself by."""
    return [entry for one in log.read() for entry in decode_batch(one.body, one.sequence).entries]
