"""A scrape tells what the engine's loop reads, and something whatever state the loop is in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from crowdroute.router.adapters.archive_standing import ArchiveStanding
from crowdroute.router.metrics.catalogue import CATALOGUE
from crowdroute.router.metrics.collector import EngineCollector, Read
from crowdroute.router.metrics.reading import (
    DirectoryReading,
    Distribution,
    EngineReading,
    InputReading,
    OutboxReading,
    ProjectReading,
    Reading,
)
from crowdroute.router.runtime.engine import EngineState
from crowdroute.router.runtime.refit_outcomes import RefitOutcome

ENGINE = EngineReading(
    outcomes={(0, "SubmitAnswer", "DONE"): 5, (1, "SubmitAnswer", "STALE_LEASE"): 1},
    append_seconds={
        0: Distribution((0.001, 0.01), (3, 4, 5), 0.25),
        1: Distribution((0.001, 0.01), (0, 1, 1), 0.01),
    },
    batch_entries={0: Distribution((1, 2), (1, 1, 5), 40.0), 1: Distribution((1, 2), (1, 1, 1), 1.0)},
    sequences={0: 12, 1: 7},
    snapshot_sequences={0: 10, 1: 0},
    snapshotter_restarts=2,
    waiting=3,
    projects=[ProjectReading("prj_1", 7, 4)],
    generation=6,
    snapshot_times={0: 4000.0},
    archives={0: ArchiveStanding(90, 40, 100, 700, 2, 5000.0), 1: ArchiveStanding(failures=3)},
    scheduled_refits={(0, RefitOutcome.DONE): 4, (1, RefitOutcome.FAILED): 6},
)
READING = Reading(
    EngineState.SERVING,
    {("Submit", "OK"): Distribution((0.001, 1.0), (0, 6, 6), 3.0)},
    9,
    ENGINE,
    [InputReading("tasks", 1, 8, 2, 30, 3)],
    [OutboxReading(0, {"results": 6}, 4, 1.5), OutboxReading(1, {"results": 3}, 0, 0.0)],
    directory=DirectoryReading(current=False, answers=True, pending={0: 8, 1: 0}),
)


@contextmanager
def loop_in_a_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def scrape(loop: asyncio.AbstractEventLoop, read: Read, patience_seconds: float = 60.0) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(EngineCollector(loop, read, patience_seconds=patience_seconds))
    return registry


async def read_all() -> Reading:
    return READING


def families(registry: CollectorRegistry) -> dict[str, str]:
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family.type
        for family in registry.collect()
    }


def test_every_metric_of_the_catalogue_is_told_with_its_type_and_labels() -> None:
    with loop_in_a_thread() as loop:
        registry = scrape(loop, read_all)
        assert families(registry) == {metric.name: metric.kind for metric in CATALOGUE}
        labels = {
            sample.name: set(sample.labels) - {"le"}
            for family in registry.collect()
            for sample in family.samples
        }
    for metric in CATALOGUE:
        name = f"{metric.name}_count" if metric.kind == "histogram" else metric.name
        assert labels[name] == set(metric.labels), metric.name


def test_the_numbers_are_those_that_were_read() -> None:
    with loop_in_a_thread() as loop:
        value = scrape(loop, read_all).get_sample_value
        assert value("crowdroute_scrape_complete") == 1
        assert value("crowdroute_engine_state", {"state": "serving"}) == 1
        assert value("crowdroute_engine_state", {"state": "failed"}) == 0
        refused = {"command": "SubmitAnswer", "outcome": "STALE_LEASE"}
        assert value("crowdroute_commands_total", {**refused, "shard": "1"}) == 1
        assert value("crowdroute_commands_total", {**refused, "shard": "0"}) is None
        assert value("crowdroute_batch_append_duration_seconds_bucket", {"shard": "0", "le": "0.01"}) == 4
        assert value("crowdroute_batch_append_duration_seconds_bucket", {"shard": "0", "le": "+Inf"}) == 5
        assert value("crowdroute_batch_append_duration_seconds_sum", {"shard": "0"}) == 0.25
        assert value("crowdroute_batch_entries_count", {"shard": "0"}) == 5
        assert value("crowdroute_batch_entries_count", {"shard": "1"}) == 1
        call = {"call": "Submit", "code": "OK"}
        assert value("crowdroute_call_duration_seconds_bucket", {**call, "le": "1"}) == 6
        assert value("crowdroute_call_duration_seconds_count", call) == 6
        assert [value("crowdroute_log_sequence", {"shard": shard}) for shard in "01"] == [12, 7]
        assert [value("crowdroute_snapshot_sequence", {"shard": shard}) for shard in "01"] == [10, 0]
        written = "crowdroute_snapshot_last_written_timestamp_seconds"
        assert [value(written, {"shard": shard}) for shard in "01"] == [4000, None]
        archive = {
            name: f"crowdroute_archive_{name}" for name in ("next_offset", "lag_records", "topic_records")
        }
        assert [value(name, {"shard": "0"}) for name in archive.values()] == [90, 10, 60]
        assert [value(name, {"shard": "1"}) for name in archive.values()] == [None] * 3
        assert value("crowdroute_archive_last_success_timestamp_seconds", {"shard": "0"}) == 5000
        assert value("crowdroute_archive_last_success_timestamp_seconds", {"shard": "1"}) is None
        assert [value("crowdroute_archive_written_bytes_total", {"shard": shard}) for shard in "01"] == [
            700,
            0,
        ]
        assert [value("crowdroute_archive_failures_total", {"shard": shard}) for shard in "01"] == [2, 3]
        assert value("crowdroute_snapshotter_restarts_total") == 2
        assert value("crowdroute_placement_generation") == 6
        refits = "crowdroute_scheduled_refits_total"
        assert value(refits, {"shard": "0", "outcome": "DONE"}) == 4
        assert value(refits, {"shard": "1", "outcome": "FAILED"}) == 6
        assert value("crowdroute_directory_current") == 0
        assert value("crowdroute_directory_answers") == 1
        assert [value("crowdroute_directory_pending_rows", {"shard": shard}) for shard in "01"] == [8, 0]
        assert value("crowdroute_waiting_seekers") == 3
        assert value("crowdroute_work_streams") == 9
        assert value("crowdroute_open_tasks", {"project": "prj_1"}) == 7
        assert value("crowdroute_live_leases", {"project": "prj_1"}) == 4
        place = {"topic": "tasks", "partition": "1"}
        assert value("crowdroute_feed_records_total", {**place, "outcome": "TAKEN"}) == 8
        assert value("crowdroute_feed_records_total", {**place, "outcome": "REFUSED"}) == 2
        assert value("crowdroute_feed_lag_records", place) == 30
        assert value("crowdroute_feed_waiting_projects", place) == 3
        assert value("crowdroute_outbox_records_total", {"topic": "results"}) == 9
        assert value("crowdroute_outbox_lag_batches", {"shard": "0"}) == 4
        assert value("crowdroute_outbox_age_seconds", {"shard": "0"}) == 1.5


def test_an_engine_that_reads_its_log_is_told_to_be_starting() -> None:
    async def read() -> Reading:
        return Reading(EngineState.STARTING, {}, 0, None)

    with loop_in_a_thread() as loop:
        registry = scrape(loop, read)
        assert registry.get_sample_value("crowdroute_engine_state", {"state": "starting"}) == 1
        assert registry.get_sample_value("crowdroute_scrape_complete") == 1
        assert "crowdroute_log_sequence" not in families(registry)


def test_the_engine_is_read_in_the_thread_of_its_loop() -> None:
    threads = []

    async def read() -> Reading:
        threads.append(threading.current_thread())
        return READING

    with loop_in_a_thread() as loop:
        list(scrape(loop, read).collect())
    assert threads
    assert threading.current_thread() not in threads


@pytest.mark.parametrize("end", ["late", "closed", "defect"])
def test_a_scrape_that_the_engine_does_not_answer_says_so(end: str) -> None:
    cancelled = threading.Event()

    async def read_late() -> Reading:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()
        return READING

    async def read_badly() -> Reading:
        raise KeyError("what somebody wrote")

    closed = asyncio.new_event_loop()
    closed.close()
    with loop_in_a_thread() as running:
        read = read_badly if end == "defect" else read_late
        with capture_logs() as lines:
            loop = closed if end == "closed" else running
            registry = scrape(loop, read, 60.0 if end == "defect" else 0.01)
            assert set(families(registry)) == {"crowdroute_build_info", "crowdroute_scrape_complete"}
            assert registry.get_sample_value("crowdroute_scrape_complete") == 0
        if end == "late":
            assert cancelled.wait(60)
    assert {line["event"] for line in lines} == ({"metrics could not be read"} if end == "defect" else set())
