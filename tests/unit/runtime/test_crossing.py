"""What crosses between streams of different shards."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest
from tests.support.shards import (
    FIRST,
    ORGANISATION,
    SECOND,
    Street,
    add_task,
    add_worker,
    create,
    found,
    found_with_two,
)
from tests.support.wire import TENANT, make_rules

from crowdroute.router.commands.organisation import ChangeWorkerStatus, ErasePerson
from crowdroute.router.commands.project import CreateProject, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Offered
from crowdroute.router.errors import AlreadyExists, KeyReused, NotEligible, RouterError
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model import content
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import AssignmentState, WorkerStatus
from crowdroute.router.runtime import crossing
from crowdroute.router.runtime.copies import copied
from crowdroute.router.runtime.engine import EngineState
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.workers.status import StatusReason

MANAGER = "tok_manager"
WORKER = bytes([9]) * 16


async def found_for_a_worker(group: ShardGroup) -> str:
    """Begin a project apart from its organisation, with a task and somebody to do it; give its stream."""
    _, stream = await found_with_two(group)
    await add_task(group, stream)
    await add_worker(group, WORKER)
    return stream


async def answered(group: ShardGroup, stream: str) -> None:
    """Have the worker take the task and answer it."""
    (lease,) = (await offered(group, stream)).leases
    answer = SubmitAnswer(WORKER, lease.assignment, lease.fence, (Choice(0, 0),))
    await group.submit(group.request(stream, answer))


async def offered(group: ShardGroup, stream: str, worker: Id = WORKER) -> Offered:
    engine = group.where.engine(stream)
    reply = await engine.submit(engine.request(stream, RequestNext(worker)))
    assert isinstance(reply, Offered)
    return reply


async def test_what_a_project_began_with_lies_with_it_and_nowhere_else() -> None:
    street = Street()
    async with street.group() as group:
        await found_with_two(group)

    key = content.rules(SECOND, 1)
    assert street.disks[1].contents == {key: b"two"}
    assert key not in street.disks[0].contents


async def test_a_name_is_unique_over_all_shards() -> None:
    street = Street()
    async with street.group() as group:
        await found_with_two(group)
        with pytest.raises(AlreadyExists):
            await create(group, bytes([3]) * 16, "two")
        assert len(list(group.where.projects())) == 2


async def test_creating_under_the_same_key_again_gives_the_same_project() -> None:
    street = Street()
    async with street.group() as group:
        await found(group)
        await create(group, FIRST, "one", key="a")
        await create(group, SECOND, "two", key="b")
        batches = [len(disk.batches) for disk in street.disks]

        await create(group, SECOND, "two", key="b")

        assert [len(disk.batches) for disk in street.disks] == batches
        other = group.request(
            project_stream(TENANT, SECOND),
            CreateProject(SECOND, "two", make_rules()),
            key="b",
            digest=b"another request!",
        )
        with pytest.raises(KeyReused):
            await group.submit(other)


@pytest.mark.parametrize("fail_at", range(1, 5))
async def test_a_project_in_another_shard_exists_in_both_or_none_whichever_append_fails(fail_at: int) -> None:
    street = Street()
    async with street.group() as group:
        await found(group)
        await create(group, FIRST, "one")
    street.appends, street.fail_at = 0, fail_at
    async with street.group() as group:
        try:
            await create(group, SECOND, "two", key="k")
            told = True
        except RouterError:
            told = False
    street.fail_at = 0

    async with street.group() as group:
        await group.crossing.look()
        registered = SECOND in group.where.organisation(TENANT).projects
        begun = group.engines[1].shard.has(project_stream(TENANT, SECOND))
        assert registered == begun == (fail_at > 1)
        assert not group.where.organisation(TENANT).awaited
        assert registered or not told

        await create(group, SECOND, "two", key="k")

        assert [row.name for row in group.where.organisation(TENANT).list_projects()] == ["one", "two"]
        assert street.disks[1].contents == {content.rules(SECOND, 1): b"two"}


async def test_a_worker_is_known_in_another_shard_from_the_first_request_on() -> None:
    street = Street()
    async with street.group() as group:
        stream = await found_for_a_worker(group)

        assert len((await offered(group, stream)).leases) == 1


async def test_a_fact_that_is_not_durable_yet_does_not_cross() -> None:
    street = Street()
    async with street.group() as group:
        stream = await found_for_a_worker(group)
        engine = group.engines[0]
        ban = ChangeWorkerStatus(WORKER, WorkerStatus.BANNED, StatusReason.MISCONDUCT.value)
        engine.decide(engine.request(ORGANISATION, ban, principal=MANAGER))

        other = group.where.engine(stream)
        reply = other.decide(other.request(stream, RequestNext(WORKER)))

        assert isinstance(reply, Offered)
        assert reply.leases
        await group.observe()
        state = group.where.project(TENANT, SECOND)
        assert state.workers.live[state.workers.find(WORKER)] == 0, (
            "the ban takes the lease once it is durable"
        )


async def test_an_erasure_crosses_to_projects_elsewhere() -> None:
    street = Street()
    async with street.group() as group:
        stream = await found_for_a_worker(group)
        await offered(group, stream)
        person = group.where.organisation(TENANT).workers[WORKER].facts.person

        await group.submit(group.request(ORGANISATION, ErasePerson(person, "asked to")))
        await group.observe()

        state = group.where.project(TENANT, SECOND)
        assert state.persons.find(person) in state.severed


async def test_whoever_is_erased_is_given_nothing_elsewhere_though_nobody_told_the_project_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    street = Street()
    async with street.group() as group:
        stream = await found_for_a_worker(group)
        (lease,) = (await offered(group, stream)).leases
        person = group.where.organisation(TENANT).workers[WORKER].facts.person
        monkeypatch.setattr(group.crossing, "tell", lambda copy, entry: None)
        await group.submit(group.request(ORGANISATION, ErasePerson(person, "asked to")))

        with pytest.raises(NotEligible, match="erased"):
            await offered(group, stream)

        await group.observe()
        state = group.where.project(TENANT, SECOND)
        assert state.workers.live[state.workers.find(WORKER)] == 0, "the erasure takes the lease, too"
        assert state.assignments.state[state.assignments.find(lease.assignment)] == AssignmentState.REVOKED


async def test_what_a_project_missed_while_it_was_away_is_told_when_it_is_back() -> None:
    street = Street()
    async with street.group() as group:
        stream = await found_for_a_worker(group)
        await offered(group, stream)
    async with street.group(own=[0]) as group:
        ban = ChangeWorkerStatus(WORKER, WorkerStatus.BANNED, StatusReason.MISCONDUCT.value)
        await group.submit(group.request(ORGANISATION, ban, principal=MANAGER))

    async with street.group() as group:
        await group.observe()
        state = group.where.project(TENANT, SECOND)
        assert state.workers.live[state.workers.find(WORKER)] == 0


async def test_whoever_begins_a_copy_has_projects_told_what_they_missed_bit_by_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crossing, "LOOK_ROWS", 1)
    street = Street()
    workers = [bytes([number]) * 16 for number in range(20, 24)]
    async with street.group() as group:
        _, stream = await found_with_two(group)
        for worker in workers:
            await add_task(group, stream)
            await add_worker(group, worker)
            await offered(group, stream, worker)
    async with street.group(own=[0]) as group:
        for worker in workers:
            ban = ChangeWorkerStatus(worker, WorkerStatus.BANNED, StatusReason.MISCONDUCT.value)
            await group.submit(group.request(ORGANISATION, ban, principal=MANAGER))
        state = await copied(group.where.organisation(TENANT))

    async with street.group(own=[1]) as group:
        project = group.where.project(TENANT, SECOND)
        group.crossing.begin_copy(group.where.copy_of(ORGANISATION, 0), state, 1)
        seen = {4}
        while (live := sum(project.workers.live[project.workers.find(worker)] for worker in workers)) > 0:
            seen.add(int(live))
            await asyncio.sleep(0)
        assert seen == {1, 2, 3, 4}


async def test_a_group_that_closes_tells_projects_nothing_more_of_a_copy_that_began() -> None:
    street = Street()
    async with street.group() as group:
        await found_for_a_worker(group)
        state = await copied(group.where.organisation(TENANT))
    async with street.group(own=[1]) as group:
        copy = group.where.copy_of(ORGANISATION, 0)
        group.crossing.begin_copy(copy, state, 1)
        group.crossing.begin_copy(copy, state, 1)
    left = {"catching-up", "letting-go"} & {task.get_name() for task in asyncio.all_tasks()}
    assert not left


async def test_a_group_closes_its_shards_though_a_defect_ended_what_told_projects_of_a_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_given: object) -> NoReturn:
        raise ZeroDivisionError

    street = Street()
    async with street.group() as group:
        await found_for_a_worker(group)
        state = await copied(group.where.organisation(TENANT))
    async with street.group(own=[1]) as group:
        engine = group.engines[1]
        monkeypatch.setattr(crossing.crossing, "behind_on_erasures", fails)
        group.crossing.begin_copy(group.where.copy_of(ORGANISATION, 0), state, 1)
        while any(task.get_name() == "catching-up" for task in asyncio.all_tasks()):
            await asyncio.sleep(0)
    assert engine.state is not EngineState.SERVING
