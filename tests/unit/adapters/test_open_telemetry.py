"""Spans reach OpenTelemetry as they are told."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from crowdroute.router.adapters.open_telemetry import MOST_STEPS, traced
from crowdroute.router.errors import ConfigurationError

FIRST = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECOND = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"


def test_without_the_extra_the_setting_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(ConfigurationError, match=r"crowdroute\[tracing\]"), traced(1.0):
        pass


def test_work_brought_about_by_several_goes_on_with_the_first_and_points_at_the_others() -> None:
    exporter = InMemorySpanExporter()
    with traced(0.0, SimpleSpanProcessor(exporter)) as tracer:
        work = tracer.begin("consumer", "process", [FIRST, SECOND], {})
        assert work is not None
        work.end("OK", {})
    (span,) = exporter.get_finished_spans()
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == FIRST.split("-")[1]
    assert [f"{link.context.span_id:016x}" for link in span.links] == [SECOND.split("-")[2]]


@pytest.mark.parametrize("wrong", ["", "nonsense", FIRST[:-4], "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_what_is_no_traceparent_begins_a_trace_of_its_own(wrong: str) -> None:
    exporter = InMemorySpanExporter()
    with traced(1.0, SimpleSpanProcessor(exporter)) as tracer:
        work = tracer.begin("server", "call", [wrong], {})
        assert work is not None
        work.end("OK", {})
    (span,) = exporter.get_finished_spans()
    assert span.parent is None


def test_what_is_not_sampled_has_no_span() -> None:
    with traced(0.0, SimpleSpanProcessor(InMemorySpanExporter())) as tracer:
        assert tracer.begin("server", "call", [], {}) is None


def test_work_that_lasts_all_day_tells_of_its_first_steps_and_counts_the_others() -> None:
    exporter = InMemorySpanExporter()
    with traced(1.0, SimpleSpanProcessor(exporter)) as tracer:
        work = tracer.begin("server", "stream", [], {})
        assert work is not None
        for number in range(MOST_STEPS + 7):
            work.step("commit", number, number + 1, {})
        work.end("OK", {})
        work.step("commit", 1, 2, {})  # of a task that outlived the call
    *steps, stream = exporter.get_finished_spans()
    assert len(steps) == MOST_STEPS
    assert (steps[3].start_time, steps[3].end_time) == (3, 4)
    assert stream.attributes is not None
    assert stream.attributes["crowdroute.steps_left_out"] == 7


@pytest.mark.parametrize(("said", "named"), [(None, "crowdroute"), ("labels-eu", "labels-eu")])
def test_the_environment_may_name_the_service(
    monkeypatch: pytest.MonkeyPatch, said: str | None, named: str
) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    if said is not None:
        monkeypatch.setenv("OTEL_SERVICE_NAME", said)
    exporter = InMemorySpanExporter()
    with traced(1.0, SimpleSpanProcessor(exporter)) as tracer:
        work = tracer.begin("server", "call", [], {})
        assert work is not None
        work.end("OK", {})
    (span,) = exporter.get_finished_spans()
    assert span.resource.attributes["service.name"] == named
    assert span.resource.attributes["service.instance.id"]
