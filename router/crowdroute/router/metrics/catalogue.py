"""Every metric of ours by name, as Prometheus sees it; docs/operations.md has the same table."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """What one metric is."""

    name: str
    """As it is exposed; samples of a histogram add `_bucket`, `_sum` and `_count`."""
    kind: Literal["gauge", "counter", "histogram"]
    labels: tuple[str, ...]
    meaning: str


BUILD_INFO = Metric(
    "crowdroute_build_info", "gauge", ("version", "python"), "Always 1; the labels tell what runs"
)
SCRAPE_COMPLETE = Metric(
    "crowdroute_scrape_complete", "gauge", (), "1 when the engine's loop answered this scrape in time, else 0"
)
ENGINE_STATE = Metric(
    "crowdroute_engine_state", "gauge", ("state",), "1 for the state that the engine is in, 0 for the others"
)
CALL_SECONDS = Metric(
    "crowdroute_call_duration_seconds",
    "histogram",
    ("call", "code"),
    "How long gRPC calls took, waiting for work and whole streams included",
)
WORK_STREAMS = Metric("crowdroute_work_streams", "gauge", (), "Work streams that are open")
COMMANDS = Metric(
    "crowdroute_commands_total",
    "counter",
    ("shard", "command", "outcome"),
    "Commands by how they ended: DONE, UNCHANGED (nothing to log) or the code of the refusal",
)
APPEND_SECONDS = Metric(
    "crowdroute_batch_append_duration_seconds",
    "histogram",
    ("shard",),
    "How long the log took to keep a batch",
)
BATCH_ENTRIES = Metric("crowdroute_batch_entries", "histogram", ("shard",), "Entries per batch")
LOG_SEQUENCE = Metric(
    "crowdroute_log_sequence", "gauge", ("shard",), "Sequence of the last durable batch of each shard served"
)
SNAPSHOT_SEQUENCE = Metric(
    "crowdroute_snapshot_sequence", "gauge", ("shard",), "Sequence of the newest snapshot; 0 for none"
)
SNAPSHOT_WRITTEN = Metric(
    "crowdroute_snapshot_last_written_timestamp_seconds",
    "gauge",
    ("shard",),
    "When this process last wrote a snapshot; absent until it has",
)
SNAPSHOTTER_RESTARTS = Metric(
    "crowdroute_snapshotter_restarts_total",
    "counter",
    (),
    "How often the snapshotter ended by itself and was started again",
)
WAITING_SEEKERS = Metric(
    "crowdroute_waiting_seekers", "gauge", (), "Calls and work streams that wait for a task"
)
OPEN_TASKS = Metric(
    "crowdroute_open_tasks",
    "gauge",
    ("project",),
    "Tasks that are not decided yet, those with a known answer left out",
)
LIVE_LEASES = Metric("crowdroute_live_leases", "gauge", ("project",), "Leases that workers hold")
PLACEMENT_GENERATION = Metric(
    "crowdroute_placement_generation",
    "gauge",
    (),
    "Number of the division of shards among processes that this one knows; the same in all, but for a moment",
)
SCHEDULED_REFITS = Metric(
    "crowdroute_scheduled_refits_total",
    "counter",
    ("shard", "outcome"),
    "Tries of refits that rules made due: DONE, STALE (the project changed meanwhile) or FAILED",
)
DIRECTORY_CURRENT = Metric(
    "crowdroute_directory_current",
    "gauge",
    (),
    "1 when Redis holds what this process tells the others as it is, 0 when it does not answer or is behind",
)
DIRECTORY_ANSWERS = Metric(
    "crowdroute_directory_answers",
    "gauge",
    (),
    "1 when Redis answered the last call, 0 while the breaker leaves it alone but for a try now and then",
)
DIRECTORY_PENDING = Metric(
    "crowdroute_directory_pending_rows",
    "gauge",
    ("shard",),
    "Changed rows that Redis has not got yet; 0 when so many gathered that all will be written anew",
)

FEED_RECORDS = Metric(
    "crowdroute_feed_records_total",
    "counter",
    ("topic", "partition", "outcome"),
    "Records of tasks since the process began: TAKEN, or REFUSED and in the topic of dead letters",
)
FEED_LAG = Metric(
    "crowdroute_feed_lag_records",
    "gauge",
    ("topic", "partition"),
    "Records of tasks that wait in their topic, when it was last read",
)
FEED_WAITING = Metric(
    "crowdroute_feed_waiting_projects",
    "gauge",
    ("topic", "partition"),
    "Full projects whose records wait in the topic until tasks of theirs are decided",
)
OUTBOX_RECORDS = Metric(
    "crowdroute_outbox_records_total",
    "counter",
    ("topic",),
    "Records put out since the process began, those that came again counted again",
)
OUTBOX_LAG = Metric(
    "crowdroute_outbox_lag_batches", "gauge", ("shard",), "Batches of the log that are not put out yet"
)
OUTBOX_AGE = Metric(
    "crowdroute_outbox_age_seconds",
    "gauge",
    ("shard",),
    "Time since the last moment that is put out whole; 0 when nothing waits",
)
ARCHIVE_OFFSET = Metric(
    "crowdroute_archive_next_offset",
    "gauge",
    ("shard",),
    "Offset of the first record of the shard's log on Kafka that is not archived",
)
ARCHIVE_LAG = Metric(
    "crowdroute_archive_lag_records",
    "gauge",
    ("shard",),
    "Records that are not archived yet; never quite 0, because a range is closed by 8 MiB of them",
)
ARCHIVE_TOPIC = Metric(
    "crowdroute_archive_topic_records", "gauge", ("shard",), "Records that the topic still has"
)
ARCHIVE_SUCCESS = Metric(
    "crowdroute_archive_last_success_timestamp_seconds",
    "gauge",
    ("shard",),
    "When the archive was last looked after without an error; absent until it was",
)
ARCHIVE_BYTES = Metric(
    "crowdroute_archive_written_bytes_total",
    "counter",
    ("shard",),
    "Segments put into the archive since the process began, compressed",
)
ARCHIVE_FAILURES = Metric(
    "crowdroute_archive_failures_total",
    "counter",
    ("shard",),
    "Looks at the archive that ended with an error since the process began",
)

CATALOGUE = (
    BUILD_INFO,
    SCRAPE_COMPLETE,
    ENGINE_STATE,
    CALL_SECONDS,
    WORK_STREAMS,
    COMMANDS,
    APPEND_SECONDS,
    BATCH_ENTRIES,
    LOG_SEQUENCE,
    SNAPSHOT_SEQUENCE,
    SNAPSHOT_WRITTEN,
    SNAPSHOTTER_RESTARTS,
    WAITING_SEEKERS,
    OPEN_TASKS,
    LIVE_LEASES,
    PLACEMENT_GENERATION,
    SCHEDULED_REFITS,
    DIRECTORY_CURRENT,
    DIRECTORY_ANSWERS,
    DIRECTORY_PENDING,
    FEED_RECORDS,
    FEED_LAG,
    FEED_WAITING,
    OUTBOX_RECORDS,
    OUTBOX_LAG,
    OUTBOX_AGE,
    ARCHIVE_OFFSET,
    ARCHIVE_LAG,
    ARCHIVE_TOPIC,
    ARCHIVE_SUCCESS,
    ARCHIVE_BYTES,
    ARCHIVE_FAILURES,
)
