"""What workers did, added up over projects and shards that come and go."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable

from tests.support.shards import Street, add_task, add_worker, create, found
from tests.support.wire import TENANT

from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.commands.organisation import CreateOrganisation
from crowdroute.router.commands.project import RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Offered
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.ports import Kept
from crowdroute.router.runtime.directory.keeper import Keeper, owner_of
from crowdroute.router.runtime.directory.keepers import Keepers
from crowdroute.router.runtime.directory.work import Work, WorkSummary, key_of, work_in, work_of
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import Owner, ShardMap

PATIENCE = 10.0
FIRST, SECOND, WORKER, IDLE = (bytes([number]) * 16 for number in (1, 2, 9, 8))
ONE_ANSWER = WorkSummary(projects=1, granted=1, live=0, answered=1)
ELSEWHERE = ShardMap(2, 2, {1: Owner("peer:1", "public:1")})


async def work(group: ShardGroup, stream: str, *, answer: bool = True) -> None:
    """Have the worker take a task of a project, and answer it."""
    await add_task(group, stream)
    engine = group.where.engine(stream)
    offered = await engine.submit(engine.request(stream, RequestNext(WORKER)))
    assert isinstance(offered, Offered)
    (lease,) = offered.leases
    if answer:
        command = SubmitAnswer(WORKER, lease.assignment, lease.fence, (Choice(0, 0),))
        await engine.submit(engine.request(stream, command))


async def until(so: Callable[[], bool]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(PATIENCE):
        while not so():
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def two_shards() -> AsyncIterator[tuple[ShardGroup, str, str]]:
    """Serve two shards with a project in each."""
    async with Street().group() as group:
        await found(group)
        await add_worker(group, WORKER)
        await add_worker(group, IDLE)
        yield group, await create(group, FIRST, "one"), await create(group, SECOND, "two")


async def kept_in(group: ShardGroup, directory: MemoryDirectory) -> list[Keeper]:
    keepers = [Keeper(engine, directory, [Work(shard, engine)]) for shard, engine in group.engines.items()]
    for keeper in keepers:
        await keeper.step()
    return keepers


async def test_what_is_here_is_added_up_without_asking_anybody() -> None:
    async with two_shards() as (group, one, two):
        await work(group, one)
        await work(group, two)
        await work(group, two, answer=False)
        done = await work_of(group, MemoryDirectory(), TENANT, WORKER)
        assert done == (WorkSummary(projects=2, granted=3, live=1, answered=2), True)
        assert await work_of(group, MemoryDirectory(), TENANT, IDLE) == (WorkSummary(), True)
        assert await work_of(group, MemoryDirectory(), "another", WORKER) == (WorkSummary(), True)


async def test_what_is_elsewhere_is_as_it_was_told_last_and_missing_when_nobody_tells() -> None:
    directory = MemoryDirectory()
    async with two_shards() as (group, one, two):
        await work(group, one)
        await work(group, two)
        await kept_in(group, directory)
        await group.release(1, ELSEWHERE)

        whole, _ = await work_of(group, directory, TENANT, WORKER)
        assert whole == ONE_ANSWER.plus(ONE_ANSWER)
        assert await work_of(group, directory, TENANT, IDLE) == (WorkSummary(), True)
        assert await work_of(group, MemoryDirectory(), TENANT, WORKER) == (ONE_ANSWER, False)


async def test_a_lease_and_its_answer_are_told() -> None:
    directory = MemoryDirectory()
    async with two_shards() as (group, one, _):
        table = Work(0, group.engines[0])
        touched: list[str] = []
        group.engines[0].subscribe(lambda entries: touched.extend(table.touched(entries)))
        (keeper, _) = await kept_in(group, directory)
        await work(group, one)
        assert touched == [key_of(TENANT, WORKER)] * 2, "once for the lease and once for the answer"
        assert json.loads(table.row(touched[0]) or b"") == ONE_ANSWER._asdict()
        assert not (await directory.get(work_in(0), touched)), "nothing follows before it runs"
        assert keeper.current


async def test_keepers_come_and_go_with_the_shards() -> None:
    directory = MemoryDirectory()
    async with two_shards() as (group, _, two):
        keepers = Keepers(group, directory, "10.0.0.1:7070")
        await keepers.start()
        assert keepers.current
        await group.release(1, ELSEWHERE)
        assert not keepers.current
        keepers.look()
        assert keepers.current

        await group.take(1, ShardMap(2, 3))
        await work(group, two)
        assert not keepers.current
        keepers.look()
        await until(lambda: keepers.current)
        told = await directory.get(work_in(1), [key_of(TENANT, WORKER)])
        assert json.loads(told[key_of(TENANT, WORKER)]) == ONE_ANSWER._asdict()


async def test_an_organisation_that_began_later_is_kept_too() -> None:
    directory = MemoryDirectory()
    async with Street(1).group() as group:
        await found(group)
        keepers = Keepers(group, directory, "10.0.0.1:7070")
        await keepers.start()
        engine = group.engines[0]
        other = organisation_stream("other")
        await engine.submit(engine.request(other, CreateOrganisation("other")))
        keepers.look()
        await until(lambda: keepers.current)
        assert await directory.put("profiles/other", owner_of(engine), {}) is Kept.DONE
