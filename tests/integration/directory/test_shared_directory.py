"""Two groups that serve one installation beside a real Redis, which is emptied, frozen or killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.support.groups import PATIENCE, Pair, pair
from tests.support.operations import RULES
from tests.support.redis_server import RedisServer, redis_server

from crowdroute.api.v1 import projects_pb2, tasks_pb2, tokens_pb2, workers_pb2
from crowdroute.client import AsyncClient, Connection, Refused
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.adapters.redis_connecting import RedisConnection
from crowdroute.router.adapters.redis_directory import RedisDirectory
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.rpc.assembly import make_server
from crowdroute.router.rpc.group.hosting import GroupHosting
from crowdroute.router.runtime.settings import LimitSettings, RedisSettings, Settings

pytestmark = pytest.mark.cluster

NAMESPACE = "crowdroute"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as running:
        yield running


@contextlib.asynccontextmanager
async def groups(
    folder: Path, server: RedisServer, limits: LimitSettings | None = None
) -> AsyncIterator[Pair]:
    more: dict[str, object] = {"redis": RedisSettings(server=server.server)}
    if limits is not None:
        more["limits"] = limits
    async with pair(folder, **more) as both:
        yield both


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    """Return once it is so."""
    async with asyncio.timeout(PATIENCE):
        while not await look():
            await asyncio.sleep(0.05)


async def one_answer_in_each_shard(both: Pair) -> str:
    """Have one worker answer a task of a project in each shard; gives the worker's credential."""
    async with both.home.client(both.token) as manager:
        request = tokens_pb2.CreateWorkerSessionRequest()
        request.upsert.external_id = "ada"
        bearer: str = (await manager.operations.CreateWorkerSession(request)).bearer
        for name in ("one", "two"):
            project = await manager.operations.CreateProject(
                projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES)
            )
            item = tasks_pb2.NewItem(external_id=name)
            item.content.add(id="text", text="look")
            await manager.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project.id, items=[item]))
            async with both.home.client(bearer) as worker:
                (offer,) = await worker.next(project.id)
                await worker.submit(offer, {"label": "cat"})
    return bearer


async def ada(client: AsyncClient) -> workers_pb2.Worker:
    found: workers_pb2.Worker = await client.operations.GetWorker(
        workers_pb2.GetWorkerRequest(external_id="ada")
    )
    return found


async def all_answers_are_known(client: AsyncClient) -> bool:
    totals = (await ada(client)).totals
    return (totals.projects, totals.answered, totals.incomplete) == (2, 2, False)


async def rows_are_kept(server: RedisServer) -> bool:
    """Say whether all keyspaces of both groups are there."""
    directory = RedisDirectory(RedisConnection(server.server), NAMESPACE)
    try:
        found = await directory.keyspaces()
    finally:
        await directory.close()
    names = {one.name for one in found if one.state == "present"}
    return names == {
        *("shards/0", "shards/1", "work/0", "work/1"),
        *("profiles/default", "placement/default"),
    }


async def test_a_workers_whole_is_told_over_both_processes_and_again_after_redis_was_emptied(
    tmp_path: Path, server: RedisServer
) -> None:
    async with groups(tmp_path, server) as both, both.home.client(both.token) as manager:
        await one_answer_in_each_shard(both)
        await eventually(lambda: all_answers_are_known(manager))
        assert await rows_are_kept(server)
        server.flush()
        assert not await rows_are_kept(server)
        await eventually(lambda: rows_are_kept(server))
        await eventually(lambda: all_answers_are_known(manager))


async def test_who_calls_one_process_is_seen_by_the_other(tmp_path: Path, server: RedisServer) -> None:
    async with groups(tmp_path, server) as both:
        await one_answer_in_each_shard(both)

        async def is_seen_there() -> bool:
            return both.away.server.gate.presence.count("default") == 1

        await eventually(is_seen_there)


async def calls_let_through(address: str, token: str, tries: int) -> int:
    """Call so often, and count how many were not one too many."""
    through = 0
    async with AsyncClient(Connection(address, token, attempts=1)) as client:
        for _ in range(tries):
            with contextlib.suppress(Refused):
                await client.operations.ListWorkers(workers_pb2.ListWorkersRequest())
                through += 1
    return through


async def test_a_caller_who_spent_its_calls_at_one_process_has_none_left_at_the_other(
    tmp_path: Path, server: RedisServer
) -> None:
    limits = LimitSettings(calls_per_second=0.001, burst=40)
    async with groups(tmp_path, server, limits) as both:
        assert await calls_let_through(both.home.address, both.token, 40) == 40
        there = 0

        async def is_refused_there() -> bool:
            nonlocal there
            passed = await calls_let_through(both.away.address, both.token, 1)
            there += passed
            return not passed

        await eventually(is_refused_there)
        assert there < 40, "its own bucket there would have let 40 through"


async def test_limits_are_those_of_each_process_while_redis_is_down(
    tmp_path: Path, server: RedisServer
) -> None:
    server.kill()
    limits = LimitSettings(calls_per_second=0.001, burst=5)
    async with groups(tmp_path, server, limits) as both:
        for running in (both.home, both.away):
            assert await calls_let_through(running.address, both.token, 8) == 5


async def is_told(server: RedisServer, address: str) -> bool:
    """Say whether Redis has this address for shard 0."""
    directory = RedisDirectory(RedisConnection(server.server), NAMESPACE)
    try:
        rows = await directory.get("shards/0", ["address"])
    finally:
        await directory.close()
    return bool(rows) and json.loads(rows["address"])["address"] == address


async def test_a_shard_that_a_supervisor_moves_is_told_with_its_new_address(
    tmp_path: Path, server: RedisServer
) -> None:
    settings = Settings(
        directory=tmp_path,
        address="127.0.0.1:0",
        snapshots=False,
        grace_seconds=0,
        redis=RedisSettings(server=server.server),
    )
    one, other = (GroupHosting(settings, make_server(settings), "127.0.0.1", ProcessJobs()) for _ in range(2))
    await one.start()
    await other.start()
    try:
        await one.open(0, 1)
        await eventually(lambda: is_told(server, one.at.public))
        await one.release(0)
        await other.open(0, 2)
        await eventually(lambda: is_told(server, other.at.public))
    finally:
        await one.close()
        await other.close()


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_work_goes_on_while_redis_does_not_answer_and_rows_are_kept_again_afterwards(
    tmp_path: Path, server: RedisServer, fault: str
) -> None:
    async with groups(tmp_path, server) as both, both.home.client(both.token) as manager:
        await eventually(lambda: rows_are_kept(server))
        server.kill() if fault == "kill" else server.freeze()

        await one_answer_in_each_shard(both)

        totals = (await ada(manager)).totals
        assert (totals.answered, totals.incomplete) == (1, True), "what is here is told, and that more is not"
        server.start() if fault == "kill" else server.thaw()
        await eventually(lambda: rows_are_kept(server))
        await eventually(lambda: all_answers_are_known(manager))


async def test_groups_start_and_serve_while_redis_is_down(tmp_path: Path, server: RedisServer) -> None:
    server.kill()
    async with groups(tmp_path, server) as both:
        await one_answer_in_each_shard(both)
        server.start()
        await eventually(lambda: rows_are_kept(server))


async def test_a_second_cluster_in_the_same_namespace_is_refused_at_start(
    tmp_path: Path, server: RedisServer
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    async with groups(tmp_path / "first", server) as both:
        await eventually(lambda: rows_are_kept(server))
        with pytest.raises(ConfigurationError, match=r"redis\.namespace"):
            async with groups(tmp_path / "second", server):
                pass
        assert both.home.group.state == "serving"
