"""The topics of a log: made with the settings that keep what is acknowledged, refused with any other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from enum import StrEnum
from typing import Any
from uuid import UUID

from crowdroute.router.adapters.kafka_client import LARGEST_RECORD, KafkaConnection, require_client
from crowdroute.router.errors import ConfigurationError, StorageError

KNOWN_WITHIN_S = 10.0
"""Longest time until every broker knows a topic that was just made: each learns it by itself, and a process
that is told by one that it is there may then ask another."""
PAUSE_S = 0.1
"""Between two looks for such a topic."""

ERASED_WITHIN_MS = 24 * 3600 * 1000
"""Longest time until compaction must have looked at what was erased."""

TRACES_MS = 24 * 3600 * 1000
"""Shortest time for which compaction leaves a trace of what was erased, for copies that were not there."""


class Durability(StrEnum):
    """What a cluster must survive without losing an acknowledged record."""

    REPLICATED = "replicated"
    """The loss of a broker: three replicas, two of them in sync."""
    SINGLE_BROKER = "single-broker"
    """The restart of the only broker: each record is flushed to its disk before it is acknowledged."""


_KEPT: Mapping[Durability, Mapping[str, str]] = {
    Durability.REPLICATED: {"min.insync.replicas": "2"},
    Durability.SINGLE_BROKER: {"min.insync.replicas": "1", "flush.messages": "1"},
}
_REPLICAS = {Durability.REPLICATED: 3, Durability.SINGLE_BROKER: 1}

_ALWAYS = {"unclean.leader.election.enable": "false", "max.message.bytes": str(LARGEST_RECORD)}
_LOG = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_CONTENT = {
    "cleanup.policy": "compact",
    "max.compaction.lag.ms": str(ERASED_WITHIN_MS),
    "delete.retention.ms": str(TRACES_MS),
    # That lag runs from a record's time, so it is the broker's, whatever the clock of who sent it says; and
    # an acknowledgement tells it.
    "message.timestamp.type": "LogAppendTime",
}

AT_LEAST = {"min.insync.replicas", "max.message.bytes", "delete.retention.ms"}
AT_MOST = {"max.compaction.lag.ms", "flush.messages"}
"""Settings of which a larger (a smaller) number does as well."""


def log_topic(name: str) -> str:
    """Name the topic of a cluster's batches, one partition per shard."""
    return f"{name}.log"


def content_topic(name: str) -> str:
    """Name the topic of a cluster's contents, one partition per shard."""
    return f"{name}.content"


def log_settings(durability: Durability) -> dict[str, str]:
    """Give what the topic of batches must be set to."""
    return {**_ALWAYS, **_LOG, **_KEPT[durability]}


def content_settings(durability: Durability) -> dict[str, str]:
    """Give what the topic of contents must be set to."""
    return {**_ALWAYS, **_CONTENT, **_KEPT[durability]}


def ensure_topics(
    connection: KafkaConnection, name: str, shards: int, durability: Durability
) -> tuple[bytes, bytes]:
    """See that both topics of a log exist and are safe; give their ids (16 bytes each).

    Blocks for as long as the cluster takes to answer.

    Raises:
        ConfigurationError: a topic has too few partitions or replicas, or an unsafe setting.
        StorageError: the cluster does not answer, or refused.
    """
    log = _ensure(connection, log_topic(name), shards, log_settings(durability), durability)
    content = _ensure(connection, content_topic(name), shards, content_settings(durability), durability)
    return log, content


def ensure_feeds(connection: KafkaConnection, tasks: str, letters: str, durability: Durability) -> int:
    """See that the topics of tasks and dead letters exist; give the number of partitions of tasks.

    The topic of tasks belongs to its producers: it is made when it is missing, and taken as it is otherwise.
    Blocks for as long as the cluster takes to answer.

    Args:
        connection: to the cluster.
        tasks: name of the topic that tasks come from.
        letters: name of the topic that refused records go to.
        durability: of what is written.

    Raises:
        ConfigurationError: the topic of dead letters could lose what it acknowledged.
        StorageError: the cluster does not answer, or refused.
    """
    require_client()
    from kafka.errors import KafkaError

    kept = {**_ALWAYS, **_KEPT[durability]}
    _ensure(connection, letters, 1, kept, durability)
    with closing(connection.admin()) as admin:
        try:
            exists = tasks in admin.list_topics()
        except KafkaError as error:
            raise StorageError(f"the topics in {connection.place} cannot be listed ({error})") from error
    if not exists:
        _ensure(connection, tasks, 1, kept, durability)
    with closing(connection.admin()) as admin:
        try:
            (found,) = admin.describe_topics([tasks])
        except KafkaError as error:
            raise StorageError(
                f"topic {tasks} cannot be looked at in {connection.place} ({error})", {"topic": tasks}
            ) from error
    return len(found["partitions"])


def ensure_outbox(
    connection: KafkaConnection, topics: Iterable[str], positions: str, shards: int, durability: Durability
) -> None:
    """See that the topics that records are put out to exist, and the one that says how far that is.

    How long records are kept is the topic's own setting; the last position is kept for ever. Blocks for as
    long as the cluster takes to answer.

    Args:
        connection: to the cluster.
        topics: names of those that others read.
        positions: name of the topic of positions, with a partition per shard.
        shards: how many there are.
        durability: of what is written.

    Raises:
        ConfigurationError: one of them could lose what it acknowledged.
        StorageError: the cluster does not answer, or refused.
    """
    kept = {**_ALWAYS, **_KEPT[durability]}
    for topic in topics:
        _ensure(connection, topic, 1, kept, durability)
    _ensure(connection, positions, shards, {**kept, "cleanup.policy": "compact"}, durability)


def check_topics(
    connection: KafkaConnection, name: str, shards: int, durability: Durability, topic_id: bytes
) -> None:
    """See that both topics of a log that is in use are still there and safe; blocks.

    Args:
        connection: to the cluster.
        name: of the cluster's log.
        shards: how many there are.
        durability: as when the log was opened.
        topic_id: of the topic of batches, as it was then.

    Raises:
        ConfigurationError: a topic is gone, another one, or unsafe by now.
        StorageError: the cluster does not answer.
    """
    if look_at_log(connection, name, shards, durability) != topic_id:
        raise ConfigurationError(
            f"topic {log_topic(name)} was removed and made again: restore the log from a copy of it",
            {"topic": log_topic(name), "differs": "topic"},
        )
    _looked_at(connection, content_topic(name), shards, content_settings(durability), durability)


def look_at_log(connection: KafkaConnection, name: str, shards: int, durability: Durability) -> bytes:
    """See that the topic of a log's batches is there and safe, and give its id; blocks.

    Raises:
        ConfigurationError: there is none, or it could lose what it acknowledged.
        StorageError: the cluster does not answer.
    """
    return _looked_at(connection, log_topic(name), shards, log_settings(durability), durability)


def partitions_of(connection: KafkaConnection, topic: str) -> int:
    """Give how many partitions a topic has, 0 when there is none of that name; raises as `look_at_log`."""
    described = _described(connection, topic)
    return 0 if described is None else len(described[0]["partitions"])


def _ensure(
    connection: KafkaConnection, topic: str, shards: int, wanted: Mapping[str, str], durability: Durability
) -> bytes:
    """See that a topic exists and is safe; give its id."""
    require_client()
    from kafka.errors import InvalidReplicationFactorError, KafkaError, TopicAlreadyExistsError

    replicas = _REPLICAS[durability]
    with closing(connection.admin()) as admin:
        try:
            if topic not in admin.list_topics():
                asked = {"num_partitions": shards, "replication_factor": replicas, "configs": dict(wanted)}
                admin.create_topics({topic: asked}, wait_for_metadata=True)
        except TopicAlreadyExistsError:  # another process of the cluster was quicker
            admin.wait_for_topics([topic])
        except InvalidReplicationFactorError as error:
            raise ConfigurationError(
                f"topic {topic} needs {replicas} replicas, and {connection.place} has fewer brokers: start"
                f" more, or set durability to single-broker if one broker is all there is",
                {"topic": topic, "replicas": str(replicas)},
            ) from error
        except KafkaError as error:
            raise StorageError(
                f"topic {topic} cannot be made in {connection.place} ({error})", {"topic": topic}
            ) from error
    return _looked_at(connection, topic, shards, wanted, durability, patience_s=KNOWN_WITHIN_S)


def _looked_at(
    connection: KafkaConnection,
    topic: str,
    shards: int,
    wanted: Mapping[str, str],
    durability: Durability,
    *,
    patience_s: float = 0.0,
) -> bytes:
    """See that a topic is safe, after so long as one that is not known yet is waited for; give its id."""
    until = time.monotonic() + patience_s
    while (described := _described(connection, topic)) is None and time.monotonic() < until:
        time.sleep(PAUSE_S)
    if described is None:
        raise ConfigurationError(
            f"there is no topic {topic} in {connection.place}: correct the name of the log, or, if the topic"
            f" was removed, restore the log from a copy",
            {"topic": topic},
        )
    found, in_force = described
    partitions = found["partitions"]
    if len(partitions) < shards:
        raise ConfigurationError(
            f"topic {topic} has {len(partitions)} partitions, and {shards} shards need one each:"
            f" add partitions, or serve fewer shards",
            {"topic": topic, "partitions": str(len(partitions))},
        )
    replicas = min(len(partition["replica_nodes"]) for partition in partitions)
    if replicas < _REPLICAS[durability]:
        raise ConfigurationError(
            f"topic {topic} has {replicas} replicas, which the loss of a broker would take away: give it"
            f" {_REPLICAS[durability]}, or set durability to single-broker if one broker is all there is",
            {"topic": topic, "replicas": str(replicas)},
        )
    unsafe = [
        f"{key} is {in_force.get(key)}, not {value}"
        for key, value in wanted.items()
        if not _suffices(key, in_force.get(key, ""), value)
    ]
    if unsafe:
        raise ConfigurationError(
            f"topic {topic} could lose what it acknowledged: {'; '.join(unsafe)}; alter the topic's settings",
            {"topic": topic, "settings": ", ".join(unsafe)},
        )
    return UUID(str(found["topic_id"])).bytes


def _described(connection: KafkaConnection, topic: str) -> tuple[dict[str, Any], dict[str, str]] | None:
    """Give a topic and the settings in force; None when the broker that was asked knows none of that name."""
    require_client()
    from kafka.admin import ConfigResource, ConfigResourceType
    from kafka.errors import KafkaError, UnknownTopicOrPartitionError

    with closing(connection.admin()) as admin:
        try:
            (found,) = admin.describe_topics([topic])
            told = admin.describe_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic)], config_filter="all"
            )
        except UnknownTopicOrPartitionError:
            return None
        except KafkaError as error:
            raise StorageError(
                f"topic {topic} cannot be looked at in {connection.place} ({error})", {"topic": topic}
            ) from error
    if not found["partitions"]:
        return None
    return found, {key: str(entry["value"]) for key, entry in told["topic"][topic].items()}


def _suffices(key: str, value: str, wanted: str) -> bool:
    if key in AT_LEAST:
        return value.isdecimal() and int(value) >= int(wanted)
    if key in AT_MOST:
        return value.isdecimal() and int(value) <= int(wanted)
    return value == wanted
