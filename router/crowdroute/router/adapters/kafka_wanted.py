"""Hands the owner of a log on Kafka the records that it asks for."""

from __future__ import annotations

from collections.abc import Callable

from crowdroute.router.adapters.kafka_history import KafkaHistory
from crowdroute.router.adapters.kafka_owner import KafkaOwner
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_reader import Verdict
from crowdroute.router.errors import LogCorrupt
from crowdroute.router.ports import StoredBatch


def read_wanted(
    owner: KafkaOwner,
    partition: KafkaPartition | KafkaHistory,
    topic_id: bytes,
    fold: Callable[[StoredBatch], None] = lambda _stored: None,
) -> None:
    """Hand the owner the records that it wants; blocks.

    Args:
        owner: wants some.
        partition: has them.
        topic_id: of the partition's topic.
        fold: is given each batch of another owner that counts.

    Raises:
        Fenced, LogCorrupt, AppendFailed: as `KafkaOwner.arrived`.
    """
    owner.bounds(topic_id, *partition.bounds())
    assert owner.wanted is not None
    for found in partition.records(*owner.wanted):
        reading = owner.arrived(found.offset, found.value or b"")
        if reading.verdict is Verdict.BATCH and reading.batch is not None:
            fold(reading.batch)
    if owner.wanted is not None:
        raise LogCorrupt(
            f"offset {owner.wanted[0]} is missing in the log: restore the log from its archive",
            {"offset": str(owner.wanted[0]), "differs": "offset"},
        )
