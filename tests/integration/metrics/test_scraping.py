"""Metrics of an engine in this process, scraped over HTTP while it starts, works and fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.wire import Client, Wire, answer, held, serving

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.api.v1 import work_pb2
from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.errors import AppendFailed
from crowdroute.router.feeds.standing import FeedStanding
from crowdroute.router.metrics.endpoint import metrics_served
from crowdroute.router.metrics.reading import Served
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.rules import GoldPlan, Overlap
from crowdroute.router.model.states import Purpose
from crowdroute.router.ports import Kept, KeyspaceOwner
from crowdroute.router.rpc.server import Server
from crowdroute.router.rpc.sharing import shared
from crowdroute.router.runtime.settings import Settings

PATIENCE = 20.0

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scraper:
    """A Prometheus."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"

    async def scrape(self) -> Series:
        """Give every sample by its name and labels."""
        text = await asyncio.to_thread(self._fetch)
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def value(self, name: str, **labels: str) -> float | None:
        """Give one sample; None when it is not told."""
        return (await self.scrape()).get((name, frozenset(labels.items())))

    def _fetch(self) -> str:
        with urlopen(self._url, timeout=60) as answered:
            body: bytes = answered.read()
        return body.decode()


@asynccontextmanager
async def scraping(served: Served) -> AsyncIterator[Scraper]:
    async with metrics_served("127.0.0.1:0", served, FeedStanding()) as port:
        yield Scraper(port)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """A served engine with one tenant."""
    async with serving() as served:
        yield served


async def test_an_engine_that_starts_answers_and_counts_who_was_sent_away() -> None:
    server = Server(Settings(address="127.0.0.1:0", grace_seconds=0))
    await server.start()
    try:
        async with scraping(server) as scraper:
            wire = Wire(None, server, None, None)  # type: ignore[arg-type]  # there is no engine yet
            await Client(wire.channel, "crd").refusal("Next", wire_types.NextRequest(project_id="prj_1"))
            await wire.channel.close()
            assert await scraper.value("crowdroute_engine_state", state="starting") == 1
            sent_away = await scraper.value(
                "crowdroute_call_duration_seconds_count", call="Next", code="UNAVAILABLE"
            )
            assert sent_away == 1
            assert await scraper.value("crowdroute_log_sequence", shard="0") is None
    finally:
        await server.stop()


async def test_an_engine_that_failed_answers_and_says_so(wire: Wire) -> None:
    async with scraping(wire.server) as scraper:
        wire.engine.log.fail()  # type: ignore[attr-defined]  # a log in memory
        with pytest.raises(AppendFailed):
            await wire.project()
        assert await scraper.value("crowdroute_engine_state", state="failed") == 1
        done = {"shard": "0", "command": "CreateProject", "outcome": "DONE"}
        lost = await scraper.value("crowdroute_commands_total", **done)
        assert lost == 1
        with pytest.raises(AppendFailed):
            await wire.worker()
        refused = {"shard": "0", "command": "UpsertWorker", "outcome": "APPEND_FAILED"}
        assert await scraper.value("crowdroute_commands_total", **refused) == 1


async def test_what_is_told_follows_the_work(wire: Wire) -> None:
    async with scraping(wire.server) as scraper:
        project = await wire.project(overlap=Overlap(1, 1))
        await wire.tasks(project, 2)
        ann = await wire.annotator()
        assert await scraper.value("crowdroute_open_tasks", project=project) == 2
        offers = (await ann.call("Next", wire_types.NextRequest(project_id=project, count=2))).offers
        assert await scraper.value("crowdroute_live_leases", project=project) == 2
        await ann.call("Submit", wire_types.SubmitRequest(**held(offers[0]), answers=answer()))
        assert await scraper.value("crowdroute_open_tasks", project=project) == 1
        assert await scraper.value("crowdroute_live_leases", project=project) == 1
        await ann.refusal("Submit", wire_types.SubmitRequest(**held(offers[1])))

        told = await scraper.scrape()
        calls = {
            (dict(labels)["call"], dict(labels)["code"]): count
            for (name, labels), count in told.items()
            if name == "crowdroute_call_duration_seconds_count"
        }
        assert calls == {("Next", "OK"): 1, ("Submit", "OK"): 1, ("Submit", "INVALID_ARGUMENT"): 1}
        assert (
            told["crowdroute_log_sequence", frozenset({("shard", "0")})] == wire.engine.loop.commits.sequence
        )


async def test_who_waits_and_who_is_connected_is_told(wire: Wire) -> None:
    async with scraping(wire.server) as scraper:
        project = await wire.project()
        stream = (await wire.annotator()).work()
        await stream.send(hello=work_pb2.Hello(project_id=project, credits=1))
        await stream.until(lambda: stream.idle)
        assert await scraper.value("crowdroute_work_streams") == 1
        assert await scraper.value("crowdroute_waiting_seekers") == 1
        await stream.stream.done_writing()
        while await stream.hear():
            pass
        assert await scraper.value("crowdroute_work_streams") == 0
        assert await scraper.value("crowdroute_waiting_seekers") == 0


@pytest.mark.parametrize("label", ["yes", "no"])
async def test_gold_and_other_work_leave_the_same_series_and_the_same_counts(label: str) -> None:
    told = []
    for purpose in (Purpose.GOLD, Purpose.PRODUCTION):
        async with serving() as wire, scraping(wire.server) as scraper:
            project = await wire.project(gold=GoldPlan(share=0.5, first=1), overlap=Overlap(2, 3))
            (gold,) = await wire.tasks(project, 1, purpose=Purpose.GOLD, gold=(Choice(0, 0),))
            await wire.tasks(project, 8)
            ann = await wire.annotator()
            offers = (await ann.call("Next", wire_types.NextRequest(project_id=project, count=5))).offers
            offer, *_ = [each for each in offers if is_of(wire, each, gold) == (purpose == Purpose.GOLD)]
            await ann.call("Submit", wire_types.SubmitRequest(**held(offer), answers=answer(label)))
            told.append(
                {
                    (name, labels): value
                    for (name, labels), value in (await scraper.scrape()).items()
                    # But for how fast this machine was.
                    if name.startswith("crowdroute_")
                    and not name.endswith(("_seconds_sum", "_seconds_bucket"))
                }
            )
    assert told[0] == told[1]
    assert told[0]["crowdroute_live_leases", frozenset({("project", project)})] == 4


def is_of(wire: Wire, offer: wire_types.Offer, task: bytes) -> bool:
    """Say whether an offer is for a task, which only the engine knows."""
    ((_, state),) = wire.engine.projects()
    row = state.assignments.find(bytes.fromhex(offer.assignment_id.removeprefix("asg_")))
    return state.tasks.id_of(state.assignments.task[row]) == task


async def test_a_directory_that_does_not_answer_is_told(wire: Wire) -> None:
    class Remote(MemoryDirectory):
        has_others = True
        gone = False

        async def put(self, keyspace: str, owner: KeyspaceOwner, changes: Mapping[str, bytes | None]) -> Kept:
            return Kept.UNREACHABLE if self.gone else await super().put(keyspace, owner, changes)

        @property
        def answers(self) -> bool:  # type: ignore[override]  # this one does not always
            return not self.gone

    directory, group = Remote(), wire.server.gate.group
    assert group is not None
    async with scraping(wire.server) as scraper:
        assert await scraper.value("crowdroute_directory_current") is None
        async with shared(directory, wire.server, group, "127.0.0.1:1"):
            assert await scraper.value("crowdroute_directory_current") == 1
            assert await scraper.value("crowdroute_directory_answers") == 1
            assert await scraper.value("crowdroute_directory_pending_rows", shard="0") == 0
            directory.gone = True
            await wire.worker()
            async with asyncio.timeout(PATIENCE):
                while await scraper.value("crowdroute_directory_current") == 1:
                    await asyncio.sleep(0.05)
            assert await scraper.value("crowdroute_directory_current") == 0
            assert await scraper.value("crowdroute_directory_answers") == 0
            assert await scraper.value("crowdroute_directory_pending_rows", shard="0") == 1
