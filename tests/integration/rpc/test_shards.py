"""One process with a log per shard: what callers see is one engine."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.operations import RULES

from crowdroute.api.v1 import administration_pb2, explanations_pb2, projects_pb2, tasks_pb2, tokens_pb2
from crowdroute.client import AsyncClient, Connection
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.adapters.sqlite_files import database_path, shards_in
from crowdroute.router.adapters.sqlite_verify import verify
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.rpc.assembly import make_server, serve_group
from crowdroute.router.rpc.bootstrap import TOKEN_FILE, bootstrap
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.settings import LimitSettings, Settings


class Running(NamedTuple):
    """Two shards that serve, and who looks after them."""

    group: ShardGroup
    client: AsyncClient
    address: str


@contextlib.asynccontextmanager
async def running(directory: Path, shards: int = 2) -> AsyncIterator[Running]:
    """Serve a directory as `crowdroute serve` with `shards` does."""
    server = make_server(
        Settings(address="127.0.0.1:0", grace_seconds=0, limits=LimitSettings(calls_per_second=0))
    )
    await server.start()
    try:
        async with embedded_group(directory, ShardMap(shards), snapshots=False) as group:
            await bootstrap(group.engines[0], "default", directory)
            await serve_group(server, group, ProcessJobs())
            address = f"127.0.0.1:{server.port}"
            token = (directory / TOKEN_FILE).read_text().strip()
            async with AsyncClient(Connection(address, token)) as client:
                yield Running(group, client, address)
            await server.stop()
    finally:
        await server.stop()


async def create(client: AsyncClient, name: str) -> str:
    request = projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES)
    project: projects_pb2.Project = await client.operations.CreateProject(request)
    return project.id


async def fill(client: AsyncClient, project: str) -> None:
    item = tasks_pb2.NewItem(external_id="x")
    item.content.add(id="text", text="look")
    await client.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project, items=[item]))


async def answer_one(running: Running, project: str, external_id: str) -> None:
    """Have a new worker answer a task of a project."""
    request = tokens_pb2.CreateWorkerSessionRequest()
    request.upsert.external_id = external_id
    session = await running.client.operations.CreateWorkerSession(request)
    async with AsyncClient(Connection(running.address, session.bearer)) as worker:
        (offer,) = await worker.next(project)
        await worker.submit(offer, {"label": "cat"})


async def test_work_goes_on_in_every_shard_and_survives_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        projects = [await create(first.client, name) for name in ("one", "two")]
        for number, project in enumerate(projects):
            await fill(first.client, project)
            await answer_one(first, project, f"worker {number}")
        assert [len(list(engine.projects())) for engine in first.group.engines.values()] == [1, 1]

    assert shards_in(tmp_path) == [0, 1]
    async with running(tmp_path) as second:
        listed = await second.client.operations.ListProjects(projects_pb2.ListProjectsRequest())
        assert [project.name for project in listed.projects] == ["one", "two"]
        for project in projects:
            stats = await second.client.operations.GetStats(projects_pb2.GetStatsRequest(project_id=project))
            assert stats.answers_accepted == 1


async def test_a_watch_tells_what_happens_in_every_shard(tmp_path: Path) -> None:
    async with running(tmp_path) as engine:
        projects = [await create(engine.client, name) for name in ("one", "two")]
        request = explanations_pb2.WatchRequest(codes=["TASK_OPENED"])
        events = engine.client.operations.Watch(request)
        await anext(events)

        for project in projects:
            await fill(engine.client, project)

        told = [await anext(events) for _ in projects]
        assert {(event.project_id, event.shard) for event in told} == set(zip(projects, (0, 1), strict=True))


async def test_verifying_and_copying_cover_every_shard(tmp_path: Path) -> None:
    async with running(tmp_path / "live") as live:
        projects = [await create(live.client, name) for name in ("one", "two")]
        for project in projects:
            await fill(live.client, project)

        verified = [
            one async for one in live.client.operations.VerifyLog(administration_pb2.VerifyLogRequest())
        ]
        assert [one.done for one in verified if one.chain] == [False, True]
        assert verified[-1].checked == sum(engine.log.head()[0] for engine in live.group.engines.values())

        request = administration_pb2.BackupLogRequest(name="monday")
        copies = {one.shard: one async for one in live.client.operations.BackupLog(request) if one.sequence}
        assert {shard: one.done for shard, one in copies.items()} == {0: False, 1: True}
        await fill(live.client, await create(live.client, "later"))

    restored = tmp_path / "restored"
    restored.mkdir()
    for shard, one in copies.items():
        database_path(restored, shard).write_bytes(Path(one.path).read_bytes())
        assert verify(restored, shard=shard).ok
    token = (tmp_path / "live" / TOKEN_FILE).read_text()
    (restored / TOKEN_FILE).write_text(token)
    async with running(restored) as again:
        listed = await again.client.operations.ListProjects(projects_pb2.ListProjectsRequest())
        assert [project.id for project in listed.projects] == projects


async def test_one_shard_can_become_two_and_two_cannot_become_one(tmp_path: Path) -> None:
    async with running(tmp_path, shards=1) as one:
        await create(one.client, "one")
    async with running(tmp_path, shards=2) as two:
        await create(two.client, "two")
        assert [len(list(engine.projects())) for engine in two.group.engines.values()] == [1, 1]

    with pytest.raises(ConfigurationError, match="can grow and not shrink"):
        async with running(tmp_path, shards=1):
            pass
