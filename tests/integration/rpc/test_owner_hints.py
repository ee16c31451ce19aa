"""Two groups, and clients that go where the replies of the wrong one tell them to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from tests.support.groups import PATIENCE, Pair, Running, pair
from tests.support.operations import RULES

from crowdroute.api.v1 import assignments_pb2, explanations_pb2, projects_pb2, tasks_pb2, tokens_pb2
from crowdroute.api.v1.annotation_pb2_grpc import AnnotationServiceStub
from crowdroute.api.v1.operations_pb2_grpc import OperationsServiceStub
from crowdroute.client import Client, Connection, Refused
from crowdroute.client.owners import OWNER


class Scene(NamedTuple):
    """Two groups; the second has a project with tasks, and a worker works there."""

    both: Pair
    project: str
    bearer: str

    def calls(self, running: Running, name: str) -> int:
        """Say how many calls of a name a group carried out or passed on."""
        return sum(
            max(durations.cumulative())
            for record in running.server.gate.records
            if record.name == name
            for durations in record.durations.values()
        )


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with pair(tmp_path) as both:
        async with both.home.client(both.token) as manager:
            for name in ("one", "two"):
                request = projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES)
                project = await manager.operations.CreateProject(request)
            items = [tasks_pb2.NewItem(external_id=str(number)) for number in range(6)]
            for item in items:
                item.content.add(id="text", text="look")
            await manager.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project.id, items=items))
            upsert = tokens_pb2.CreateWorkerSessionRequest(upsert={"external_id": "ada"})
            bearer = (await manager.operations.CreateWorkerSession(upsert)).bearer
        yield Scene(both, project.id, bearer)


def bearing(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def test_a_refusal_that_was_forwarded_names_the_owner(scene: Scene) -> None:
    home, away = scene.both.home, scene.both.away
    async with grpc.aio.insecure_channel(home.address) as channel:
        stub = OperationsServiceStub(channel)  # type: ignore[no-untyped-call]
        request = tasks_pb2.GetTaskRequest(project_id=scene.project, task_id="tsk_" + "0" * 31 + "1")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetTask(request, metadata=bearing(scene.both.token), timeout=PATIENCE)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert (OWNER, away.address) in [tuple(one) for one in refused.value.trailing_metadata() or ()]


async def test_streams_that_are_relayed_name_the_owner_before_their_first_message(scene: Scene) -> None:
    home, away = scene.both.home, scene.both.away
    async with grpc.aio.insecure_channel(home.address) as channel:
        operations = OperationsServiceStub(channel)  # type: ignore[no-untyped-call]
        watch = operations.Watch(
            explanations_pb2.WatchRequest(project_id=scene.project), metadata=bearing(scene.both.token)
        )
        assert (OWNER, away.address) in [tuple(one) for one in await watch.initial_metadata()]
        watch.cancel()


async def test_no_owner_is_named_where_none_is_to_be_told(scene: Scene) -> None:
    group = scene.both.home.group
    others = {shard: owner._replace(public="") for shard, owner in group.shard_map.others.items()}
    group.where.place(group.shard_map._replace(others=others))
    async with grpc.aio.insecure_channel(scene.both.home.address) as channel:
        stub = AnnotationServiceStub(channel)  # type: ignore[no-untyped-call]
        request = assignments_pb2.NextRequest(project_id=scene.project)
        call = stub.Next(request, metadata=bearing(scene.bearer), timeout=PATIENCE)
        await call
        assert OWNER not in [key for key, _ in await call.trailing_metadata()]


async def test_a_client_takes_the_detour_once(scene: Scene) -> None:
    async with scene.both.home.client(scene.bearer) as worker:
        (offer,) = await worker.next(scene.project)
        with worker._owners.told(scene.project) as way:
            async with asyncio.timeout(PATIENCE):
                await way.settled()
        await worker.submit(offer, {"label": "cat"})
        assert scene.calls(scene.both.home, "Next") == 1
        assert scene.calls(scene.both.home, "Submit") == 0


def blocking(scene: Scene) -> None:
    with Client(Connection(scene.both.home.address, scene.bearer)) as worker:
        (offer,) = worker.next(scene.project)
        with worker._owners.told(scene.project) as way:
            assert way.known.wait(PATIENCE)
        worker.submit(offer, {"label": "cat"})
        assert scene.calls(scene.both.home, "Submit") == 0


async def test_a_client_that_blocks_takes_the_detour_once(scene: Scene) -> None:
    await asyncio.to_thread(blocking, scene)


async def test_a_work_stream_moves_to_the_owner_and_nothing_doubles(scene: Scene) -> None:
    async with scene.both.home.client(scene.bearer) as worker, worker.work(scene.project) as work:
        done = []
        async with asyncio.timeout(PATIENCE):
            while len(done) < 6:
                offer = await anext(work)
                await work.submit(offer, {"label": "cat"})
                done.append(offer.assignment_id)
            while not scene.calls(scene.both.home, "Work"):  # the one that took the detour is over
                await asyncio.sleep(0.01)
    assert len(set(done)) == 6


async def test_a_refusal_of_the_owner_arrives_as_it_is(scene: Scene) -> None:
    request = tasks_pb2.GetTaskRequest(project_id=scene.project, task_id="tsk_" + "0" * 31 + "1")
    async with scene.both.home.client(scene.both.token) as manager:
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                await manager.operations.GetTask(request)
            assert refused.value.code == "NOT_FOUND"
            with manager._owners.told(scene.project) as way:
                async with asyncio.timeout(PATIENCE):
                    await way.settled()
        assert scene.calls(scene.both.home, "GetTask") == 1
