"""Records become tasks, or letters that say why not, and the input advances over both."""

from __future__ import annotations

import json
from base64 import b64decode

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel
from tests.conftest import REPOSITORY
from tests.support.wire import TENANT, make_rules

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.adapters.open_telemetry import traced
from crowdroute.router.commands.organisation import CreateOrganisation
from crowdroute.router.commands.project import CreateProject
from crowdroute.router.errors import InvalidCommand, StorageError
from crowdroute.router.feeds.intake import TaskIntake
from crowdroute.router.feeds.owners import Owners
from crowdroute.router.feeds.records import DeadLetter, TaskRecord, dead_letter, schema_of, task_of
from crowdroute.router.feeds.room import Room
from crowdroute.router.feeds.runs import RECORDS_AT_ONCE, Refused, runs_of
from crowdroute.router.feeds.told import AnnotationRecord, PaymentRecord, ResultRecord, WorkerRecord
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.ports import Tracer
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup

PROJECTS = {"cats": bytes(15) + b"\1", "dogs": bytes(15) + b"\2"}


def record(offset: int, project: str = "cats", **more: object) -> Found:
    """Give a sound record."""
    told = {"project": project, "external_id": f"e{offset}", "content": {"text": "a cat"}, **more}
    return Found(offset, None, json.dumps(told).encode())


class House:
    """An engine with two projects whose process may end at any time, and the letters that were sent."""

    def __init__(self) -> None:
        self.disk = MemoryDisk(bytes(range(32)))
        self.letters: dict[int, str] = {}
        self.post_is_down = False
        self.tracer: Tracer | None = None

    async def begin(self) -> TaskIntake:
        """Start a process: fold the log and take in from there."""
        shard = Shard()
        for stored in self.disk.batches:
            shard.apply(decode_batch(stored.body, stored.sequence))
        shard.settle()
        if self.disk.owner is not None:
            self.disk.owner.crash()
        log = MemoryLog(self.disk)
        ids = SeededIds(1 + len(self.disk.batches))
        self.engine = Engine(
            shard, log, MemoryContents(self.disk), ManualClock(), ids, content_key=log.content_key
        )
        self.engine.start()
        if not self.disk.batches:
            wish = CreateOrganisation(TENANT)
            await self.engine.submit(self.engine.request(organisation_stream(TENANT), wish))
            for name, project in PROJECTS.items():
                stream = project_stream(TENANT, project)
                await self.engine.submit(
                    self.engine.request(stream, CreateProject(project, name, make_rules()))
                )
        owners = Owners(ShardGroup.alone(self.engine), TENANT, "tasks", Room(10**6))
        return TaskIntake(owners, self._send_away, self.tracer)

    async def _send_away(self, partition: int, refused: Refused) -> None:
        if self.post_is_down:
            raise StorageError("no broker answers")
        self.letters[refused.found.offset] = refused.error.code

    def tasks(self, project: str) -> int:
        """Count the tasks of a project."""
        return self.engine.project(TENANT, PROJECTS[project]).tasks.count


async def take(intake: TaskIntake, records: list[Found]) -> None:
    for run in runs_of([each for each in records if each.offset >= intake.position(0)]):
        await intake.take(0, run)


async def test_sound_records_become_tasks_and_the_others_letters() -> None:
    house = House()
    intake = await house.begin()
    records = [
        record(0),
        Found(1, None, b"{"),
        record(2, "dogs"),
        record(3, "cows"),
        Found(4, b"key", None),
        record(7, priority=9),
        record(8, content={"text": {"text": "a", "url": "https://b.example"}}),
        record(9, purpose="gold"),
        record(10),
    ]

    await take(intake, records)

    assert (house.tasks("cats"), house.tasks("dogs")) == (2, 1)
    invalid = InvalidCommand.code
    assert house.letters == {1: invalid, 3: "NOT_FOUND", 4: invalid, 7: invalid, 8: invalid, 9: invalid}
    assert intake.position(0) == 11


async def test_a_process_that_starts_anew_goes_on_where_the_log_ends() -> None:
    house = House()
    records = [record(offset) for offset in range(5)]
    await take(await house.begin(), records[:3])

    intake = await house.begin()
    assert intake.position(0) == 3
    await take(intake, records)

    assert house.tasks("cats") == 5


async def test_a_snapshot_holds_how_far_inputs_are_taken_in() -> None:
    house = House()
    await take(await house.begin(), [record(0)])
    restored = Shard()

    restored.unpack(house.engine.shard.pack())

    assert restored.input_position("tasks", 0) == 1
    assert restored.digest() == house.engine.shard.digest()


async def test_an_item_that_is_known_adds_nothing() -> None:
    house = House()
    intake = await house.begin()

    await take(intake, [record(0), record(1, external_id="e0"), record(2, external_id="e0")])

    assert house.tasks("cats") == 1
    assert intake.position(0) == 3


async def test_the_input_waits_before_a_refused_record_whose_letter_cannot_be_sent() -> None:
    house = House()
    intake = await house.begin()
    house.post_is_down = True

    with pytest.raises(StorageError):
        await take(intake, [record(0), Found(1, None, b"{")])

    assert (intake.position(0), house.tasks("cats")) == (0, 0)


def test_runs_follow_the_order_of_the_records_and_are_cut_at_a_size() -> None:
    records = [record(offset) for offset in range(RECORDS_AT_ONCE + 1)]
    records.append(record(RECORDS_AT_ONCE + 1, "dogs"))

    runs = list(runs_of(records))

    lengths = [(run.project, len(run.tasks)) for run in runs]
    assert lengths == [("cats", RECORDS_AT_ONCE), ("cats", 1), ("dogs", 1)]
    assert [run.next_offset for run in runs] == [RECORDS_AT_ONCE, RECORDS_AT_ONCE + 1, RECORDS_AT_ONCE + 2]


def test_a_dead_letter_says_where_the_record_stood_and_repeats_its_bytes() -> None:
    with pytest.raises(InvalidCommand) as refused:
        task_of(b"\xff\x00")

    letter = DeadLetter.model_validate_json(dead_letter(("tasks", 2, 5), None, b"\xff\x00", refused.value))

    assert (letter.topic, letter.partition, letter.offset) == ("tasks", 2, 5)
    assert (letter.code, letter.key) == ("INVALID_ARGUMENT", None)
    assert letter.value is not None
    assert b64decode(letter.value) == b"\xff\x00"


PUBLISHED: dict[str, type[BaseModel]] = {
    "tasks": TaskRecord,
    "dead-letter": DeadLetter,
    "results": ResultRecord,
    "annotations": AnnotationRecord,
    "workers": WorkerRecord,
    "payments": PaymentRecord,
}


@pytest.mark.parametrize("topic", PUBLISHED)
def test_the_published_schema_is_that_of_the_model(topic: str) -> None:
    published = REPOSITORY / "docs" / "feeds" / f"{topic}.schema.json"
    assert published.read_text() == schema_of(PUBLISHED[topic])


async def test_the_commit_of_records_belongs_to_the_trace_that_their_producer_began() -> None:
    house, exporter = House(), InMemorySpanExporter()
    with traced(0.0, SimpleSpanProcessor(exporter)) as house.tracer:
        intake = await house.begin()
        trace = f"00-{1:032x}-{2:016x}-01"
        await take(intake, [record(0)._replace(traceparent=trace), record(1)])
    spans = {span.name: span for span in exporter.get_finished_spans()}
    process, commit = spans["process tasks"], spans["commit"]
    assert process.parent is not None
    assert process.parent.span_id == 2
    assert commit.parent == process.context
