"""One process over one directory: the first start, and every start after it."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from tests.support.wire import Client, Wire, answer, held

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.api.v1 import tasks_pb2
from crowdroute.client import AsyncClient, Connection
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.errors import Fenced
from crowdroute.router.model import content
from crowdroute.router.model.ids import Id
from crowdroute.router.rpc.assembly import make_server, serve_group
from crowdroute.router.rpc.bootstrap import TOKEN_FILE, bootstrap
from crowdroute.router.rpc.scopes import EVERY_SCOPE, SESSION_SCOPES
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.settings import LimitSettings, Settings


@contextlib.asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Wire]:
    """Serve a directory as `crowdroute serve` does."""
    server = make_server(
        Settings(address="127.0.0.1:0", grace_seconds=0, limits=LimitSettings(calls_per_second=0))
    )
    await server.start()
    async with embedded_group(directory, snapshots=False) as group:
        engine = group.engines[0]
        wire = Wire(engine, server, None, None)  # type: ignore[arg-type]  # a real disk and a real clock
        await bootstrap(engine, "default", directory)
        await serve_group(server, group, ProcessJobs())
        try:
            yield wire
        finally:
            await wire.channel.close()
            await server.stop()


def owner(directory: Path, wire: Wire) -> AsyncClient:
    """Give a client with the token that the first start wrote."""
    return AsyncClient(
        Connection(f"127.0.0.1:{wire.server.port}", (directory / TOKEN_FILE).read_text().strip())
    )


def new(external_id: str, text: str) -> tasks_pb2.NewItem:
    item = tasks_pb2.NewItem(external_id=external_id)
    item.content.add(id="text", text=text)
    return item


async def importing(project: str, file: bytes) -> AsyncIterator[tasks_pb2.ImportItemsRequest]:
    header = tasks_pb2.ImportHeader(project_id=project, format=tasks_pb2.ITEMS_FORMAT_CSV)
    yield tasks_pb2.ImportItemsRequest(header=header)
    yield tasks_pb2.ImportItemsRequest(chunk=file)


def assignment(offer: wire_types.Offer) -> Id:
    return bytes.fromhex(offer.assignment_id.removeprefix("asg_"))


def stored(directory: Path) -> set[str]:
    """Give the keys of all contents in the files of an engine that has ended."""
    with contextlib.closing(sqlite3.connect(directory / "shard-0.db")) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM content")}


async def test_the_first_start_makes_an_organisation_and_a_token_for_its_owner_alone(tmp_path: Path) -> None:
    async with embedded_group(tmp_path, snapshots=False) as group:
        engine = group.engines[0]
        path = await bootstrap(engine, "default", tmp_path)
        (token,) = engine.organisation("default").list_tokens()

    assert path == tmp_path / TOKEN_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip().startswith(f"crd_{token.facts.token.hex()}_")
    assert set(token.facts.scopes) == set(EVERY_SCOPE)
    secret = path.read_text().strip().split("_", maxsplit=2)[2]  # which may hold underscores itself
    assert len(secret) == 43
    assert secret.encode() not in b"".join(
        file.read_bytes() for file in tmp_path.iterdir() if file.is_file() and file != path
    ), "the secret stands in the file alone"


async def test_a_later_start_makes_neither(tmp_path: Path) -> None:
    for _ in range(2):
        async with embedded_group(tmp_path, snapshots=False) as group:
            engine = group.engines[0]
            path = await bootstrap(engine, "default", tmp_path)
            assert len(engine.organisation("default").list_tokens()) == 1

    assert path is None


async def test_a_start_that_was_cut_off_before_the_token_is_made_up_for(tmp_path: Path) -> None:
    async with embedded_group(tmp_path, snapshots=False) as group:
        engine = group.engines[0]
        from crowdroute.router.commands.organisation import CreateOrganisation
        from crowdroute.router.machine.stream import organisation_stream

        await engine.submit(engine.request(organisation_stream("default"), CreateOrganisation("default")))
    (tmp_path / "admin.partial").write_text("half")

    async with embedded_group(tmp_path, snapshots=False) as group:
        engine = group.engines[0]
        assert await bootstrap(engine, "default", tmp_path)


async def test_work_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with running(tmp_path) as wire:
        project = await wire.project(tenant="default")
        await wire.tasks(project, 2, tenant="default")
        worker = await wire.worker("default")
        _, bearer = await wire.token("default", scopes=SESSION_SCOPES, worker=worker)
        ann = Client(wire.channel, bearer)
        offer = (await ann.call("Next", wire_types.NextRequest(project_id=project))).offers[0]
        await ann.call("SaveDraft", wire_types.SaveDraftRequest(**held(offer), draft=b"half"))

    async with running(tmp_path) as wire:
        ann = Client(wire.channel, bearer)
        (resumed,) = (await ann.call("Resume", wire_types.ResumeRequest(project_id=project))).offers
        assert resumed.draft == b"half"
        assert resumed.offer.content == offer.content
        message = wire_types.SubmitRequest(**held(resumed.offer), answers=answer())
        first = await ann.call("Submit", message)

    async with running(tmp_path) as wire:
        assert await Client(wire.channel, bearer).call("Submit", message) == first


async def test_items_that_come_in_again_leave_no_content_that_nothing_leads_to(tmp_path: Path) -> None:
    file = b"id,text\na,first\nb,second\n"

    async with running(tmp_path) as wire, owner(tmp_path, wire) as client:
        ops = client.operations
        project = await wire.project(tenant="default")
        named = tasks_pb2.AddItemsRequest(project_id=project, items=[new("x", "one"), new("y", "two")])
        nameless = tasks_pb2.AddItemsRequest(
            project_id=project, items=[new("", "three")], idempotency_key="once"
        )
        for _ in range(2):
            await ops.AddItems(named)
            await ops.AddItems(nameless)
            await ops.ImportItems(importing(project, file))
        named.items.append(new("z", "four"))
        await ops.AddItems(named)
        await ops.ImportItems(importing(project, file + b"c,third\n"))

        worker = await wire.worker("default")
        _, bearer = await wire.token("default", scopes=SESSION_SCOPES, worker=worker)
        ann = Client(wire.channel, bearer)
        first, second = (await ann.call("Next", wire_types.NextRequest(project_id=project, count=2))).offers
        await ann.call("SaveDraft", wire_types.SaveDraftRequest(**held(first), draft=b"half"))
        await ann.call(
            "Submit", wire_types.SubmitRequest(**held(second), answers=answer(), comment="too dark")
        )
        items = wire.engine.project("default", bytes.fromhex(project.removeprefix("prj_"))).items
        leads_to = {content.item(items.id_of(row)) for row in range(items.count)}
        leads_to |= {content.draft(assignment(first)), content.comment(assignment(second))}

    assert len(leads_to) == 7 + 2
    assert stored(tmp_path) == leads_to


async def test_a_directory_has_one_engine(tmp_path: Path) -> None:
    async with embedded_group(tmp_path, snapshots=False):
        with pytest.raises(Fenced):
            async with embedded_group(tmp_path, snapshots=False):
                pass


async def test_a_failed_disk_is_told_as_unavailable(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        wire = await stack.enter_async_context(running(tmp_path))
        project = await wire.project(tenant="default")
        await wire.tasks(project, 2, tenant="default")
        worker = await wire.worker("default")
        _, bearer = await wire.token("default", scopes=SESSION_SCOPES, worker=worker)
        wire.engine.log._connection.execute("PRAGMA query_only = ON")  # type: ignore[attr-defined]

        ann = Client(wire.channel, bearer)
        refused = await ann.refusal("Next", wire_types.NextRequest(project_id=project))

        assert (refused.status, refused.code) == (grpc.StatusCode.UNAVAILABLE, "APPEND_FAILED")
        assert wire.engine.failed.done()
        stack.pop_all()
