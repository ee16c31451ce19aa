"""Compressed records take less of a broker's disk, and say the same."""

from __future__ import annotations

import asyncio
import base64
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.services import Services

from crowdroute.router.adapters.codec import chain
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability, log_topic
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.clustered import connection_to
from crowdroute.router.runtime.settings import KafkaLogSettings

pytestmark = pytest.mark.cluster

GOLDEN = Path(__file__).parents[2] / "replay" / "golden" / "v2.log"
BATCHES = 200


async def test_zstd_makes_the_same_log_smaller(services: Services, tmp_path: Path) -> None:
    lines = GOLDEN.read_text().splitlines()[1 : BATCHES + 1]
    bodies = [base64.b64decode(line.partition(" ")[2]) for line in lines]

    async def written(compression: str) -> tuple[bytes, int]:
        """Give the head of a log of these bodies, and how many bytes of the broker's disk it takes."""
        settings = KafkaLogSettings.model_validate(
            {
                "servers": services.bootstrap,
                "name": f"squeezed-{compression}",
                "durability": "single-broker",
                "compression": compression,
            }
        )
        connection = connection_to(settings)
        node = tmp_path / compression
        place = KafkaPlace(connection, settings.name, 0, 1, Durability.SINGLE_BROKER, node)
        log = await asyncio.to_thread(open_kafka_log, place, 0, query_lease_us=1000)
        for body in bodies:
            sequence, before = log.head()
            await log.append(StoredBatch(sequence + 1, log.epoch, chain(before, body), body), ())
        head = log.head()[1]
        log.close()
        again = await asyncio.to_thread(
            open_kafka_log, place._replace(directory=tmp_path / f"{compression} read"), 1, query_lease_us=1000
        )
        assert again.head() == (len(bodies), head)
        again.close()
        with closing(connection.admin()) as admin:
            told = admin.describe_log_dirs([log_topic(settings.name)])
        return head, size_in(told)

    (plain, plain_bytes), (squeezed, squeezed_bytes) = [await written(each) for each in ("none", "zstd")]
    assert plain == squeezed
    print(f"{len(bodies)} batches: {plain_bytes} bytes, with zstd {squeezed_bytes}")
    assert squeezed_bytes < plain_bytes


def size_in(told: object) -> int:
    """Add up every `partition_size` of an answer about log directories."""
    if isinstance(told, dict):
        return sum(value if key == "partition_size" else size_in(value) for key, value in told.items())
    if isinstance(told, list | tuple):
        return sum(map(size_in, told))
    return 0
