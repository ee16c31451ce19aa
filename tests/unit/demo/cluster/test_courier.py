"""The courier brings every task in, and a shard that is away holds up its own tasks alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.demo.cluster.world import picture

from crowdroute.api.v1 import results_pb2, tasks_pb2
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.demo.cluster import courier
from crowdroute.router.demo.cluster.courier import carry_tasks, result_record
from crowdroute.router.demo.cluster.flow import ProjectFlow
from crowdroute.router.demo.cluster.topics import task_record
from crowdroute.router.feeds.told import ResultRecord

NOWHERE = KafkaConnection(("127.0.0.1:1",))
PATIENCE_S = 30.0


async def test_tasks_of_a_project_whose_shard_is_away_wait_and_those_of_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "LOOK_S", 0.0)
    monkeypatch.setattr(courier, "MOST_AT_ONCE", 2)
    back, all_there, others_there = asyncio.Event(), asyncio.Event(), asyncio.Event()
    handed_in: dict[str, list[str]] = {"prj_a": [], "prj_b": []}

    async def follow(_: KafkaConnection, topic: str, take: Callable[[bytes], None]) -> None:
        assert topic == "trial.tasks"
        for number in range(5):
            for name in ("digits-a", "digits-b"):
                take(task_record(name, picture(number)).model_dump_json().encode())

    async def add(request: tasks_pb2.AddItemsRequest, timeout: float) -> None:
        if request.project_id == "prj_a":
            await back.wait()
        handed_in[request.project_id] += [item.external_id for item in request.items]
        if len(handed_in["prj_b"]) == 5:
            others_there.set()
        if sum(map(len, handed_in.values())) == 10:
            all_there.set()

    monkeypatch.setattr(courier, "follow", follow)
    client: Any = SimpleNamespace(operations=SimpleNamespace(AddItems=add))
    projects = [ProjectFlow("digits-a", "prj_a", 0, []), ProjectFlow("digits-b", "prj_b", 1, [])]
    carrying = asyncio.create_task(carry_tasks(client, NOWHERE, "trial.tasks", projects))
    async with asyncio.timeout(PATIENCE_S):
        await others_there.wait()
        assert handed_in["prj_a"] == []
        back.set()
        await all_there.wait()
    carrying.cancel()
    await asyncio.wait((carrying,))
    expected = [f"digit-{number}" for number in range(5)]
    assert handed_in == {"prj_a": expected, "prj_b": expected}


REASONS = [name for name, number in results_pb2.ResultReason.items() if number]


@pytest.mark.parametrize("reason", REASONS)
def test_a_result_becomes_a_record_of_the_published_schema_whatever_its_reason(reason: str) -> None:
    result = results_pb2.Result(
        task_id="tsk_1",
        item_id="itm_1",
        external_id="digit-1",
        revision=2,
        fields={"label": results_pb2.FieldConclusion(label="3", probabilities={"3": 0.9, "8": 0.1})},
        confidence=0.9,
        reason=results_pb2.ResultReason.Value(reason),
        counted=3,
    )
    record = result_record(result, ProjectFlow("digits-b", "prj_b", 1, []), 7)
    assert ResultRecord.model_validate_json(record.model_dump_json()) == record
    assert record.id.startswith("01-")
    assert (record.project, record.external_id, record.revision) == ("digits-b", "digit-1", 2)
    assert record.fields["label"].probabilities == {"3": 0.9, "8": 0.1}
    assert record.reason in reason.lower()
