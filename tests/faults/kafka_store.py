"""A log on Kafka under an engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.faults.store import History
from tests.support.services import Services

from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_verify import verify_partition
from crowdroute.router.runtime.clustered import place_on_kafka
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.settings import KafkaLogSettings


class OnKafka:
    """Topics of a single broker, with the engine's copy in a directory."""

    ends_with = frozenset({"APPEND_FAILED"})

    def __init__(self, services: Services, name: str, directory: Path) -> None:
        """Name the topics and the directory."""
        self.services: Services | None = services
        self.directory = directory
        self.kafka: KafkaLogSettings | None = KafkaLogSettings(
            servers=services.bootstrap, name=name, durability="single-broker"
        )
        self.variables: Mapping[str, str] = {
            "CROWDROUTE_KAFKA__SERVERS": json.dumps(services.bootstrap),
            "CROWDROUTE_KAFKA__NAME": name,
            "CROWDROUTE_KAFKA__DURABILITY": "single-broker",
        }

    def history(self) -> History:
        """Read the topic from its beginning, as another node would."""
        assert self.kafka is not None
        place = place_on_kafka(self.kafka, self.directory.with_name("reader"), 0, shards=1)
        return read_topic(place, ShardMap().generation)


def read_topic(place: KafkaPlace, generation: int) -> History:
    """Claim a shard at a generation and read its log, through a copy in an empty directory."""
    log = open_kafka_log(place, generation)
    try:
        batches = list(log.read())
    finally:
        log.close()
    found = verify_partition(place)
    assert found.ok, found
    return History(batches, found.void)
