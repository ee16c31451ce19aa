"""What a log on Kafka that is copied from another one gets besides its batches; blocks.

Shards are copied one after the other, and a command can be interrupted. Its target then has shards of
different moments, in which what crossed from one to another stands without its cause. So all of them are
marked before the first is written to, and until the last was compared; whoever would serve one sees that.
"""

from __future__ import annotations

from contextlib import closing

from crowdroute.router.adapters.kafka_content import SECRET, UNFINISHED, secret_key
from crowdroute.router.adapters.kafka_opening import KafkaPlace
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_topics import content_topic, ensure_topics


def begin_with_key(place: KafkaPlace, content_key: bytes) -> None:
    """Give a shard that was never used the content key of the log that it becomes a copy of; blocks.

    Nothing happens where there is a key already: whoever opens the log sees what key it has.

    Raises:
        ConfigurationError, StorageError, AppendFailed: as `open_kafka_log`.
    """
    ensure_topics(place.connection, place.name, place.shards, place.durability)
    where = KafkaPartition(place.connection, content_topic(place.name), place.shard)
    try:
        first, end = where.bounds()
        if any((found.key or b"")[:1] == SECRET for found in where.records(first, end - 1)):
            return
    finally:
        where.close()
    sender = KafkaSender(place.connection, content_topic(place.name), place.shard)
    try:
        sender.send_and_wait(content_key, secret_key())
    finally:
        sender.close()


def mark_on_kafka(place: KafkaPlace, unfinished: bool) -> None:
    """Say durably whether a shard's log is a copy that is not finished.

    Raises:
        StorageError, AppendFailed: the cluster does not answer.
    """
    with closing(KafkaSender(place.connection, content_topic(place.name), place.shard)) as sender:
        sender.send_and_wait(b"" if unfinished else None, UNFINISHED)
