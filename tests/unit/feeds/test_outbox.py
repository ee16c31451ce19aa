"""What the log tells goes to topics: each thing once by its id, in order, whatever ends the process."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.outbox import ORGANISATION, PERSON, STREAM, WORKERS, House

from crowdroute.router.adapters.kafka_outbox import Position
from crowdroute.router.commands.organisation import (
    ChangeWorkerStatus,
    ErasePerson,
)
from crowdroute.router.commands.project import (
    AmendAnswer,
    CorrectResult,
    EraseItem,
)
from crowdroute.router.errors import ConfigurationError
from crowdroute.router.feeds.standing import OutboxStanding
from crowdroute.router.feeds.told import AnnotationRecord, PaymentRecord, ResultRecord, WorkerRecord
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.states import Purpose, WorkerStatus

MODELS = {
    "crowdroute.results": ResultRecord,
    "crowdroute.annotations": AnnotationRecord,
    "crowdroute.workers": WorkerRecord,
    "crowdroute.payments": PaymentRecord,
}


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
        while house.standing.sequence < house.engine.loop.commits.sequence:
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

    house.topics.noted = Position(house.engine.loop.commits.sequence + 1, "00" * 32)
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
        while house.topics.calls < until and house.standing.sequence < house.engine.loop.commits.sequence:
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
