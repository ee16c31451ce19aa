"""What the log tells goes to topics: each thing once by its id, in order, whatever ends the process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import TENANT, make_rules

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.kafka_outbox import Letter, Position
from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.commands.base import Wish
from crowdroute.router.commands.organisation import (
    ChangeWorkerStatus,
    CreateOrganisation,
    ErasePerson,
    UpsertWorker,
)
from crowdroute.router.commands.project import (
    AddTasks,
    AmendAnswer,
    CorrectResult,
    CreateProject,
    EraseItem,
    NewTask,
    RequestNext,
    SubmitAnswer,
)
from crowdroute.router.commands.replies import Offered
from crowdroute.router.errors import ConfigurationError, StorageError
from crowdroute.router.feeds.outbox import Outbox
from crowdroute.router.feeds.standing import OutboxStanding
from crowdroute.router.feeds.told import AnnotationRecord, PaymentRecord, ResultRecord, WorkerRecord
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model import content
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.content import ItemContent, Part
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import GoldPlan, Overlap, Prices
from crowdroute.router.model.states import Purpose, WorkerStatus
from crowdroute.router.ports import ContentChange
from crowdroute.router.rpc.convert.content import encode_item
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.settings import FeedSettings, Told

PROJECT = bytes(15) + b"\1"
WORKERS = [bytes(15) + bytes([number]) for number in (7, 8)]
PERSON = bytes(15) + b"\x09"
STREAM, ORGANISATION = project_stream(TENANT, PROJECT), organisation_stream(TENANT)
MODELS = {
    "crowdroute.results": ResultRecord,
    "crowdroute.annotations": AnnotationRecord,
    "crowdroute.workers": WorkerRecord,
    "crowdroute.payments": PaymentRecord,
}


class Topics:
    """A broker: what it acknowledged, and the last position of the shard."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.noted: Position | None = None
        self.failures: list[str] = []
        """What the next calls do: `lost` (nothing arrives), `unheard` (it arrives, the answer does not)."""
        self.calls = 0

    def records(self, topic: str) -> list[dict[str, Any]]:
        """Give the records of a topic in their order."""
        return [json.loads(each.value) for each in self.letters if each.topic == f"crowdroute.{topic}"]


class Post:
    """A producer of one process."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    def position(self) -> Position | None:
        return self._topics.noted

    def put(self, letters: Sequence[Letter]) -> None:
        self._send(lambda: self._topics.letters.extend(letters))

    def note(self, position: Position) -> None:
        self._send(lambda: setattr(self._topics, "noted", position))

    def _send(self, arrive: Callable[[], None]) -> None:
        self._topics.calls += 1
        failure = self._topics.failures.pop(0) if self._topics.failures else ""
        if failure != "lost":
            arrive()
        if failure:
            raise StorageError("not acknowledged")

    def close(self) -> None:
        pass


class House:
    """An engine with a project of two answers a task, and the topics."""

    def __init__(self) -> None:
        self.disk = MemoryDisk(bytes(range(32)))
        self.engine = self.recovered()
        self.topics = Topics()
        self.standing = OutboxStanding()
        self.fences: dict[Id, tuple[Id, int]] = {}

    def recovered(self) -> Engine:
        """Give the engine of a process that folded what is durable."""
        shard = Shard()
        for stored in self.disk.batches:
            shard.apply(decode_batch(stored.body, stored.sequence))
        shard.settle()
        return Engine(
            shard,
            MemoryLog(self.disk),
            MemoryContents(self.disk),
            ManualClock(),
            SeededIds(1),
            content_key=self.disk.content_key,
        )

    async def begin(self) -> None:
        """Create the organisation, its workers and the project."""
        self.engine.start()
        rules = make_rules(
            overlap=Overlap(2, 2), gold=GoldPlan(1.0), prices=Prices(crowd_micros=50_000, currency="EUR")
        )
        await self.ask(ORGANISATION, CreateOrganisation(TENANT))
        await self.ask(STREAM, CreateProject(PROJECT, "cats", rules))
        for worker in WORKERS:
            await self.ask(
                ORGANISATION, UpsertWorker(worker, PERSON if worker == WORKERS[0] else NO_ID, NO_ID)
            )

    async def ask(self, stream: str, command: Wish, contents: Sequence[ContentChange] = ()) -> Any:
        """Have a command decided."""
        request = self.engine.request(stream, command, principal="tok_manager")  # type: ignore[arg-type]
        return await self.engine.submit(request, contents)

    async def add(self, name: str, purpose: Purpose = Purpose.PRODUCTION) -> tuple[Id, Id]:
        """Add a task; gives item and task."""
        item, task = self.engine.new_id(), self.engine.new_id()
        known = (Choice(0, 0),) if purpose == Purpose.GOLD else ()
        body = encode_item(ItemContent(name, (Part("text", "text/plain", "a cat"),)))
        new = NewTask(
            item,
            task,
            self.engine.digest(name.encode()),
            self.engine.digest(body),
            purpose=purpose,
            gold=known,
        )
        await self.ask(STREAM, AddTasks((new,)), [ContentChange(content.item(item), body)])
        return item, task

    async def answer(self, worker: Id, label: int = 0) -> tuple[Id, int]:
        """Take a task and answer it; gives assignment and fence."""
        work = await self.ask(STREAM, RequestNext(worker))
        assert isinstance(work, Offered)
        grant = work.leases[0]
        await self.ask(STREAM, SubmitAnswer(worker, grant.assignment, grant.fence, (Choice(0, label),), 1500))
        return grant.assignment, grant.fence

    def outbox(self, out: Sequence[Told] = ("results", "annotations", "workers", "payments")) -> Outbox:
        """Give the outbox of a process."""
        settings = FeedSettings(servers=["127.0.0.1:9092"], out=list(out))
        return Outbox(settings, TENANT, self.engine, self.standing, lambda: Post(self.topics))

    async def put_out(self, outbox: Outbox) -> None:
        """Let an outbox run until it has put out the whole log, and end it."""
        following = asyncio.create_task(outbox.follow())
        async with asyncio.timeout(20):
            while self.standing.sequence < self.engine.loop.sequence and not following.done():
                await asyncio.sleep(0.001)
        if following.done():
            following.result()
        following.cancel()
        await asyncio.wait((following,))


@pytest.fixture
async def house() -> House:
    made = House()
    await made.begin()
    return made


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crowdroute.router.feeds.outbox.RETRY_SECONDS", 0.0)


async def test_an_answered_task_is_told_as_annotations_payments_and_a_result(house: House) -> None:
    await house.add("photo-1")
    for worker in WORKERS:
        await house.answer(worker)

    await house.put_out(house.outbox())

    annotations, (result,) = house.topics.records("annotations"), house.topics.records("results")
    assert [each["worker_id"] for each in annotations] == [f"wrk_{worker.hex()}" for worker in WORKERS]
    assert {each["external_id"] for each in (*annotations, result)} == {"photo-1"}
    assert [(each["change"], each["intake"], each["answers"]) for each in annotations] == [
        ("submitted", "counted", {"label": "yes"})
    ] * 2
    assert (result["fields"]["label"]["label"], result["revision"], result["counted"]) == ("yes", 1, 2)
    payments = house.topics.records("payments")
    assert [(each["amount"], each["currency"], each["kind"]) for each in payments] == [
        ("0.05", "EUR", "piece")
    ] * 2
    assert [each["assignment_id"] for each in payments] == [each["assignment_id"] for each in annotations]
    assert [each["change"] for each in house.topics.records("workers")] == ["upserted"] * 2
    assert house.standing.lag == 0


async def test_every_record_is_as_its_schema_says_and_keyed_by_what_it_is_about(house: House) -> None:
    await house.add("photo-1")
    for worker in WORKERS:
        await house.answer(worker)

    await house.put_out(house.outbox())

    for letter in house.topics.letters:
        record = MODELS[letter.topic].model_validate_json(letter.value)
        about = getattr(record, "task_id", None) or getattr(record, "worker_id", None)
        assert str(about).endswith(letter.key.decode())
    ids = [json.loads(letter.value)["id"] for letter in house.topics.letters]
    assert ids == sorted(set(ids))


async def test_corrections_amendments_and_standing_are_told_after_what_they_change(house: House) -> None:
    _, task = await house.add("photo-1")
    assignment, fence = await house.answer(WORKERS[0], label=1)
    await house.ask(STREAM, AmendAnswer(WORKERS[0], assignment, fence, (Choice(0, 0),)))
    await house.answer(WORKERS[1])
    await house.ask(STREAM, CorrectResult(task, (Choice(0, 2),), "seen by a lawyer"))
    await house.ask(ORGANISATION, ChangeWorkerStatus(WORKERS[1], WorkerStatus.PAUSED, "paused_by_manager"))
    await house.ask(ORGANISATION, ErasePerson(PERSON, "asked for it"))

    await house.put_out(house.outbox())

    changes = [(each["change"], each["answers"]) for each in house.topics.records("annotations")]
    assert changes[:2] == [("submitted", {"label": "no"}), ("amended", {"label": "yes"})]
    results = [(each["revision"], each["reason"]) for each in house.topics.records("results")]
    assert results[-1] == (len(results), "corrected")
    workers = house.topics.records("workers")[2:]
    assert [(each["change"], each["worker_id"][-2:]) for each in workers] == [
        ("status", "08"),
        ("erased", "07"),
    ]


async def test_gold_has_annotations_and_no_result_and_no_record_has_a_purpose(house: House) -> None:
    await house.add("photo-1", Purpose.GOLD)
    await house.answer(WORKERS[0])

    await house.put_out(house.outbox())

    assert house.topics.records("results") == []
    (annotation,) = house.topics.records("annotations")
    assert "purpose" not in annotation


async def test_what_was_erased_before_it_was_put_out_is_not_told(house: House) -> None:
    item, _ = await house.add("secret-name")
    await house.answer(WORKERS[0])
    await house.ask(STREAM, EraseItem(item, "asked for it"))
    await house.add("photo-2")
    await house.answer(WORKERS[1])

    await house.put_out(house.outbox())

    assert [each["external_id"] for each in house.topics.records("annotations")] == ["photo-2"]
    assert not any(b"secret-name" in each.value for each in house.topics.letters)


async def test_an_erasure_that_never_became_durable_hides_nothing(house: House) -> None:
    item, _ = await house.add("photo-1")
    await house.answer(WORKERS[0])
    assert house.disk.owner is not None
    house.disk.owner.hold()
    house.engine.decide(house.engine.request(STREAM, EraseItem(item, "asked for it")))
    following = asyncio.create_task(house.outbox().follow())
    for _ in range(100):
        await asyncio.sleep(0.001)
    house.disk.owner.crash()
    following.cancel()
    await asyncio.wait((following,))

    house.engine, house.standing = house.recovered(), OutboxStanding()
    house.engine.start()
    await house.put_out(house.outbox())

    assert [each["external_id"] for each in house.topics.records("annotations")] == ["photo-1"]


async def test_a_topic_that_is_not_wanted_gets_nothing(house: House) -> None:
    await house.add("photo-1")
    await house.answer(WORKERS[0])

    await house.put_out(house.outbox(["payments"]))

    assert {each.topic for each in house.topics.letters} == {"crowdroute.payments"}


async def test_a_broker_that_is_away_holds_nobody_up_and_gets_everything_later(house: House) -> None:
    house.topics.failures = ["lost"] * 50
    following = asyncio.create_task(house.outbox().follow())
    for number in range(5):
        await house.add(f"photo-{number}")
        await house.answer(WORKERS[0])  # each is acknowledged although nothing can be put out
    async with asyncio.timeout(20):
        while house.standing.sequence < house.engine.loop.sequence:
            await asyncio.sleep(0.001)
    following.cancel()
    await asyncio.wait((following,))

    assert len(house.topics.records("annotations")) == 5
    assert not house.engine.failed.done()


async def test_an_outbox_that_put_another_log_out_is_refused(house: House) -> None:
    await house.put_out(house.outbox())
    assert house.topics.noted is not None
    house.topics.noted = Position(house.topics.noted.sequence, "00" * 32)

    with pytest.raises(ConfigurationError, match="another"):
        await house.outbox().follow()

    house.topics.noted = Position(house.engine.loop.sequence + 1, "00" * 32)
    with pytest.raises(ConfigurationError, match="old copy"):
        await house.outbox().follow()


async def _story(failures: list[str], cuts: list[int]) -> tuple[list[str], list[str]]:
    """Put a history out by processes that end at any time; gives all ids, and those a consumer keeps."""
    house = House()
    await house.begin()
    for number in range(4):
        await house.add(f"photo-{number}")
        for worker in WORKERS:
            await house.answer(worker)
    house.topics.failures = list(failures)
    for cut in cuts:
        following = asyncio.create_task(house.outbox().follow())
        until = house.topics.calls + cut
        while house.topics.calls < until and house.standing.sequence < house.engine.loop.sequence:
            await asyncio.sleep(0.0005)
        following.cancel()
        await asyncio.wait((following,))
        house.standing.sequence = 0
    await house.put_out(house.outbox())
    await house.engine.drain()
    kept: list[str] = []
    for letter in house.topics.letters:
        name = json.loads(letter.value)["id"]
        if not kept or name > kept[-1]:  # all that a consumer has to remember
            kept.append(name)
    clean = House()
    clean.disk = house.disk
    assert house.disk.owner is not None
    house.disk.owner.crash()
    clean.engine = clean.recovered()
    clean.engine.start()
    await clean.put_out(clean.outbox())
    await clean.engine.drain()
    return [json.loads(letter.value)["id"] for letter in clean.topics.letters], kept


@given(
    failures=st.lists(st.sampled_from(["", "lost", "unheard"]), max_size=8),
    cuts=st.lists(st.integers(0, 3), max_size=3),
)
def test_who_drops_ids_not_above_the_last_has_everything_once(failures: list[str], cuts: list[int]) -> None:
    wanted, kept = asyncio.run(_story(failures, cuts))
    assert kept == wanted
