"""The programs in the documents run as they are written, against a real engine on a free port."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.docs.documents import blocks, read

from crowdroute.api.v1 import projects_pb2, tasks_pb2, tokens_pb2
from crowdroute.client import Client, Connection
from crowdroute.router.adapters.sqlite_files import database_path
from crowdroute.router.adapters.sqlite_verify import verify
from crowdroute.router.replay.temporary import temporary_engine
from crowdroute.router.rpc.bootstrap import TOKEN_FILE
from crowdroute.router.runtime.embedded import embedded_group

ADDRESS = '"localhost:7070"'
ITEMS = 3


def example(document: str, engine: Connection) -> Callable[..., dict[str, Any]]:
    """Give the one Python program of a document as a function of the names that it takes for granted."""
    (program,) = blocks(read(document), "python")
    code = compile(program.replace(ADDRESS, repr(engine.address)), document, "exec")

    def run(**names: object) -> dict[str, Any]:
        exec(code, names)
        return names

    return run


def create_project(engine: Connection) -> str:
    """Create a project under the rules of the README, with a few items; gives its id."""
    (rules,) = blocks(read("README.md"), "yaml")
    with Client(engine) as client:
        project = client.operations.CreateProject(
            projects_pb2.CreateProjectRequest(name="cats", rules_yaml=rules)
        )
        items = tasks_pb2.AddItemsRequest(project_id=project.id)
        for number in range(ITEMS):
            item = items.items.add(external_id=f"item-{number}")
            item.content.add(id="text", mime_type="text/plain", text=f"picture {number}")
        client.operations.AddItems(items)
    return str(project.id)


def answers(engine: Connection, project_id: str) -> int:
    """Give how many answers a project took."""
    with Client(engine) as client:
        stats = client.operations.GetStats(projects_pb2.GetStatsRequest(project_id=project_id))
    return int(stats.answers_accepted)


async def test_the_front_end_of_the_readme_answers_everything_there_is() -> None:
    assert ADDRESS in blocks(read("README.md"), "python")[0]
    async with temporary_engine() as engine:
        project_id = await asyncio.to_thread(create_project, engine)
        run = example("README.md", engine)
        await asyncio.to_thread(run, admin_token=engine.token, project_id=project_id)
        assert await asyncio.to_thread(answers, engine, project_id) == ITEMS


async def test_the_work_stream_of_the_guide_for_front_ends_answers_until_it_is_enough() -> None:
    async with temporary_engine() as engine:
        project_id = await asyncio.to_thread(create_project, engine)

        def sign_in() -> str:
            with Client(engine) as client:
                request = tokens_pb2.CreateWorkerSessionRequest(upsert={"external_id": "ann@example.org"})
                return str(client.operations.CreateWorkerSession(request).bearer)

        session = await asyncio.to_thread(sign_in)
        shown: list[str] = []

        def ask_person(offer: Any) -> str:
            shown.append(offer.content[0].text)
            return "cat"

        label = example("docs/front-ends.md", engine)()["label"]
        await label(engine.address, session, project_id, ask_person, lambda: len(shown) == ITEMS)
        assert sorted(shown) == [f"picture {number}" for number in range(ITEMS)]
        assert await asyncio.to_thread(answers, engine, project_id) == ITEMS


async def test_a_backup_made_as_the_guide_says_is_restored_as_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with temporary_engine() as engine:
        project_id = await asyncio.to_thread(create_project, engine)
        run = example("docs/operations.md", engine)
        names = await asyncio.to_thread(run, admin_token=engine.token)
        backup = Path(names["progress"].path)
        assert names["progress"].done
        assert (backup.parent.name, backup.name) == ("backups", "monday.sqlite")
        assert f"{backup} is complete" in capsys.readouterr().out
        shutil.copy(backup, database_path(tmp_path))
    assert verify(tmp_path).ok
    async with embedded_group(tmp_path, snapshots=False) as group:
        restored = group.engines[0]
        (found,) = [state for _, state in restored.projects()]
        assert f"prj_{found.project.hex()}" == project_id
        assert found.tasks.count == ITEMS
    assert not (tmp_path / TOKEN_FILE).exists()
