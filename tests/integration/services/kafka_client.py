"""The few things that these tests do with Kafka, over kafka-python."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

# As the log wants its topics, as far as it does not depend on the number of brokers.
LOG = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
DEADLINE_MS = 30_000


def make_topic(bootstrap: list[str], name: str, configs: dict[str, str]) -> None:
    """A topic of one partition with the broker's own replication, ready to be written."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_topics({name: {"num_partitions": 1, "configs": configs}}, wait_for_metadata=True)


def alter_topic(bootstrap: list[str], name: str, configs: dict[str, str]) -> None:
    """Set settings of a topic that is there."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=configs)])


def remove_topic(bootstrap: list[str], name: str) -> None:
    """Remove a topic with everything in it."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.delete_topics([name])


def topics(bootstrap: list[str]) -> set[str]:
    """The names of all topics."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        return set(admin.list_topics())


def partition(bootstrap: list[str], name: str) -> dict[str, Any]:
    """Leader, replicas and replicas in sync of the one partition."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        (topic,) = admin.describe_topics([name])
        (only,) = topic["partitions"]
        return dict(only)


def settings(bootstrap: list[str], name: str) -> dict[str, str]:
    """The settings in force of a topic, the brokers' defaults included."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        told = admin.describe_configs([resource], config_filter="all")["topic"][name]
        return {key: entry["value"] for key, entry in told.items()}


def write(bootstrap: list[str], name: str, values: list[bytes]) -> list[int]:
    """The offsets at which all replicas in sync acknowledged `values`, one after the other."""
    with closing(
        KafkaProducer(bootstrap_servers=bootstrap, acks="all", max_block_ms=DEADLINE_MS)
    ) as producer:
        return [producer.send(name, value).get(timeout=DEADLINE_MS / 1000).offset for value in values]


def read(bootstrap: list[str], name: str, count: int) -> list[bytes]:
    """The first `count` records, or those that came within the deadline."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=DEADLINE_MS
    )
    with closing(consumer):
        consumer.assign([TopicPartition(name, 0)])
        # The count goes first: after the last record nothing more is asked for, which would wait.
        return [record.value for _, record in zip(range(count), consumer, strict=False)]
