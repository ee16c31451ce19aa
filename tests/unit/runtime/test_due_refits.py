"""A refit that is due is carried out by whoever serves its shard, until it is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.support.refits import FAILED, FailingJobs, HeldJobs, InlineJobs
from tests.support.shards import Street, add_task, add_worker, create, found
from tests.support.wire import make_rules

from crowdroute.router.commands.project import ApplyRules, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Offered
from crowdroute.router.errors import WrongState
from crowdroute.router.events import Entry
from crowdroute.router.events.project import ModelInstalled, RefitFellDue
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import SHORTEST_REFIT_US, RefitPlan
from crowdroute.router.runtime import due_refits
from crowdroute.router.runtime.due_refits import refit_when_due
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.state.project import Project

FIRST, SECOND, THIRD, FOURTH, WORKER = (bytes([number]) * 16 for number in (1, 2, 3, 4, 9))
PATIENCE_S = 10.0
SCHEDULE = RefitPlan(SHORTEST_REFIT_US, 1)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0)


class Town:
    """A street of two shards whose second holds a project with one answer and a schedule."""

    def __init__(self) -> None:
        self.street = Street()
        self.stream = ""
        self.entries: list[Entry] = []

    async def begin(self, group: ShardGroup) -> None:
        """Have the project answered once."""
        group.subscribe(lambda _shard, _sequence, entries: self.entries.extend(entries))
        await found(group)
        await create(group, FIRST, "one")
        await add_worker(group, WORKER)
        self.stream = await self.open_project(group, SECOND, "two")

    async def open_project(self, group: ShardGroup, project: Id, name: str) -> str:
        """Have a project with a schedule and one answer; give the name of its stream."""
        stream = await create(group, project, name)
        await group.submit(group.request(stream, ApplyRules(make_rules(2, refit=SCHEDULE))))
        await add_task(group, stream)
        await self.answer(group, stream)
        return stream

    async def answer(self, group: ShardGroup, stream: str = "") -> None:
        """Have the worker answer whatever there is."""
        stream = stream or self.stream
        offered = await group.submit(group.request(stream, RequestNext(WORKER)))
        assert isinstance(offered, Offered)
        for lease in offered.leases:
            answer = SubmitAnswer(WORKER, lease.assignment, lease.fence, (Choice(0, 0),))
            await group.submit(group.request(stream, answer))

    async def call_off(self, group: ShardGroup) -> None:
        """Have rules without a schedule."""
        rules = make_rules(3, refit=replace(SCHEDULE, every_us=0))
        await group.submit(group.request(self.stream, ApplyRules(rules)))

    def pass_time(self, group: ShardGroup) -> None:
        """Let so much pass that a refit is due."""
        self.street.clock.advance(SHORTEST_REFIT_US)
        group.engines[1].loop.wake()

    def project(self, group: ShardGroup) -> Project:
        """Give the project's state."""
        return group.engines[1].shard.project_state(self.stream)

    def happened(self, kind: type[RefitFellDue | ModelInstalled]) -> list[int]:
        """Give the versions of what happened, as it became durable."""
        events = (event for entry in self.entries for event in entry.events)
        return [event.version for event in events if isinstance(event, kind)]


@pytest.fixture
async def town() -> Town:
    """A town that has begun."""
    town = Town()
    async with town.street.group() as group:
        await town.begin(group)
    return town


async def test_a_refit_that_falls_due_is_carried_out_once(town: Town) -> None:
    async with town.street.group() as group:
        group.subscribe(lambda _shard, _sequence, entries: town.entries.extend(entries))
        group.accompany(refit_when_due(InlineJobs()))

        town.pass_time(group)
        await until(lambda: town.happened(ModelInstalled))
        town.pass_time(group)
        await group.observe()

        assert town.happened(RefitFellDue) == town.happened(ModelInstalled) == [1]
        assert town.project(group).refits.due == 0


async def test_the_next_one_is_carried_out_as_well(town: Town) -> None:
    async with town.street.group() as group:
        group.subscribe(lambda _shard, _sequence, entries: town.entries.extend(entries))
        group.accompany(refit_when_due(InlineJobs()))
        town.pass_time(group)
        await until(lambda: town.happened(ModelInstalled))

        await add_task(group, town.stream)
        await town.answer(group)
        town.pass_time(group)

        await until(lambda: town.happened(ModelInstalled) == [1, 2])


async def test_a_refit_that_was_under_way_is_begun_again_by_who_serves_the_shard_next(town: Town) -> None:
    stuck = HeldJobs()
    async with town.street.group() as group:
        group.accompany(refit_when_due(stuck))
        town.pass_time(group)
        await until(lambda: stuck.begun)
        await group.release(1, ShardMap(2, 2))

        assert stuck.begun[0].cancelled.is_set()

        await group.take(1, ShardMap(2, 3))
        await until(lambda: len(stuck.begun) == 2)

    async with town.street.group() as group:
        group.accompany(refit_when_due(InlineJobs()))
        await until(lambda: town.project(group).models.installed.version == 1)


DEFECT = KeyError("a defect of ours")


@pytest.mark.parametrize("jobs", [FailingJobs(1), FailingJobs(3), FailingJobs(2, DEFECT)])
async def test_a_refit_whose_job_fails_is_tried_again(
    town: Town, jobs: FailingJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_refits, "FIRST_WAIT_S", 0.0)
    async with town.street.group() as group:
        group.accompany(refit_when_due(jobs))

        town.pass_time(group)

        await until(lambda: town.project(group).models.installed.version == 1)
        assert jobs.left == 0


async def test_a_defect_is_logged_and_keeps_no_other_project_from_its_refit(town: Town) -> None:
    async with town.street.group() as group:
        await create(group, THIRD, "three")
        other = await town.open_project(group, FOURTH, "four")
        town.pass_time(group)
        shard = group.engines[1].shard
        both = [shard.project_state(stream) for stream in (town.stream, other)]
        await until(lambda: all(state.refits.due for state in both))

        with capture_logs() as lines:
            group.accompany(refit_when_due(FailingJobs(1, DEFECT)))
            await until(lambda: any(state.models.installed.version for state in both))

    told = [line for line in lines if line["event"] == "a refit that is due came to nothing"]
    assert [line["exc_info"] for line in told] == [DEFECT]


@pytest.mark.parametrize(
    ("error", "outcome"), [(WrongState("it is stale"), "STALE"), (FAILED, "FAILED"), (DEFECT, "FAILED")]
)
async def test_each_try_is_counted_by_how_it_ended(
    town: Town, error: Exception, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_refits, "FIRST_WAIT_S", 0.0)
    async with town.street.group() as group:
        outcomes = group.engines[1].scheduled_refits
        none = {"DONE": 0, "STALE": 0, "FAILED": 0}
        assert outcomes == none
        group.accompany(refit_when_due(FailingJobs(2, error)))

        town.pass_time(group)

        await until(lambda: outcomes["DONE"])
        assert outcomes == none | {outcome: 2, "DONE": 1}
        assert group.engines[0].scheduled_refits == none


async def test_who_waits_to_try_again_stops_at_once(town: Town) -> None:
    jobs = FailingJobs(1000)
    async with town.street.group() as group:
        group.accompany(refit_when_due(jobs))
        town.pass_time(group)
        await until(lambda: jobs.left < 1000)

    assert jobs.left == 999


async def test_a_refit_that_rules_called_off_is_not_begun(town: Town) -> None:
    async with town.street.group() as group:
        town.pass_time(group)
        await until(lambda: town.project(group).refits.due)
        await town.call_off(group)
        jobs = HeldJobs()
        group.accompany(refit_when_due(jobs))
        await group.observe()

        assert jobs.begun == []


async def test_a_refit_that_rules_called_off_while_it_ran_changes_nothing(town: Town) -> None:
    jobs = HeldJobs()
    async with town.street.group() as group:
        group.subscribe(lambda _shard, _sequence, entries: town.entries.extend(entries))
        group.accompany(refit_when_due(jobs))
        town.pass_time(group)
        await until(lambda: jobs.begun)
        await town.call_off(group)
        jobs.begun[0].end()

        # The next one that is due, under rules that want some again, is the first that is in force.
        await group.submit(group.request(town.stream, ApplyRules(make_rules(4, refit=SCHEDULE))))
        await add_task(group, town.stream)
        await town.answer(group)
        town.pass_time(group)
        await until(lambda: len(jobs.begun) == 2)
        jobs.begun[1].end()
        await until(lambda: town.happened(ModelInstalled))

        assert town.happened(RefitFellDue) == [1, 1]
        assert town.happened(ModelInstalled) == [1]
