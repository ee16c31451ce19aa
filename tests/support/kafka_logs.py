"""Logs on the Kafka of the services, opened as owners do."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.services import Services

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_log import KafkaLog
from crowdroute.router.adapters.kafka_opening import KafkaPlace, open_kafka_log
from crowdroute.router.adapters.kafka_topics import Durability

LEASE_US = 20_000
"""A short query lease, since every owner waits for that of the one before."""


def place(services: Services, name: str, node: Path) -> KafkaPlace:
    connection = KafkaConnection(tuple(services.bootstrap))
    return KafkaPlace(connection, name, 0, 1, Durability.SINGLE_BROKER, node)


async def opened(where: KafkaPlace, generation: int = 0) -> KafkaLog:
    return await asyncio.to_thread(open_kafka_log, where, generation, query_lease_us=LEASE_US)
