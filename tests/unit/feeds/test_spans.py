"""What is traced of records that are taken in."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.open_telemetry import traced
from crowdroute.router.feeds.spans import run_span

FIRST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECOND = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"


def records(traceparents: Sequence[str]) -> list[Found]:
    """Give records with these traces."""
    return [Found(offset, None, b"", traceparent) for offset, traceparent in enumerate(traceparents)]


def test_records_in_a_row_go_on_with_the_trace_of_the_first_that_has_one() -> None:
    exporter = InMemorySpanExporter()
    with traced(0.0, SimpleSpanProcessor(exporter)) as tracer:
        span = run_span(tracer, "tasks", 3, records(["", FIRST, SECOND]), 1)
        assert span is not None
        span.end("OK", {})
    (told,) = exporter.get_finished_spans()
    assert told.parent is not None
    assert f"{told.parent.span_id:016x}" == FIRST.split("-")[2]
    assert [f"{link.context.span_id:016x}" for link in told.links] == [SECOND.split("-")[2]]
    assert told.attributes is not None
    assert told.attributes["messaging.batch.message_count"] == 3
    assert told.attributes["crowdroute.records_refused"] == 1
    assert told.attributes["messaging.destination.partition.id"] == "3"


def test_nobody_is_told_when_nothing_is_traced_or_nothing_was_read() -> None:
    assert run_span(None, "tasks", 0, records([FIRST]), 0) is None
    with traced(1.0, SimpleSpanProcessor(InMemorySpanExporter())) as tracer:
        assert run_span(tracer, "tasks", 0, [], 0) is None
