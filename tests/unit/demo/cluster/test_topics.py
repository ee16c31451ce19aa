"""Tasks stand in Kafka as the published schema wants them, and what comes back counts once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest
from tests.unit.demo.cluster.world import picture, result

from crowdroute.api.v1 import tasks_pb2
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.demo.cluster import topics
from crowdroute.router.demo.cluster.topics import Read, produce, task_record
from crowdroute.router.demo.working import NAME
from crowdroute.router.feeds.records import TaskRecord, item_of, task_of

NOWHERE = KafkaConnection(("127.0.0.1:1",))


@pytest.mark.parametrize("number", [10, 11])
def test_a_picture_becomes_a_task_that_the_feeds_read_with_its_known_answer_only_if_it_is_gold(
    number: int,
) -> None:
    record = task_record("digits-a", picture(number))
    item = item_of(task_of(record.model_dump_json(exclude_defaults=True).encode()))
    gold = number % 10 == 0
    assert item.purpose == (tasks_pb2.PURPOSE_GOLD if gold else tasks_pb2.PURPOSE_PRODUCTION)
    assert [part.label for part in item.gold.values()] == (["3"] if gold else [])
    parts = {part.id: part.text for part in item.content}
    assert parts[NAME] == str(number)
    assert parts["picture"] == picture(number).text()


@dataclass
class FakeSender:
    """Keeps what is sent."""

    topic: str
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    closed: bool = False

    async def send(self, value: bytes, key: bytes) -> None:
        self.sent.append((json.loads(value)["external_id"], key))

    def close(self) -> None:
        self.closed = True


async def test_every_task_is_produced_once_in_its_order_and_told_of_when_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[FakeSender] = []

    def connect(_: KafkaConnection, topic: str, partition: int) -> FakeSender:
        assert partition == 0
        made.append(FakeSender(topic))
        return made[0]

    monkeypatch.setattr(topics, "KafkaSender", connect)
    monkeypatch.setattr(topics, "TASKS_PER_SECOND", 1e6)
    told: list[TaskRecord] = []
    records = [task_record("digits-a", picture(number)) for number in range(5)]
    await produce(NOWHERE, "crowdroute.tasks", records, told.append)
    assert told == records
    (sender,) = made
    assert sender.topic == "crowdroute.tasks"
    assert sender.sent == [(f"digit-{number}", f"digit-{number}".encode()) for number in range(5)]
    assert sender.closed


def test_a_record_that_comes_again_is_counted_once_and_other_shards_ids_are_apart() -> None:
    read = Read()
    for record in (
        result(0, 5, 1),
        result(1, 2, 2),
        result(0, 6, 1, revision=2),
        result(0, 5, 1),
        result(0, 6, 1, revision=2),
    ):
        read.result(record.model_dump_json().encode())
    assert {task: [one.revision for one in each] for task, each in read.results.items()} == {
        "tsk_1": [1, 2],
        "tsk_2": [1],
    }
    assert read.again == 2
