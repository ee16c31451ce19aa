"""A log on Kafka under an engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.support.services import Services

from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability
from crowdroute.router.ports import StoredBatch
from crowdroute.router.runtime.clustered import connection_to
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

    def history(self) -> list[StoredBatch]:
        """Read the topic from its beginning, as another node would."""
        assert self.kafka is not None
        return read_topic(self.kafka, self.directory.with_name("reader"), ShardMap().generation)


def read_topic(kafka: KafkaLogSettings, directory: Path, generation: int) -> list[StoredBatch]:
    """Claim shard 0 at a generation and give every batch of its log, through a copy in an empty directory."""
    place = KafkaPlace(connection_to(kafka), kafka.name, 0, 1, Durability.SINGLE_BROKER, directory)
    log = open_kafka_log(place, generation)
    try:
        return list(log.read())
    finally:
        log.close()
