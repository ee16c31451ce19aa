"""A log on a real broker that has more shards than the settings know."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.support.services import Services

from crowdroute.router.adapters.kafka_topics import Durability, ensure_topics
from crowdroute.router.cli.program import run
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.runtime.clustered import clustered_shard, connection_to, require_brokers
from crowdroute.router.runtime.opening import opened_group
from crowdroute.router.runtime.settings import KafkaLogSettings, Settings

pytestmark = pytest.mark.cluster

TOLD = "holds the log of shard 1, but there are to be 1 shards"


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
    with pytest.raises(ConfigurationError, match=TOLD):
        async with opened_group(Settings(directory=tmp_path / "other", kafka=kafka)):
            pytest.fail("it was opened")
    with pytest.raises(ConfigurationError, match=TOLD):
        await asyncio.to_thread(require_brokers, kafka, 1)
