"""One call is one trace, through every group that it passes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.groups import Pair, Running, pair
from tests.support.operations import RULES

from crowdroute.api.v1 import projects_pb2, results_pb2, tasks_pb2
from crowdroute.api.v1.operations_pb2_grpc import OperationsServiceStub
from crowdroute.router.adapters.open_telemetry import traced

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"
OPERATIONS = "crowdroute.api.v1.OperationsService"


class Watched(NamedTuple):
    """Two groups, two projects in the second shard's order, and where their spans go."""

    both: Pair
    projects: Sequence[str]
    exporter: InMemorySpanExporter

    def metadata(self, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.both.token}"), *more)

    def spans(self) -> dict[str, ReadableSpan]:
        """Give the spans that ended, by name; a name is there once only."""
        found = self.exporter.get_finished_spans()
        assert len({span.name for span in found}) == len(found), [span.name for span in found]
        return {span.name: span for span in found}


@pytest.fixture(params=[0.0])
async def watched(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    exporter = InMemorySpanExporter()
    with traced(request.param, SimpleSpanProcessor(exporter)) as tracer:
        async with pair(tmp_path, tracer) as both, both.home.client(both.token) as client:
            projects = []
            for name in ("one", "two"):
                wish = projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES)
                projects.append((await client.operations.CreateProject(wish)).id)
            exporter.clear()
            yield Watched(both, projects, exporter)


async def add_items(watched: Watched, running: Running, project: str, *more: tuple[str, str]) -> None:
    item = tasks_pb2.NewItem(external_id="one")
    item.content.add(id="text", text="look")
    async with grpc.aio.insecure_channel(running.address) as channel:
        await OperationsServiceStub(channel).AddItems(
            tasks_pb2.AddItemsRequest(project_id=project, items=[item]),
            metadata=watched.metadata(*more),
            timeout=10,
        )


def parent_of(span: ReadableSpan) -> int:
    assert span.parent is not None
    return span.parent.span_id


def id_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return span.context.span_id


async def test_a_call_and_its_commit_go_on_with_the_trace_of_the_caller(watched: Watched) -> None:
    await add_items(watched, watched.both.home, watched.projects[0], ("traceparent", SAMPLED))
    spans = watched.spans()
    call, commit = spans[f"{OPERATIONS}/AddItems"], spans["commit"]
    assert parent_of(call) == int(CALLER, 16)
    assert parent_of(commit) == id_of(call)
    assert {span.context.trace_id for span in spans.values() if span.context} == {int(TRACE, 16)}
    assert call.attributes is not None
    assert call.attributes["rpc.response.status_code"] == "OK"
    assert call.attributes["crowdroute.tenant"] == "default"
    assert call.attributes["crowdroute.request"]


async def test_a_forwarded_call_is_one_trace_through_both_groups(watched: Watched) -> None:
    await add_items(watched, watched.both.home, watched.projects[1], ("traceparent", SAMPLED))
    found = watched.exporter.get_finished_spans()
    assert {span.context.trace_id for span in found if span.context} == {int(TRACE, 16)}
    calls = {parent_of(span): span for span in found if span.name == f"{OPERATIONS}/AddItems"}
    (hop,) = (span for span in found if span.name == "forward")
    (commit,) = (span for span in found if span.name == "commit")
    reached = calls[int(CALLER, 16)]
    carried_out = calls[id_of(hop)]
    assert parent_of(hop) == id_of(reached)
    assert parent_of(commit) == id_of(carried_out)
    assert len(calls) == 2


async def test_a_stream_that_is_relayed_is_one_trace(watched: Watched) -> None:
    async with grpc.aio.insecure_channel(watched.both.home.address) as channel:
        request = results_pb2.ExportResultsRequest(project_id=watched.projects[1])
        metadata = watched.metadata(("traceparent", SAMPLED))
        async for _ in OperationsServiceStub(channel).ExportResults(request, metadata=metadata, timeout=10):
            pass
    found = watched.exporter.get_finished_spans()
    (hop,) = (span for span in found if span.name == "relay")
    parents = {parent_of(span) for span in found if span.name == f"{OPERATIONS}/ExportResults"}
    assert parents == {int(CALLER, 16), id_of(hop)}


async def test_what_crosses_to_another_group_belongs_to_the_call_that_made_it_cross(
    watched: Watched,
) -> None:
    async with grpc.aio.insecure_channel(watched.both.home.address) as channel:
        for name in ("three", "four"):  # in one shard each
            await OperationsServiceStub(channel).CreateProject(
                projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES),
                metadata=watched.metadata(("traceparent", SAMPLED)),
                timeout=10,
            )
    found = watched.exporter.get_finished_spans()
    carries = [span for span in found if span.name == "carry"]
    there = [span for span in found if span.name == "crowdroute.peer.v1.PeerService/Carry"]
    assert carries
    assert {parent_of(span) for span in there} <= {id_of(span) for span in carries}
    assert there


async def test_a_refusal_is_seen_in_the_span(watched: Watched) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await add_items(watched, watched.both.home, "prj_" + "0" * 32, ("traceparent", SAMPLED))
    call = watched.spans()[f"{OPERATIONS}/AddItems"]
    assert not call.status.is_ok
    assert call.status.description == "NOT_FOUND"


async def test_what_the_caller_does_not_keep_is_not_kept_here(watched: Watched) -> None:
    await add_items(watched, watched.both.home, watched.projects[1], ("traceparent", UNSAMPLED))
    await add_items(watched, watched.both.away, watched.projects[1])
    assert not watched.exporter.get_finished_spans()


@pytest.mark.parametrize("watched", [1.0], indirect=True)
async def test_a_call_without_a_trace_begins_one_when_it_is_sampled(watched: Watched) -> None:
    await add_items(watched, watched.both.away, watched.projects[1])
    call = watched.spans()[f"{OPERATIONS}/AddItems"]
    assert call.parent is None
