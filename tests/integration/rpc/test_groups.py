"""Two groups that serve one installation: a call is answered right wherever it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from tests.support.groups import PATIENCE, Pair, Running, pair
from tests.support.operations import RULES, refusal

from crowdroute.api.v1 import (
    administration_pb2,
    assignments_pb2,
    explanations_pb2,
    ledger_pb2,
    projects_pb2,
    tasks_pb2,
    tokens_pb2,
    work_pb2,
    workers_pb2,
)
from crowdroute.api.v1.annotation_pb2_grpc import AnnotationServiceStub
from crowdroute.client import AsyncClient, Connection, Refused
from crowdroute.client.errors import ClientError
from crowdroute.peer.v1 import peer_pb2, peer_pb2_grpc
from crowdroute.router.commands import Request
from crowdroute.router.commands.organisation import NoteBalance, NoteBalances
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.machine import balances
from crowdroute.router.machine.crossing import heard
from crowdroute.router.model.ids import NO_ID, Kind, to_text
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.elsewhere import OWNER
from crowdroute.router.rpc.group import servicer
from crowdroute.router.rpc.group.forwarding import Forwarding
from crowdroute.router.rpc.group.link import SECRET
from crowdroute.router.rpc.group.wire import carried
from crowdroute.router.runtime.placement import ShardMap

NEXT = "/crowdroute.api.v1.AnnotationService/Next"


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair(tmp_path) as groups:
        yield groups


async def create(client: AsyncClient, name: str) -> str:
    request = projects_pb2.CreateProjectRequest(name=name, rules_yaml=RULES)
    project: projects_pb2.Project = await client.operations.CreateProject(request)
    return project.id


async def projects(both: Pair) -> list[str]:
    """Create a project in each shard."""
    async with both.home.client(both.token) as client:
        return [await create(client, name) for name in ("one", "two")]


def rows(*names: str) -> list[tasks_pb2.NewItem]:
    items = []
    for name in names:
        item = tasks_pb2.NewItem(external_id=name)
        item.content.add(id="text", text="look")
        items.append(item)
    return items


async def session(client: AsyncClient, external_id: str = "ada") -> str:
    request = tokens_pb2.CreateWorkerSessionRequest()
    request.upsert.external_id = external_id
    bearer: str = (await client.operations.CreateWorkerSession(request)).bearer
    return bearer


def state_of(running: Running, project: str):  # type: ignore[no-untyped-def]  # a project's state
    return running.group.where.project("default", bytes.fromhex(project.removeprefix("prj_")))


async def test_whoever_is_asked_answers_for_both_shards(both: Pair) -> None:
    one, two = await projects(both)
    assert both.home.group.where.has(f"default/project/{one.removeprefix('prj_')}")
    assert both.away.group.where.has(f"default/project/{two.removeprefix('prj_')}")
    for running in (both.home, both.away):
        async with running.client(both.token) as client:
            for project in (one, two):
                request = tasks_pb2.AddItemsRequest(project_id=project, items=rows(running.address))
                added = await client.operations.AddItems(request)
                assert not added.items[0].known
                stats = await client.operations.GetStats(projects_pb2.GetStatsRequest(project_id=project))
                assert stats.tasks_open >= 1
            listed = await client.operations.ListProjects(projects_pb2.ListProjectsRequest())
            assert [project.name for project in listed.projects] == ["one", "two"]
            found = await client.operations.GetProject(projects_pb2.GetProjectRequest(name="two"))
            assert found.id == two


async def test_pages_go_over_both_shards_in_the_order_of_names(both: Pair) -> None:
    async with both.away.client(both.token) as client:
        for name in ("d", "a", "c", "b", "e"):
            await create(client, name)
        names: list[str] = []
        token = ""
        while True:
            request = projects_pb2.ListProjectsRequest(page_size=2, page_token=token)
            page = await client.operations.ListProjects(request)
            names += [project.name for project in page.projects]
            token = page.next_page_token
            if not token:
                break
    assert names == ["a", "b", "c", "d", "e"]


async def test_a_worker_works_through_the_wrong_group(both: Pair) -> None:
    _, two = await projects(both)
    async with both.home.client(both.token) as manager:
        await manager.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=two, items=rows("x", "y")))
        bearer = await session(manager)
    for running in (both.home, both.away):
        async with running.client(bearer) as worker:
            (offer,) = await worker.next(two)
            await worker.submit(offer, {"label": "cat"})
    state = state_of(both.away, two)
    assert sum(state.workers.entries[row] for row in range(state.workers.count)) == 2


async def test_a_session_is_good_at_the_other_group_the_moment_it_is_given(both: Pair) -> None:
    await projects(both)
    async with both.home.client(both.token) as manager:
        for number in range(5):
            bearer = await session(manager, f"worker {number}")
            async with both.away.client(bearer) as worker:
                with pytest.raises(Refused) as refused:
                    await worker.operations.ListProjects(projects_pb2.ListProjectsRequest())
                assert refused.value.code == "PERMISSION_DENIED"


async def test_the_caller_is_told_where_to_go_next_time(both: Pair) -> None:
    _, two = await projects(both)
    async with both.home.client(both.token) as manager:
        bearer = await session(manager)
    async with grpc.aio.insecure_channel(both.home.address) as channel:
        stub = AnnotationServiceStub(channel)  # type: ignore[no-untyped-call]
        call = stub.Next(
            assignments_pb2.NextRequest(project_id=two),
            metadata=(("authorization", f"Bearer {bearer}"),),
            timeout=PATIENCE,
        )
        answer = await call
        assert answer.HasField("no_task")
        assert (OWNER, both.away.address) in [tuple(pair) for pair in await call.trailing_metadata()]


async def test_refusals_arrive_as_they_were_told(both: Pair) -> None:
    _, two = await projects(both)
    async with both.home.client(both.token) as manager:
        request = tasks_pb2.GetTaskRequest(project_id=two, task_id="tsk_" + "0" * 31 + "1")
        with pytest.raises(Refused) as refused:
            await manager.operations.GetTask(request)
    assert refused.value.code == "NOT_FOUND"
    assert refused.value.status is grpc.StatusCode.NOT_FOUND


async def test_calls_that_stream_are_relayed(both: Pair) -> None:
    _, two = await projects(both)
    async with both.home.client(both.token) as manager:

        async def file() -> AsyncIterator[tasks_pb2.ImportItemsRequest]:
            header = tasks_pb2.ImportHeader(project_id=two, format=tasks_pb2.ITEMS_FORMAT_CSV)
            yield tasks_pb2.ImportItemsRequest(header=header)
            yield tasks_pb2.ImportItemsRequest(chunk=b"id,text\na,look\nb,look\n")

        imported = await manager.operations.ImportItems(file())
        assert imported.added == 2
        bearer = await session(manager)
        watch = manager.operations.Watch(
            explanations_pb2.WatchRequest(project_id=two, codes=["ANSWER_SUBMITTED"])
        )
        await anext(watch)
        async with both.home.client(bearer) as worker, worker.work(two) as work:
            async with asyncio.timeout(PATIENCE):
                await work.submit(await anext(work), {"label": "cat"})
        event = await asyncio.wait_for(anext(watch), PATIENCE)
        assert event.project_id == two


async def test_streams_to_a_group_that_lost_its_shards_end_and_are_not_left_hanging(both: Pair) -> None:
    _, two = await projects(both)
    forwarding = both.home.group.peers
    assert isinstance(forwarding, Forwarding)
    async with both.home.client(both.token) as manager:
        bearer = await session(manager)
    async with grpc.aio.insecure_channel(both.home.address) as channel:
        stub = AnnotationServiceStub(channel)  # type: ignore[no-untyped-call]
        work = stub.Work(metadata=(("authorization", f"Bearer {bearer}"),))
        await work.write(work_pb2.WorkRequest(hello=work_pb2.Hello(project_id=two, credits=1)))
        async with asyncio.timeout(PATIENCE):
            await work.read()
            both.home.group.where.place(ShardMap(2, 2))
            await forwarding.follow_shard_map()
            assert await work.code() is grpc.StatusCode.UNAVAILABLE


async def test_what_happens_to_a_worker_reaches_the_other_group(both: Pair) -> None:
    _, two = await projects(both)
    async with both.home.client(both.token) as manager:
        await manager.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=two, items=rows("x")))
        bearer = await session(manager)
        async with both.away.client(bearer) as worker:
            assert await worker.next(two)
        state = state_of(both.away, two)
        assert state.workers.live[0] == 1
        ban = workers_pb2.SetWorkerStatusRequest(
            worker_id=to_text(Kind.WORKER, state.workers.id_of(0)),
            status=workers_pb2.WORKER_STATUS_BANNED,
            reason="misconduct",
        )
        await manager.operations.SetWorkerStatus(ban)
    async with asyncio.timeout(PATIENCE):
        while state.workers.live[0]:
            await asyncio.sleep(0.01)


async def test_a_call_of_another_placement_is_refused(both: Pair) -> None:
    _, two = await projects(both)
    both.away.group.where.place(ShardMap(2, 2, both.away.group.shard_map.others))
    async with AsyncClient(Connection(both.home.address, both.token, attempts=1)) as manager:
        with pytest.raises(ClientError) as refused:
            await manager.operations.GetStats(projects_pb2.GetStatsRequest(project_id=two))
    assert refused.value.code == "NOT_READY"
    assert refused.value.details["generation"] == "2"


async def test_what_was_forwarded_is_not_forwarded_again(both: Pair) -> None:
    one, _ = await projects(both)
    forged = forwarded(one, shard=1, bearer=both.token)
    answer = await ask_as_peer(both.away, forged, secret_of(both.away))
    assert b"MOVED" in answer.status or b"NOT_READY" in answer.status


def forwarded(project: str, shard: int, bearer: str = "") -> peer_pb2.ForwardedCall:
    """Give a call that claims to come from an administrator, by a credential of theirs or by none."""
    return peer_pb2.ForwardedCall(
        number=1,
        method="/crowdroute.api.v1.OperationsService/GetStats",
        principal=peer_pb2.Principal(
            tenant="default",
            token=bytes.fromhex(bearer.split("_")[1]) if bearer else bytes(16),
            scopes=["projects.read"],
            worker=NO_ID,
            vendor=NO_ID,
            pool=NO_ID,
        ),
        generation=1,
        shard=shard,
        timeout_us=5_000_000,
        message=projects_pb2.GetStatsRequest(project_id=project).SerializeToString(),
    )


def secret_of(running: Running) -> str:
    assert running.settings.peers is not None
    return running.settings.peers.secret_file.read_text()


async def ask_as_peer(running: Running, call: peer_pb2.ForwardedCall, secret: str) -> peer_pb2.Answer:
    assert running.settings.peers is not None
    async with grpc.aio.insecure_channel(running.settings.peers.address) as channel:
        stub = peer_pb2_grpc.PeerServiceStub(channel)  # type: ignore[no-untyped-call]
        stream = stub.Forward(metadata=((SECRET, secret),), timeout=PATIENCE)
        await stream.write(peer_pb2.ForwardBatch(calls=[call]))
        batch = await stream.read()
        stream.cancel()
        answer: peer_pb2.Answer = batch.answers[0]
        return answer


async def test_a_principal_is_believed_of_peers_alone(both: Pair) -> None:
    _, two = await projects(both)
    call = forwarded(two, shard=1, bearer=both.token)
    assert (await ask_as_peer(both.away, call, secret_of(both.away))).message
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ask_as_peer(both.away, call, "f" * 64)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    async with grpc.aio.insecure_channel(both.away.address) as channel:
        stub = peer_pb2_grpc.PeerServiceStub(channel)  # type: ignore[no-untyped-call]
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await stub.Position(peer_pb2.PositionRequest(), metadata=((SECRET, secret_of(both.away)),))
    assert unknown.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_scope_that_the_forwarded_principal_lacks_is_asked_for_again(both: Pair) -> None:
    _, two = await projects(both)
    call = forwarded(two, shard=1)
    del call.principal.scopes[:]
    answer = await ask_as_peer(both.away, call, secret_of(both.away))
    assert b"PERMISSION_DENIED" in answer.status


async def test_a_forwarded_principal_whose_credential_nobody_knows_is_refused(both: Pair) -> None:
    _, two = await projects(both)
    answer = await ask_as_peer(both.away, forwarded(two, shard=1), secret_of(both.away))
    assert b"UNAUTHENTICATED" in answer.status


async def test_balances_reach_the_organisation_from_another_process(both: Pair) -> None:
    _, two = await projects(both)
    async with both.home.client(both.token) as manager:
        await manager.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=two, items=rows("x")))
        bearer = await session(manager)
        async with both.away.client(bearer) as worker:
            (offer,) = await worker.next(two)
            await worker.submit(offer, {"label": "cat"})
        engine = both.away.group.engines[1]
        ((stream, command),) = engine.shard.outgoing(engine.now_us() + 120_000_000)
        assert both.away.group.peers is not None
        reply = await both.away.group.peers.carry(0, engine.request(stream, command))
        (balance,) = heard(command.balances, reply)
        told = await manager.operations.ListBalances(ledger_pb2.ListBalancesRequest())
    assert [row.worker_id for row in told.balances] == [to_text(Kind.WORKER, balance.worker)]


async def test_balances_that_are_refused_together_reach_an_organisation_one_by_one(
    both: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, two = await projects(both)
    came: list[object] = []

    def read(message: peer_pb2.CarryRequest) -> tuple[Request, list[ContentChange]]:
        request, contents = carried(message)
        came.append(type(request.command))
        if isinstance(request.command, NoteBalances):
            raise InvalidCommand("several totals at once")
        return request, contents

    monkeypatch.setattr(servicer, "carried", read)
    monkeypatch.setattr(balances, "DELAY_US", 0)
    async with both.home.client(both.token) as manager:
        await manager.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=two, items=rows("x")))
        bearer = await session(manager)
        async with both.away.client(bearer) as worker:
            (offer,) = await worker.next(two)
            await worker.submit(offer, {"label": "cat"})
        await both.away.group.crossing.look()
        told = await manager.operations.ListBalances(ledger_pb2.ListBalancesRequest())
    assert len(told.balances) == 1
    assert came[:2] == [NoteBalances, NoteBalance]


async def test_a_backup_of_what_several_processes_serve_is_refused_with_the_command_that_copies_it(
    both: Pair,
) -> None:
    for running in (both.home, both.away):
        async with running.client(both.token) as client:
            asked = client.operations.BackupLog(administration_pb2.BackupLogRequest(name="monday"))
            refused = await refusal(asked)
        assert refused.code == "WRONG_STATE"
        assert refused.details["state"] == "SEVERAL_PROCESSES"
        assert refused.details["instead"] in str(refused)
        assert not list(running.settings.directory.glob("**/monday*"))
