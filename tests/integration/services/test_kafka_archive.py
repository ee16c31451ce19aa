"""The beginning of a log moves from a real broker into an archive, and every reader finds all of it."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.test_event_log import append
from tests.support.s3 import BUCKET
from tests.support.services import Services

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_topics import Durability, log_topic
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.shared_snapshots import snapshots_at
from crowdroute.router.cli.program import run
from crowdroute.router.errors import ConfigurationError, LogCorrupt, SnapshotUnusable
from crowdroute.router.runtime.clustered import archiving_of, clustered_shard
from crowdroute.router.runtime.settings import KafkaLogSettings

pytestmark = pytest.mark.cluster

BATCHES = 30


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL that archive and snapshots are below."""
    if request.param == "file":
        return f"file://{tmp_path}"
    request.getfixturevalue("s3")
    return f"s3://{BUCKET}"


async def test_after_deletion_a_node_without_a_copy_reads_archive_then_topic(
    services: Services,
    tmp_path: Path,
    store: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.INFO, "crowdroute")
    archive, name = f"{store}/archive", f"archived-{store[:2]}"

    def place(node: str, archive: str | None = archive) -> KafkaPlace:
        connection = KafkaConnection((services.bootstrap[0],))
        return KafkaPlace(connection, name, 0, 1, Durability.SINGLE_BROKER, tmp_path / node, archive)

    def first_offset() -> int:
        with closing(KafkaPartition(place("any").connection, log_topic(name), 0)) as partition:
            return partition.bounds()[0]

    one = place("one")
    log = await asyncio.to_thread(open_kafka_log, one, 0, query_lease_us=1000)
    for number in range(BATCHES):
        await append(log, b"batch %d" % number)
    shared = one.folder(f"{store}/snapshots", log.topic_id)
    keeping = archiving_of(one, log.topic_id, shared, segment_bytes=500)
    zombie = archiving_of(one, log.topic_id, None, segment_bytes=500)
    assert keeping is not None
    assert zombie is not None

    while await asyncio.to_thread(keeping.step):
        pass
    assert first_offset() == 0  # archived, but behind no snapshot
    folder = Objects(one.folder(archive, log.topic_id))
    written = {each: folder.read(each) for each in folder.names()}
    assert len(written) > 3
    while await asyncio.to_thread(zombie.step):
        pass
    assert {each: folder.read(each) for each in folder.names()} == written

    snapshots_at(tmp_path / "node snapshots", shared)[1].write(*log.head(), {})
    assert not await asyncio.to_thread(keeping.step)
    assert first_offset() > BATCHES // 2
    assert "are deleted from the topic" in caplog.text

    settings = tmp_path / "kafka.toml"
    settings.write_text(
        f'[kafka]\nservers = {json.dumps(services.bootstrap)}\nname = "{name}"\n'
        f'durability = "single-broker"\narchive = "{archive}"\nsnapshots = "{store}/snapshots"\n'
    )
    assert await asyncio.to_thread(run, ["log", "status", "--config", str(settings), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["shards"]
    assert (told["first_offset"], told["end_offset"]) == (first_offset(), BATCHES + 1)
    assert told["archive"]["segments"] == len(folder.names())
    assert told["archive"]["lag_records"] == keeping.standing.lag == BATCHES + 1 - keeping.standing.archived
    assert (told["snapshot"], told["wrong"]) == (BATCHES, [])

    head, whole = log.head(), [stored.body for stored in log.read()]
    log.close()
    other = await asyncio.to_thread(open_kafka_log, place("two"), 1, query_lease_us=1000)
    assert (other.head(), [stored.body for stored in other.read()]) == (head, whole)
    await append(other, b"after the seam")
    other.close()

    with pytest.raises(SnapshotUnusable, match=r"name the log's archive \(kafka.archive\)"):
        await asyncio.to_thread(open_kafka_log, place("three", None), 2, query_lease_us=1000)
    # A node whose copy is not behind the topic's beginning needs no archive.
    again = await asyncio.to_thread(open_kafka_log, place("two", None), 3, query_lease_us=1000)
    assert again.head()[0] == BATCHES + 1
    again.close()
    folder.remove(folder.names()[2])
    assert await asyncio.to_thread(run, ["log", "status", "--config", str(settings)]) == 4
    assert "neither in the topic nor in the archive" in capsys.readouterr().err
    with pytest.raises(LogCorrupt, match="neither in the topic nor in the archive"):
        await asyncio.to_thread(open_kafka_log, place("four"), 4, query_lease_us=1000)


async def test_a_shard_serves_with_an_archive_and_refuses_one_that_has_no_driver(
    services: Services, tmp_path: Path
) -> None:
    kept = KafkaLogSettings(
        servers=[services.bootstrap[0]],
        name="served",
        durability="single-broker",
        archive=f"file://{tmp_path}/archive",
        snapshots=f"file://{tmp_path}/snapshots",
        delete=True,
    )
    async with clustered_shard(kept, tmp_path / "node") as engine:
        engine.start()
        await engine.observe()
        assert engine.archive is not None
    without = kept.model_copy(update={"archive": "abfs://bucket/archive"})
    with pytest.raises(ConfigurationError, match="need a driver: Install adlfs"):
        async with clustered_shard(without, tmp_path / "node", generation=1):
            pass
