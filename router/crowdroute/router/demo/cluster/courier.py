"""Carries tasks from Kafka to a cluster, and its results to Kafka, as a client of the API.

Feeds do that inside an engine, and exactly once whatever crashes; they need one process that serves all
shards, which a cluster's are not. The courier relies on what the API promises any client: a call that is
repeated is done once, and an external id that a project knows adds nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from crowdroute.api.v1 import results_pb2, tasks_pb2
from crowdroute.client import AsyncClient, NotConnected
from crowdroute.router.adapters.kafka_client import KafkaConnection
from crowdroute.router.adapters.kafka_sender import KafkaSender
from crowdroute.router.demo.cluster.flow import ProjectFlow
from crowdroute.router.demo.cluster.topics import follow, result_id
from crowdroute.router.feeds.records import item_of, task_of
from crowdroute.router.feeds.told import FieldRecord, ResultRecord

LOOK_S = 0.3
"""Between two looks at what waits to be carried."""

MOST_AT_ONCE = 200
"""Tasks in one call."""


async def carry_tasks(
    client: AsyncClient, kafka: KafkaConnection, topic: str, projects: list[ProjectFlow]
) -> None:
    """Hand the records of a topic in to their projects, until cancelled.

    Raises:
        StorageError: the broker does not answer.
        ClientError: the cluster refuses them, or does not answer.
    """
    ids = {project.name: project.id for project in projects}
    waiting: dict[str, list[tasks_pb2.NewItem]] = {name: [] for name in ids}

    def take(value: bytes) -> None:
        task = task_of(value)
        waiting[task.project].append(item_of(task))

    async def hand_in(name: str) -> None:
        while True:
            if items := waiting[name][:MOST_AT_ONCE]:
                request = tasks_pb2.AddItemsRequest(project_id=ids[name], items=items)
                await client.operations.AddItems(request, timeout=30.0)
                del waiting[name][: len(items)]
            else:
                await asyncio.sleep(LOOK_S)

    async with asyncio.TaskGroup() as group:
        group.create_task(follow(kafka, topic, take))
        for name in ids:  # each by itself: one whose shard is away holds nobody up
            group.create_task(hand_in(name))


async def carry_results(
    client: AsyncClient, kafka: KafkaConnection, topic: str, project: ProjectFlow
) -> None:
    """Write each revision of a project's results to a topic, until cancelled.

    Raises:
        RouterError: the broker does not answer.
        ClientError: the cluster refuses to tell them.
    """
    carried: set[tuple[str, int]] = set()
    async with _sender(kafka, topic) as sender:
        while True:
            with contextlib.suppress(NotConnected):  # a stream that breaks is not repeated by the client
                async for result in revisions_of(client, project):
                    revision = result.task_id, result.revision
                    if revision not in carried:
                        told = result_record(result, project, len(carried))
                        await sender.send(told.model_dump_json().encode(), result.task_id.encode())
                        carried.add(revision)
            await asyncio.sleep(LOOK_S)


async def revisions_of(client: AsyncClient, project: ProjectFlow) -> AsyncIterator[results_pb2.Result]:
    """Give every revision of every result of a project, as the engine has them.

    Raises:
        ClientError: the cluster does not tell.
    """
    request = results_pb2.ExportResultsRequest(project_id=project.id, all_revisions=True)
    async for exported in client.operations.ExportResults(request, timeout=60.0):
        yield exported.result


def result_record(result: results_pb2.Result, project: ProjectFlow, number: int) -> ResultRecord:
    """Give a result's record as the published schema wants it.

    Args:
        result: as the API tells it.
        project: that it belongs to.
        number: of the record; a later one's is higher.
    """
    return ResultRecord.model_validate(
        {
            "id": result_id(project.shard, number),
            "at": result.published_at.ToJsonString(),
            "project": project.name,
            "project_id": project.id,
            "task_id": result.task_id,
            "item_id": result.item_id,
            "external_id": result.external_id,
            "batch": "",
            "revision": result.revision,
            "fields": {
                name: FieldRecord(label=said.label, probabilities=dict(said.probabilities))
                for name, said in result.fields.items()
            },
            "confidence": result.confidence,
            "reason": results_pb2.ResultReason.Name(result.reason).removeprefix("RESULT_REASON_").lower(),
            "correction_reason": result.correction_reason,
            "counted": result.counted,
            "rules_version": result.rules_version,
            "model_version": result.model_version,
        }
    )


@contextlib.asynccontextmanager
async def _sender(kafka: KafkaConnection, topic: str) -> AsyncIterator[KafkaSender]:
    sender = await asyncio.to_thread(KafkaSender, kafka, topic, 0)
    try:
        yield sender
    finally:
        sender.close()
