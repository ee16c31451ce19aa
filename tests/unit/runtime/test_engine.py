"""The engine as its callers see it, over a disk in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.wire import TENANT, make_rules

from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.commands.organisation import CreateOrganisation, ErasePerson, UpsertWorker
from crowdroute.router.commands.project import (
    AddTasks,
    CreateProject,
    EraseItem,
    NewTask,
    RequestNext,
    SaveDraft,
    SubmitAnswer,
)
from crowdroute.router.commands.replies import Granted, Offered
from crowdroute.router.errors import AppendFailed, InvalidCommand, NotFound, ShuttingDown
from crowdroute.router.events.project import OutageNoted
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model import content
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import NO_ID, Id, Kind
from crowdroute.router.model.states import Receipt
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime.engine import Engine, EngineState
from crowdroute.router.runtime.snapshot_feed import SnapshotFeed

SECOND = 1_000_000
PROJECT, WORKER, ITEM, TASK = (bytes([number]) * 16 for number in range(1, 5))
STREAM, ORGANISATION = project_stream(TENANT, PROJECT), organisation_stream(TENANT)


class House:
    """A disk, and the engines that come and go on it."""

    def __init__(self) -> None:
        self.disk = MemoryDisk(bytes(range(32)))
        self.clock = ManualClock()

    def engine(self, shard: Shard | None = None, last_us: int | None = None, snapshot: int = 0) -> Engine:
        log = MemoryLog(self.disk)
        return Engine(
            shard or Shard(),
            log,
            MemoryContents(self.disk),
            self.clock,
            SeededIds(1),
            content_key=log.content_key,
            last_us=last_us,
            snapshot=snapshot,
        )

    async def furnished(self) -> tuple[Engine, Granted]:
        """Give an engine in which one worker holds one lease."""
        engine = self.engine()
        engine.start()
        await engine.submit(engine.request(ORGANISATION, CreateOrganisation(TENANT)))
        await engine.submit(engine.request(STREAM, CreateProject(PROJECT, "cats", make_rules())))
        await engine.submit(engine.request(ORGANISATION, UpsertWorker(WORKER, NO_ID, NO_ID)))
        row = NewTask(ITEM, TASK, digest=engine.digest(b"a cat"))
        contents = [ContentChange(content.item(ITEM), b"a cat")]
        await engine.submit(engine.request(STREAM, AddTasks((row,))), contents)
        reply = await engine.submit(engine.request(STREAM, RequestNext(WORKER)))
        assert isinstance(reply, Offered)
        return engine, reply.leases[0]


@pytest.fixture
async def house() -> House:
    return House()


async def test_an_engine_goes_from_starting_to_serving_to_draining(house: House) -> None:
    engine = house.engine()
    states = [engine.state]
    engine.start()
    states.append(engine.state)
    await engine.drain()
    states.append(engine.state)

    assert states == [EngineState.STARTING, EngineState.SERVING, EngineState.DRAINING]
    with pytest.raises(ShuttingDown):
        await engine.submit(engine.request(ORGANISATION, CreateOrganisation(TENANT)))


async def test_a_disk_that_fails_ends_the_engine(house: House) -> None:
    engine, _ = await house.furnished()
    assert isinstance(engine.log, MemoryLog)
    engine.log.fail()

    with pytest.raises(AppendFailed):
        await engine.submit(engine.request(ORGANISATION, UpsertWorker(b"x" * 16, NO_ID, NO_ID)))

    assert engine.state is EngineState.FAILED
    assert engine.failed.done()


async def test_what_is_decided_is_told_once_it_is_observed(house: House) -> None:
    engine, lease = await house.furnished()
    assert isinstance(engine.log, MemoryLog)
    before = len(house.disk.batches)

    command = SubmitAnswer(WORKER, lease.assignment, lease.fence, (Choice(0, 0),))
    engine.decide(engine.request(STREAM, command))
    assert len(house.disk.batches) == before, "it is decided, and not durable yet"
    await engine.observe()

    assert len(house.disk.batches) == before + 1


async def test_an_erased_item_takes_its_content_and_all_that_was_written_about_it(house: House) -> None:
    engine, lease = await house.furnished()
    draft = ContentChange(content.draft(lease.assignment), b"half")
    command = SaveDraft(WORKER, lease.assignment, lease.fence, engine.digest(b"half"))
    await engine.submit(engine.request(STREAM, command), [draft])
    assert await engine.fetch([content.item(ITEM), draft.key]) == {
        content.item(ITEM): b"a cat",
        draft.key: b"half",
    }

    await engine.submit(engine.request(STREAM, EraseItem(ITEM, "asked to")))

    assert not house.disk.contents


async def test_what_is_said_of_an_item_after_its_erasure_is_not_kept(house: House) -> None:
    engine, lease = await house.furnished()
    await engine.submit(engine.request(STREAM, EraseItem(ITEM, "asked to")))

    remark = ContentChange(content.comment(lease.assignment), b"the man on the left is Bob")
    command = SubmitAnswer(
        WORKER, lease.assignment, lease.fence, (Choice(0, 0),), comment=engine.digest(remark.body)
    )
    reply = await engine.submit(engine.request(STREAM, command), [remark])

    assert (reply.receipt, reply.reason) == (Receipt.REFUSED, "LEASE_REVOKED")
    assert not house.disk.contents


async def test_what_an_erased_person_still_says_is_not_kept(house: House) -> None:
    engine, lease = await house.furnished()
    person = engine.organisation(TENANT).workers[WORKER].facts.person
    await engine.submit(engine.request(ORGANISATION, ErasePerson(person, "asked to")))

    remark = ContentChange(content.comment(lease.assignment), b"it is me, Ada")
    command = SubmitAnswer(
        WORKER, lease.assignment, lease.fence, (Choice(0, 0),), comment=engine.digest(remark.body)
    )
    await engine.submit(engine.request(STREAM, command), [remark])

    assert house.disk.contents.keys() == {content.item(ITEM)}


async def test_an_outage_extends_the_leases_of_every_project_that_has_any(house: House) -> None:
    engine, lease = await house.furnished()
    idle = project_stream(TENANT, b"z" * 16)
    await engine.submit(engine.request(idle, CreateProject(b"z" * 16, "dogs", make_rules())))
    happened: list[tuple[str, object]] = []
    engine.subscribe(
        lambda entries: happened.extend((entry.stream, event) for entry in entries for event in entry.events)
    )

    house.clock.advance(3600 * SECOND)
    await engine.submit(engine.request(ORGANISATION, UpsertWorker(b"x" * 16, NO_ID, NO_ID)))

    outages = [(stream, event) for stream, event in happened if isinstance(event, OutageNoted)]
    assert [stream for stream, _ in outages] == [STREAM]
    state = engine.project(TENANT, PROJECT)
    assert state.assignments.deadline_us[0] == lease.deadline_us + 3600 * SECOND


async def test_external_ids_are_apart_by_tenant_and_kind_and_tell_nothing_without_the_key(
    house: House,
) -> None:
    engine = house.engine()
    digests = {
        engine.external(tenant, kind, "ada")
        for tenant in ("acme", "other")
        for kind in (Kind.WORKER, Kind.ITEM)
    }
    assert len(digests) == 4
    assert engine.external("acme", Kind.WORKER, "") == NO_ID
    assert engine.external("acme", Kind.WORKER, "ada") == engine.external("acme", Kind.WORKER, "ada")
    other = House()
    other.disk.content_key = bytes(32)
    assert other.engine().external("acme", Kind.WORKER, "ada") not in digests


async def test_another_tenants_project_is_not_there(house: House) -> None:
    engine, _ = await house.furnished()

    assert engine.project(TENANT, PROJECT).name == "cats"
    assert engine.has_tenant(TENANT)
    assert not engine.has_tenant("other")
    with pytest.raises(NotFound):
        engine.project("other", PROJECT)
    with pytest.raises(NotFound):
        engine.organisation("other")


async def test_every_request_has_entropy_of_its_own(house: House) -> None:
    engine = house.engine()
    requests = [
        engine.request(STREAM, RequestNext(WORKER), principal="tok", request="r", key="k") for _ in range(3)
    ]

    entropies: set[Id] = {request.entropy for request in requests}
    assert len(entropies) == 3
    assert (requests[0].principal, requests[0].request, requests[0].key) == ("tok", "r", "k")


async def test_a_repetition_stores_no_contents_with_facts_that_were_owed(house: House) -> None:
    engine, _ = await house.furnished()

    async def add() -> None:
        item = engine.new_id()
        task = NewTask(item, engine.new_id(), digest=engine.digest(b"x"))
        request = engine.request(STREAM, AddTasks((task,)), key="once", digest=b"d" * 16)
        await engine.submit(request, [ContentChange(content.item(item), b"x")])

    await add()
    newcomer = b"n" * 16
    await engine.submit(engine.request(ORGANISATION, UpsertWorker(newcomer, NO_ID, NO_ID)))
    with pytest.raises(InvalidCommand, match="count 0"):
        engine.decide(engine.request(STREAM, RequestNext(newcomer, 0)))
    before = set(house.disk.contents)
    await add()
    assert set(house.disk.contents) == before


async def test_the_newest_snapshot_is_the_one_recovered_from_until_another_is_written(
    house: House, tmp_path: Path
) -> None:
    async def read_some(_after: int, _limit_bytes: int) -> Sequence[StoredBatch]:
        return ()

    engine = house.engine(snapshot=7)
    assert (engine.snapshot_sequence, engine.snapshotter_restarts) == (7, 0)
    feed = SnapshotFeed("no:core", tmp_path, read_some, 9)
    engine.feed_snapshotter(feed)
    assert engine.snapshot_sequence == 7
    feed.saved, feed.deaths = 9, 2
    assert (engine.snapshot_sequence, engine.snapshotter_restarts) == (9, 2)
