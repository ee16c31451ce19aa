"""Rows of a directory follow the state, and only what is durable of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping

import pytest
from tests.support.wire import TENANT, make_rules

from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.commands.organisation import (
    ChangeWorkerStatus,
    CreateOrganisation,
    ErasePerson,
    UpsertWorker,
)
from crowdroute.router.commands.project import CreateProject
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.ids import NO_ID, Kind, to_text
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.ports import Kept, KeyspaceOwner
from crowdroute.router.runtime.directory import keeper as keeping
from crowdroute.router.runtime.directory.keeper import Keeper, owner_of
from crowdroute.router.runtime.directory.tables import Profiles, tables_of
from crowdroute.router.runtime.engine import Engine

ANN, BOB, PERSON, PROJECT = (bytes([number]) * 16 for number in range(1, 5))
ORGANISATION, STREAM = organisation_stream(TENANT), project_stream(TENANT, PROJECT)
PROFILES = f"profiles/{TENANT}"


class Faulty(MemoryDirectory):
    """A directory that can be away, or lose everything."""

    away = False

    async def put(self, keyspace: str, owner: KeyspaceOwner, changes: Mapping[str, bytes | None]) -> Kept:
        return Kept.UNREACHABLE if self.away else await super().put(keyspace, owner, changes)

    async def rebuild(
        self, keyspace: str, owner: KeyspaceOwner, rows: AsyncIterable[Mapping[str, bytes]]
    ) -> Kept:
        return Kept.UNREACHABLE if self.away else await super().rebuild(keyspace, owner, rows)

    def lose(self) -> None:
        self._rows.clear()


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    log = MemoryLog(MemoryDisk(bytes(range(32))))
    engine = Engine(
        Shard(),
        log,
        MemoryContents(MemoryDisk(bytes(32))),
        ManualClock(),
        SeededIds(1),
        content_key=log.content_key,
    )
    engine.start()
    await engine.submit(engine.request(ORGANISATION, CreateOrganisation(TENANT)))
    await engine.submit(engine.request(ORGANISATION, UpsertWorker(ANN, PERSON, NO_ID, languages=("en",))))
    yield engine
    await engine.drain()


@pytest.fixture
def directory() -> Faulty:
    return Faulty()


@pytest.fixture
async def keeper(engine: Engine, directory: Faulty) -> AsyncIterator[Keeper]:
    """A keeper that follows."""
    keeper = Keeper(engine, directory, tables_of(3, engine, "10.0.0.1:7070"))
    await keeper.step()
    running = asyncio.create_task(keeper.run())
    await asyncio.sleep(0)
    yield keeper
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def profile(directory: MemoryDirectory, worker: bytes) -> dict[str, object] | None:
    key = to_text(Kind.WORKER, worker)
    row = (await directory.get(PROFILES, [key])).get(key)
    return None if row is None else json.loads(row)


async def test_a_start_tells_what_the_log_says(keeper: Keeper, directory: Faulty) -> None:
    told = await profile(directory, ANN)
    assert told is not None
    assert (told["status"], told["stages"], told["languages"]) == ("new", ["crowd"], ["en"])
    assert keeper.current
    address = await directory.get("shards/3", ["address"])
    assert json.loads(address["address"]) == {"address": "10.0.0.1:7070", "epoch": 1}


async def test_no_row_leads_to_a_person(keeper: Keeper, directory: Faulty) -> None:
    key = to_text(Kind.WORKER, ANN)
    row = (await directory.get(PROFILES, [key]))[key]
    assert PERSON.hex().encode() not in row


async def test_what_changes_follows(engine: Engine, keeper: Keeper, directory: Faulty) -> None:
    await engine.submit(engine.request(ORGANISATION, UpsertWorker(BOB, NO_ID, NO_ID)))
    await engine.submit(
        engine.request(
            ORGANISATION, ChangeWorkerStatus(ANN, WorkerStatus.BANNED, "misconduct"), principal="tok_manager"
        )
    )
    await engine.submit(engine.request(STREAM, CreateProject(PROJECT, "cats", make_rules())))
    await keeper.step()

    assert (await profile(directory, BOB) or {})["status"] == "new"
    assert (await profile(directory, ANN) or {})["status"] == "banned"
    project = to_text(Kind.PROJECT, PROJECT)
    found = await directory.get(f"placement/{TENANT}", [project])
    assert json.loads(found[project]) == {"shard": 0, "lane": 0}
    assert keeper.rebuilds == 4, "one for each keyspace, at the start"


async def test_who_is_erased_is_told_with_a_new_version(
    engine: Engine, keeper: Keeper, directory: Faulty
) -> None:
    before = await profile(directory, ANN)
    await engine.submit(engine.request(ORGANISATION, ErasePerson(PERSON, "asked")))
    await keeper.step()
    after = await profile(directory, ANN)
    assert before is not None
    assert after is not None
    assert after["version"] == before["version"] + 1  # type: ignore[operator]


async def test_what_was_lost_is_built_again(keeper: Keeper, directory: Faulty) -> None:
    directory.lose()
    assert await profile(directory, ANN) is None
    await keeper.step()
    assert await profile(directory, ANN) is not None
    assert keeper.current


async def test_changes_while_nobody_answers_are_told_afterwards(
    engine: Engine, keeper: Keeper, directory: Faulty
) -> None:
    directory.away = True
    await engine.submit(engine.request(ORGANISATION, UpsertWorker(BOB, NO_ID, NO_ID)))
    await keeper.step()
    assert not keeper.current
    assert keeper.pending
    directory.away = False
    await keeper.step()
    assert await profile(directory, BOB) is not None
    assert keeper.current
    assert not keeper.pending


async def test_more_changes_than_are_remembered_end_in_a_rebuild(
    engine: Engine, keeper: Keeper, directory: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_PENDING", 1)
    directory.away = True
    for worker in (b"x" * 16, b"y" * 16, BOB):
        await engine.submit(engine.request(ORGANISATION, UpsertWorker(worker, NO_ID, NO_ID)))
    assert keeper.pending <= 1
    directory.away = False
    await keeper.step()
    assert await profile(directory, BOB) is not None
    assert await profile(directory, b"x" * 16) is not None


async def test_nothing_is_told_before_it_is_durable(
    engine: Engine, keeper: Keeper, directory: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable, observe = asyncio.Event(), engine.observe

    async def held_up() -> None:
        await durable.wait()
        await observe()

    monkeypatch.setattr(engine, "observe", held_up)
    await engine.submit(engine.request(ORGANISATION, UpsertWorker(BOB, NO_ID, NO_ID)))
    step = asyncio.create_task(keeper.step())
    await asyncio.wait([step], timeout=0.05)
    assert await profile(directory, BOB) is None
    assert keeper.pending == 1, "what is under way is not written yet"
    durable.set()
    await step
    assert await profile(directory, BOB) is not None
    assert not keeper.pending


async def test_a_successor_takes_over_and_we_write_nothing_more(
    engine: Engine, keeper: Keeper, directory: Faulty
) -> None:
    mine = owner_of(engine)
    later = KeyspaceOwner(mine.log, mine.epoch + 1)

    async def nobody() -> AsyncIterator[Mapping[str, bytes]]:
        for _ in ():
            yield {}

    assert await directory.rebuild(PROFILES, later, nobody()) is Kept.DONE
    await engine.submit(engine.request(ORGANISATION, UpsertWorker(BOB, NO_ID, NO_ID)))
    await keeper.step()
    assert await profile(directory, BOB) is None
    assert not keeper.current


async def test_a_namespace_of_another_cluster_is_refused_at_the_start(
    engine: Engine, directory: Faulty
) -> None:
    async def nobody() -> AsyncIterator[Mapping[str, bytes]]:
        for _ in ():
            yield {}

    await directory.rebuild(PROFILES, KeyspaceOwner("another", 1), nobody())
    keeper = Keeper(engine, directory, [Profiles(engine, TENANT)])
    await keeper.step()
    with pytest.raises(ConfigurationError, match=r"redis\.namespace"):
        keeper.require_ours()
