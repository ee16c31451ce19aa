"""Topics, clocks, shards and other clusters with which no log is kept on a real broker, now or later."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.support.services import Services

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_clock import tell_served
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_records import Claim, encode_claim
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_topics import (
    Durability,
    check_topics,
    content_topic,
    ensure_topics,
    log_topic,
)
from crowdroute.router.cli.program import run
from crowdroute.router.commands.organisation import CreateOrganisation
from crowdroute.router.errors import ConfigurationError, LogCorrupt, StorageError
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.runtime.clustered import (
    QUIET_SECONDS,
    clustered_shard,
    connection_to,
    require_brokers,
    require_unserved,
)
from crowdroute.router.runtime.opening import opened_group
from crowdroute.router.runtime.settings import KafkaLogSettings, Settings

pytestmark = pytest.mark.cluster


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
    require_unserved(kafka)


def test_a_cluster_begins_on_the_log_of_one_that_crashed_once_no_word_of_it_comes(services: Services) -> None:
    kafka = KafkaLogSettings(servers=[services.bootstrap[0]], name="crashed", durability="single-broker")
    require_brokers(kafka, 1)
    with closing(KafkaSender(connection_to(kafka), content_topic("crashed"), 0)) as owner:
        tell_served(owner, "its broker")
    waited: list[float] = []
    told: list[str] = []
    require_unserved(kafka, told.append, now=lambda: time.time() + sum(waited), pause=waited.append)
    assert QUIET_SECONDS - 5 < sum(waited) <= QUIET_SECONDS + 1
    assert [text.partition(":")[0] for text in told] == ["somebody served the log crashed a moment ago"]


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
    sender = KafkaSender(connection, log_topic(name), 0)
    sender.send_and_wait(encode_claim(Claim(shard.decode(), 0, bytes(16))))
    sender.close()


MORE_SHARDS = "holds the log of shard 1, but there are to be 1 shards"


async def outgrown(services: Services, node: Path, name: str) -> KafkaLogSettings:
    """Make a log of two shards whose topic has room for a third."""
    kafka = KafkaLogSettings(servers=services.bootstrap, name=name, durability="single-broker")
    await asyncio.to_thread(ensure_topics, connection_to(kafka), name, 3, Durability.SINGLE_BROKER)
    for shard in (0, 1):
        async with clustered_shard(kafka, node, shard, shards=2, snapshots=False) as engine:
            engine.start()
    return kafka


async def test_more_shards_than_the_settings_say_are_told_by_who_verifies_the_log(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kafka = await outgrown(services, tmp_path / "node", "verified-shards")
    settings = tmp_path / "kafka.toml"

    async def damage(shards: int) -> tuple[int, list[str]]:
        settings.write_text(
            f'directory = "{tmp_path / "other"}"\nshards = {shards}\n'
            f'[kafka]\nservers = {json.dumps(kafka.servers)}\nname = "{kafka.name}"\n'
            'durability = "single-broker"\n'
        )
        code = await asyncio.to_thread(run, ["log", "verify", "--config", str(settings), "--json"])
        return code, json.loads(capsys.readouterr().out)["damage"]

    assert await damage(2) == (0, [])
    code, (line,) = await damage(1)
    assert code == 4
    assert "has records of shard 1, which was not read" in line


async def test_an_engine_does_not_start_on_a_log_with_more_shards_than_its_settings_say(
    services: Services, tmp_path: Path
) -> None:
    kafka = await outgrown(services, tmp_path / "node", "started-shards")
    with pytest.raises(ConfigurationError, match=MORE_SHARDS):
        async with opened_group(Settings(directory=tmp_path / "other", kafka=kafka)):
            pytest.fail("it was opened")
    with pytest.raises(ConfigurationError, match=MORE_SHARDS):
        await asyncio.to_thread(require_brokers, kafka, 1)


async def test_a_log_with_more_shards_than_the_settings_say_is_not_copied_in_part(
    services: Services, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kafka = await outgrown(services, tmp_path / "node", "copied-shards")
    settings = tmp_path / "kafka.toml"
    settings.write_text(
        f'directory = "{tmp_path / "other"}"\n'
        f'[kafka]\nservers = {json.dumps(kafka.servers)}\nname = "{kafka.name}"\n'
        'durability = "single-broker"\n'
    )
    target = tmp_path / "target"
    assert await asyncio.to_thread(run, ["log", "copy", str(settings), str(target)]) == 2
    assert MORE_SHARDS in capsys.readouterr().err.replace("\n", " ")
    assert not target.exists()
