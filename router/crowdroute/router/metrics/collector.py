"""A scrape as Prometheus' client library asks for it, from its own thread."""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import structlog
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from crowdroute.router.adapters.archive_standing import ArchiveStanding
from crowdroute.router.metrics import catalogue
from crowdroute.router.metrics.catalogue import Metric
from crowdroute.router.metrics.reading import Distribution, EngineReading, Reading
from crowdroute.router.runtime.engine import EngineState

PATIENCE_SECONDS = 5.0
"""How long the engine's loop may take to answer: half of what Prometheus waits for a scrape."""

Read = Callable[[], Coroutine[Any, Any, Reading]]

Value = TypeVar("Value", int, float, Distribution)

_log = structlog.get_logger("crowdroute.metrics")


class EngineCollector(Collector):
    """Reads the engine whenever it is asked, and tells what can be told when the engine does not answer."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, read: Read, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Read nothing yet.

        Args:
            loop: the engine's.
            read: reads everything; run in that loop.
            patience_seconds: how long the loop may take.
        """
        self._loop = loop
        self._read = read
        self._patience = patience_seconds

    def collect(self) -> Iterator[Family]:
        """Yield every metric of ours; call it in any thread but the engine's."""
        reading = self._ask()
        yield _gauge(catalogue.BUILD_INFO, [((_version(), platform.python_version()), 1)])
        yield _gauge(catalogue.SCRAPE_COMPLETE, [((), reading is not None)])
        if reading is None:
            return
        yield _gauge(
            catalogue.ENGINE_STATE, [((state.value,), state == reading.state) for state in EngineState]
        )
        yield _histogram(catalogue.CALL_SECONDS, reading.calls.items())
        yield _gauge(catalogue.WORK_STREAMS, [((), reading.work_streams)])
        if reading.engine is not None:
            yield from _engine(reading.engine)
            yield from _archives(reading.engine.archives)
        if reading.directory is not None:
            yield _gauge(catalogue.DIRECTORY_CURRENT, [((), reading.directory.current)])
            yield _gauge(catalogue.DIRECTORY_ANSWERS, [((), reading.directory.answers)])
            yield _gauge(catalogue.DIRECTORY_PENDING, _by_shard(reading.directory.pending))
        yield from _feeds(reading)

    def _ask(self) -> Reading | None:
        """Give what the loop reads; None when it does not in time."""
        reading = self._read()
        try:
            future = asyncio.run_coroutine_threadsafe(reading, self._loop)
        except RuntimeError:  # the loop is closed: the process is about to end
            reading.close()
            return None
        try:
            return future.result(self._patience)
        except (TimeoutError, CancelledError):
            future.cancel()
        except Exception as error:
            _log.error("metrics could not be read", exc_info=error)
        return None


def _engine(reading: EngineReading) -> Iterator[Family]:
    ended = [
        ((str(shard), command, outcome), count)
        for (shard, command, outcome), count in reading.outcomes.items()
    ]
    yield _counter(catalogue.COMMANDS, ended)
    yield _histogram(catalogue.APPEND_SECONDS, _by_shard(reading.append_seconds))
    yield _histogram(catalogue.BATCH_ENTRIES, _by_shard(reading.batch_entries))
    yield _gauge(catalogue.LOG_SEQUENCE, _by_shard(reading.sequences))
    yield _gauge(catalogue.SNAPSHOT_SEQUENCE, _by_shard(reading.snapshot_sequences))
    yield _gauge(catalogue.SNAPSHOT_WRITTEN, _by_shard(reading.snapshot_times))
    yield _counter(catalogue.SNAPSHOTTER_RESTARTS, [((), reading.snapshotter_restarts)])
    yield _gauge(catalogue.WAITING_SEEKERS, [((), reading.waiting)])
    yield _gauge(catalogue.OPEN_TASKS, [((each.project,), each.open_tasks) for each in reading.projects])
    yield _gauge(catalogue.LIVE_LEASES, [((each.project,), each.live_leases) for each in reading.projects])
    yield _gauge(catalogue.PLACEMENT_GENERATION, [((), reading.generation)])
    refits = [
        ((str(shard), outcome.value), count) for (shard, outcome), count in reading.scheduled_refits.items()
    ]
    yield _counter(catalogue.SCHEDULED_REFITS, refits)


def _archives(archives: Mapping[int, ArchiveStanding]) -> Iterator[Family]:
    """Yield nothing of archives that there are none of, and no place in them before one was looked at."""
    if not archives:
        return
    seen = {shard: each for shard, each in archives.items() if each.succeeded_at is not None}
    yield _gauge(catalogue.ARCHIVE_OFFSET, _by_shard({shard: each.archived for shard, each in seen.items()}))
    yield _gauge(catalogue.ARCHIVE_LAG, _by_shard({shard: each.lag for shard, each in seen.items()}))
    yield _gauge(
        catalogue.ARCHIVE_TOPIC, _by_shard({shard: each.end - each.first for shard, each in seen.items()})
    )
    times = {shard: each.succeeded_at for shard, each in seen.items() if each.succeeded_at is not None}
    yield _gauge(catalogue.ARCHIVE_SUCCESS, _by_shard(times))
    written = {shard: each.written_bytes for shard, each in archives.items()}
    yield _counter(catalogue.ARCHIVE_BYTES, _by_shard(written))
    yield _counter(
        catalogue.ARCHIVE_FAILURES, _by_shard({shard: each.failures for shard, each in archives.items()})
    )


def _by_shard(values: Mapping[int, Value]) -> list[tuple[Sequence[str], Value]]:
    return [((str(shard),), value) for shard, value in sorted(values.items())]


def _feeds(reading: Reading) -> Iterator[Family]:
    """Yield nothing of feeds that there are none of."""
    if reading.inputs:
        ended = [
            ((each.topic, str(each.partition), outcome), count)
            for each in reading.inputs
            for outcome, count in (("TAKEN", each.taken), ("REFUSED", each.refused))
        ]
        yield _counter(catalogue.FEED_RECORDS, ended)
        yield _gauge(
            catalogue.FEED_LAG, [((each.topic, str(each.partition)), each.lag) for each in reading.inputs]
        )
        waiting = [((each.topic, str(each.partition)), each.waiting) for each in reading.inputs]
        yield _gauge(catalogue.FEED_WAITING, waiting)
    if reading.outboxes:
        put: Counter[str] = Counter()
        for each in reading.outboxes:
            put.update(each.put)
        yield _counter(catalogue.OUTBOX_RECORDS, [((topic,), count) for topic, count in put.items()])
        yield _gauge(catalogue.OUTBOX_LAG, [((str(each.shard),), each.lag) for each in reading.outboxes])
        yield _gauge(
            catalogue.OUTBOX_AGE, [((str(each.shard),), each.age_seconds) for each in reading.outboxes]
        )


def _gauge(metric: Metric, values: Iterable[tuple[Sequence[str], float]]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _counter(metric: Metric, values: Iterable[tuple[Sequence[str], float]]) -> Family:
    family = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, values: Iterable[tuple[Sequence[str], Distribution]]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, (bounds, cumulative, total) in values:
        ends = (*(f"{bound:g}" for bound in bounds), "+Inf")
        family.add_metric(labels, list(zip(ends, cumulative, strict=True)), total)
    return family


def _version() -> str:
    try:
        return version("crowdroute")
    except PackageNotFoundError:
        return "unknown"
