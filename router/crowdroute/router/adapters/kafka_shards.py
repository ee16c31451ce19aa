"""Which shards a log on Kafka has, whatever the settings say."""

from __future__ import annotations

from contextlib import closing

from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_topics import log_topic, partitions_of
from crowdroute.router.errors import ConfigurationError


def shards_beyond(connection: KafkaConnection, name: str, shards: int) -> list[int]:
    """Give the numbers of the shards, from `shards` on, that somebody has written to; blocks.

    A topic may have more partitions than there are shards, so that their number can grow: those are empty.

    Raises:
        StorageError: the cluster does not answer.
    """
    topic = log_topic(name)
    return [
        shard
        for shard in range(shards, partitions_of(connection, topic))
        if _end(connection, topic, shard) > 0
    ]


def require_no_shards_beyond(connection: KafkaConnection, name: str, shards: int) -> None:
    """See that a log has no more shards than are to be served; blocks.

    Raises:
        ConfigurationError: it has, and whatever lives there would be out of reach.
        StorageError: the cluster does not answer.
    """
    beyond = shards_beyond(connection, name, shards)
    if beyond:
        raise ConfigurationError(
            f"topic {log_topic(name)} in {connection.place} holds the log of shard {beyond[-1]}, but there"
            f" are to be {shards} shards: a number of shards can grow and not shrink; see `shards` in the"
            " settings",
            {"shard": str(beyond[-1]), "topic": log_topic(name)},
        )


def _end(connection: KafkaConnection, topic: str, shard: int) -> int:
    with closing(KafkaPartition(connection, topic, shard)) as partition:
        return partition.bounds()[1]
