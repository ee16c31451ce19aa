"""What is traced of records that are taken in."""

from __future__ import annotations

import json
from collections.abc import Sequence

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.open_telemetry import traced
from crowdroute.router.feeds.intake import Run, runs_of
from crowdroute.router.feeds.spans import run_span

FIRST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECOND = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"


def run(traceparents: Sequence[str]) -> Run:
    """Give records with these traces, the second of them unsound."""
    records = []
    for offset, traceparent in enumerate(traceparents):
        told = {"project": "cats", "external_id": f"e{offset}", "content": {"text": "a cat"}}
        body = b"{" if offset == 1 else json.dumps(told).encode()
        records.append(Found(offset, None, body, traceparent))
    (only,) = runs_of(records)
    return only


def test_a_run_goes_on_with_the_trace_of_its_first_record_that_has_one() -> None:
    exporter = InMemorySpanExporter()
    with traced(0.0, SimpleSpanProcessor(exporter)) as tracer:
        span = run_span(tracer, "tasks", 3, run(["", FIRST, SECOND]))
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


def test_nobody_is_told_when_nothing_is_traced() -> None:
    assert run_span(None, "tasks", 0, run([FIRST])) is None
