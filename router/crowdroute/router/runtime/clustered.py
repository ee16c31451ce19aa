"""A shard whose log is a partition of a Kafka topic."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from crowdroute.router.adapters.kafka_archiving import Deletion, KafkaArchiving, delete_before
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_clock import check_clock, last_word
from crowdroute.router.adapters.kafka_opening import KafkaPlace, archive_of, open_kafka_log
from crowdroute.router.adapters.kafka_partition import KafkaPartition
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.adapters.kafka_shards import require_no_shards_beyond
from crowdroute.router.adapters.kafka_topics import (
    Durability,
    check_topics,
    content_topic,
    ensure_topics,
    log_topic,
)
from crowdroute.router.adapters.log_archive import SEGMENT_BYTES
from crowdroute.router.adapters.objects import Objects
from crowdroute.router.adapters.shared_positions import keep_positions
from crowdroute.router.adapters.sqlite_files import snapshots_path
from crowdroute.router.errors import ConfigurationError, StorageError
from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.archiving import keep_archive
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.placement import FIRST_SHARD
from crowdroute.router.runtime.recovery import Recovered
from crowdroute.router.runtime.serving import engine_over
from crowdroute.router.runtime.settings import KafkaLogSettings, KafkaSettings
from crowdroute.router.runtime.topic_watch import (
    LOOKED_AT_SECONDS,
    TOLD_SECONDS,
    watch_clock,
    watch_topics,
)

QUIET_SECONDS = 3 * TOLD_SECONDS
"""After so long without a word of its owner a shard is not served: one word may be late, as from brokers that
were just started."""

LISTEN_SECONDS = 0.5
"""Between two looks for a word of whoever may serve a log."""


@contextlib.asynccontextmanager
async def clustered_shard(
    kafka: KafkaLogSettings,
    directory: Path,
    number: int = 0,
    *,
    shards: int = 1,
    generation: int = 0,
    snapshots: bool = True,
    recovered: Callable[[Recovered[Shard]], None] = lambda _recovered: None,
    looked_at_s: float = LOOKED_AT_SECONDS,
) -> AsyncIterator[Engine]:
    """Claim a shard and bring its local copy up to date, for who starts the engine; leaving hands it over.

    Args:
        kafka: where the log is.
        directory: of the copies and the snapshots on this node; it may be empty.
        number: of the shard, and of its partition.
        shards: how many there are.
        generation: of the placement that gave this process the shard; of two processes of one generation the
            later takes over.
        snapshots: have a second process write snapshots.
        recovered: is told what the recovery took.
        looked_at_s: seconds between two looks at the topics' settings; the engine stops when they are unsafe.

    Raises:
        Fenced: a later generation owns the shard, or another process has the directory open.
        LogCorrupt: the log is damaged or of another cluster.
        ConfigurationError: a topic is unsafe, the clocks of the brokers and of this machine are apart, the
            log is a copy that was not finished, or the cluster's extra is not installed.
        StorageError: the cluster or the disk does not answer.
        AppendFailed: when leaving, not everything that was taken became durable.
    """
    place = place_on_kafka(kafka, directory, number, shards)
    log = await asyncio.to_thread(open_kafka_log, place, generation)
    try:
        log.require_finished(place.claimed)
        shared = None if kafka.snapshots is None else place.folder(kafka.snapshots, log.topic_id)
        async with engine_over(
            log,
            snapshots_path(directory, number),
            number=number,
            snapshots=snapshots,
            shared=shared,
            recovered=recovered,
        ) as engine:
            check = partial(
                check_topics, place.connection, place.name, shards, place.durability, log.topic_id
            )
            look = partial(log.tell_served, place.connection.place)
            beside = [
                asyncio.create_task(watch_topics(check, engine.stop, looked_at_s)),
                asyncio.create_task(watch_clock(look)),
            ]
            if shared is not None:
                beside.append(asyncio.create_task(keep_positions(log.shared_position, Objects(shared))))
            archiving = archiving_of(place, log.topic_id, shared if kafka.delete else None)
            if archiving is not None:
                engine.archive = archiving.standing
                beside.append(asyncio.create_task(keep_archive(archiving.step)))
            try:
                yield engine
            finally:
                for task in beside:
                    task.cancel()
        # Only for the next owner's sake, who otherwise waits for a second.
        with contextlib.suppress(StorageError):
            await log.hand_over()
    finally:
        await asyncio.to_thread(log.close)


def require_brokers(kafka: KafkaLogSettings, shards: int) -> None:
    """See that a log of so many shards can be kept, before any process is told to; blocks.

    Raises:
        ConfigurationError: a topic is unsafe or has too few partitions, the log has more shards, or the
            clocks of the brokers and of this machine are apart.
        StorageError: nobody answers.
    """
    connection = connection_to(kafka)
    ensure_topics(connection, kafka.name, shards, Durability(kafka.durability))
    require_no_shards_beyond(connection, kafka.name, shards)
    with closing(KafkaSender(connection, content_topic(kafka.name), 0)) as contents:
        check_clock(contents, connection.place)


def require_unserved(
    kafka: KafkaLogSettings,
    tell: Callable[[str], None] = lambda _text: None,
    *,
    now: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """See that no other cluster serves a log, before a cluster that has no placement yet begins to; blocks.

    Two clusters on one log would take its shards from each other for ever. One that crashed has left its last
    word: whether another follows tells it from one that serves.

    Args:
        kafka: where the log is, whose topics are made.
        tell: is told once if that has to be waited for, and why.
        now: this machine's time, in seconds since 1970.
        pause: waits so many seconds.

    Raises:
        ConfigurationError: one does.
        StorageError: nobody answers.
    """
    connection = connection_to(kafka)
    heard: int | None = None
    with closing(KafkaPartition(connection, content_topic(kafka.name), FIRST_SHARD)) as contents:
        while True:
            first, (_, end) = contents.first_since(now() - QUIET_SECONDS), contents.bounds()
            # Contents of half a minute may be many: they are read once.
            word = None if first is None else last_word(contents.records(max(first, heard or 0), end - 1))
            if word is None:
                return
            if heard is None:
                heard = word
                tell(
                    f"somebody served the log {kafka.name} a moment ago: waiting up to {QUIET_SECONDS:.0f} s"
                    " for a word of theirs"
                )
            elif word > heard:
                raise ConfigurationError(
                    f"another cluster serves the log {kafka.name} at {connection.place}: give this one a"
                    " kafka.name of its own, or stop the other",
                    {"log": kafka.name},
                )
            pause(LISTEN_SECONDS)


def place_on_kafka(kafka: KafkaLogSettings, directory: Path, number: int, shards: int) -> KafkaPlace:
    """Give where a shard's log is, of so many shards, with its copy in a directory of this node."""
    durability = Durability(kafka.durability)
    return KafkaPlace(
        connection_to(kafka),
        kafka.name,
        number,
        shards,
        durability,
        directory,
        kafka.archive,
        kafka.snapshots,
    )


def archiving_of(
    place: KafkaPlace, topic_id: bytes, snapshots: str | None, segment_bytes: int = SEGMENT_BYTES
) -> KafkaArchiving | None:
    """Give what archives a shard's log, None when its place has no archive.

    Args:
        place: of the shard.
        topic_id: of the log's topic.
        snapshots: URL of the shard's shared snapshots when the topic is to be deleted behind them, or None.
        segment_bytes: of records at which a range is closed.

    Raises:
        ConfigurationError: the driver of a URL is not installed.
    """
    archive, topic = archive_of(place, topic_id), log_topic(place.name)
    if archive is None:
        return None
    delete = None
    if snapshots is not None:
        delete = Deletion(Objects(snapshots), partial(delete_before, place.connection, topic, place.shard))
    partition = partial(KafkaPartition, place.connection, topic, place.shard)
    return KafkaArchiving(archive, place.claimed, partition, topic_id, delete, segment_bytes)


def connection_to(kafka: KafkaSettings) -> KafkaConnection:
    """Give the way to the brokers that settings name."""
    security: dict[str, object] = {}
    encrypted = kafka.authority is not None
    if kafka.authority is not None:
        security |= {"ssl_cafile": str(kafka.authority)}
    if kafka.certificate is not None and kafka.key is not None:
        security |= {"ssl_certfile": str(kafka.certificate), "ssl_keyfile": str(kafka.key)}
    if kafka.user:
        assert kafka.password_file is not None
        security |= {
            "sasl_mechanism": kafka.mechanism,
            "sasl_plain_username": kafka.user,
            "sasl_plain_password": kafka.password_file.read_text().strip(),
        }
    protocol = ("SASL_" if kafka.user else "") + ("SSL" if encrypted else "PLAINTEXT")
    security["security_protocol"] = protocol
    return KafkaConnection(tuple(kafka.servers), security, kafka.compression)
