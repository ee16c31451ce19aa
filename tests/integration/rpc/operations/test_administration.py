"""The log is checked and copied while the engine serves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.operations import OPERATIONS, RULES, Office, ask, refusal

from crowdroute.api.v1 import administration_pb2 as wire
from crowdroute.api.v1 import projects_pb2, tasks_pb2
from crowdroute.client import AsyncClient, Connection
from crowdroute.router.adapters.process_jobs import ProcessJobs
from crowdroute.router.adapters.sqlite_verify import verify
from crowdroute.router.rpc.assembly import make_server, serve_group
from crowdroute.router.rpc.bootstrap import bootstrap
from crowdroute.router.rpc.operations import administration
from crowdroute.router.runtime.embedded import embedded_group
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.settings import Settings


class Embedded(NamedTuple):
    """An engine over a directory, and an administrator's client."""

    engine: Engine
    client: AsyncClient
    directory: Path


@contextlib.asynccontextmanager
async def embedded(directory: Path) -> AsyncIterator[Embedded]:
    """Serve a directory."""
    async with embedded_group(directory, snapshots=False) as group:
        engine = group.engines[0]
        server = make_server(Settings(address="127.0.0.1:0", grace_seconds=0, directory=directory))
        await server.start()
        token = directory / "admin.token"
        await bootstrap(engine, "default", directory)
        await serve_group(server, group, ProcessJobs())
        client = AsyncClient(Connection(f"127.0.0.1:{server.port}", token.read_text().strip()))
        try:
            yield Embedded(engine, client, directory)
        finally:
            await client.close()
            await server.stop()


async def fill(client: AsyncClient) -> str:
    project = await client.operations.CreateProject(
        projects_pb2.CreateProjectRequest(name="cats", rules_yaml=RULES)
    )
    for number in range(5):
        item = tasks_pb2.NewItem(external_id=f"item-{number}")
        item.content.add(id="text", text="look")
        await client.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project.id, items=[item]))
    return str(project.id)


async def test_a_sound_log_is_checked_to_its_end(office: Office) -> None:
    await office.finalised(await office.project())
    sequence, chain = office.engine.log.head()

    found = [one async for one in office.admin.operations.VerifyLog(wire.VerifyLogRequest())]

    assert found[-1] == wire.VerifyLogProgress(checked=sequence, total=sequence, done=True, chain=chain.hex())
    assert all(not one.done for one in found[:-1])


async def test_damage_is_found_and_named(office: Office) -> None:
    await office.finalised(await office.project())
    batches = office.disk.batches
    batches[3] = batches[3]._replace(body=batches[3].body + b"\0")

    refused = await refusal(office.admin.operations.VerifyLog(wire.VerifyLogRequest()))

    assert refused.code == "LOG_CORRUPT"
    assert refused.details["sequence"] == "4"


async def test_a_log_without_a_file_is_not_copied_and_what_copies_it_is_named(office: Office) -> None:
    refused = await refusal(office.admin.operations.BackupLog(wire.BackupLogRequest(name="monday")))

    assert (refused.code, refused.details["state"]) == ("WRONG_STATE", "NO_FILE")
    assert refused.details["instead"].startswith("crowdroute log copy ")
    assert "Kafka" in str(refused)
    assert refused.details["instead"] in str(refused)


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "-x", "x" * 101, "a\0b", "a b"])
async def test_a_name_that_leads_elsewhere_is_refused(office: Office, name: str) -> None:
    method = OPERATIONS.methods_by_name["BackupLog"]

    refused = await ask(office.admin, method, wire.BackupLogRequest(name=name))

    assert refused is not None
    assert refused.code == "INVALID_ARGUMENT"


async def test_a_copy_can_be_served_in_place_of_the_log(tmp_path: Path) -> None:
    async with embedded(tmp_path / "live") as live:
        project = await fill(live.client)
        found = [one async for one in live.client.operations.BackupLog(wire.BackupLogRequest(name="monday"))]
        progress = found[-1]
        assert progress.done
        assert progress.sequence == live.engine.log.head()[0]
        assert Path(progress.path).parent == live.directory / "backups"
        again = await refusal(live.client.operations.BackupLog(wire.BackupLogRequest(name="monday")))
        assert again.code == "ALREADY_EXISTS"
        await fill_more(live.client, project)

    restored = tmp_path / "restored"
    restored.mkdir()
    database = next(path for path in (tmp_path / "live").iterdir() if path.suffix not in (".token", "")).name
    (restored / database).write_bytes(Path(progress.path).read_bytes())
    assert verify(restored).ok
    async with embedded_group(restored, snapshots=False) as group:
        engine = group.engines[0]
        state = engine.project("default", bytes.fromhex(project.removeprefix("prj_")))
        assert state.tasks.count == 5
        assert engine.log.head()[0] == progress.sequence


async def fill_more(client: AsyncClient, project: str) -> None:
    item = tasks_pb2.NewItem(external_id="after the copy")
    item.content.add(id="text", text="look")
    await client.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project, items=[item]))


class SlowLog:
    """A log whose copy takes as long as the test wants."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.go_on = asyncio.Event()
        self.copied: asyncio.Future[Path] = asyncio.get_running_loop().create_future()

    def head(self) -> tuple[int, bytes]:
        return 7, bytes(32)

    async def backup(self, target: Path) -> None:
        await self.go_on.wait()
        self.copied.set_result(target)


async def test_a_copy_that_was_begun_is_finished_without_its_caller(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SlowLog(tmp_path)
    monkeypatch.setattr(office.engine, "log", log)
    monkeypatch.setattr(administration, "PROGRESS_SECONDS", 0.01)
    client = await office.client()
    events = aiter(client.operations.BackupLog(wire.BackupLogRequest(name="alone")))
    progress = await anext(events)
    assert not progress.done
    await client.close()

    log.go_on.set()

    assert str(await asyncio.wait_for(log.copied, 10)) == progress.path
