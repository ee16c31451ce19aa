"""One project from its rules to the vendor's statement, over gRPC and a log on disk."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.operations import RULES, Office, open_office

from crowdroute.api.v1 import (
    explanations_pb2,
    projects_pb2,
    results_pb2,
    tasks_pb2,
    tokens_pb2,
    vendor_pb2,
    workers_pb2,
)
from crowdroute.client import AsyncClient
from crowdroute.router.adapters.memory import MemorySnapshots
from crowdroute.router.adapters.sqlite_log import SqliteLog
from crowdroute.router.machine.shard import Shard
from crowdroute.router.runtime.recovery import recover

LABELS = ("cat", "dog", "neither")
PRODUCTION = 40
GOLD = 10
TRUTH = {f"item-{number}": LABELS[number % 3] for number in range(PRODUCTION)}
HIDDEN = {f"gold-{number}": LABELS[number % 3] for number in range(GOLD)}
WORKERS = ("ada", "ben", "cleo", "dan", "spam")


async def file_of(
    header: tasks_pb2.ImportHeader, rows: list[str]
) -> AsyncIterator[tasks_pb2.ImportItemsRequest]:
    yield tasks_pb2.ImportItemsRequest(header=header)
    for begin in range(0, len(rows), 7):
        yield tasks_pb2.ImportItemsRequest(chunk="".join(rows[begin : begin + 7]).encode())


async def import_items(office: Office, project: projects_pb2.Project) -> None:
    plain = tasks_pb2.ImportHeader(
        project_id=project.id, format=tasks_pb2.ITEMS_FORMAT_CSV, content_columns=["text"], batch="first"
    )
    hidden = tasks_pb2.ImportHeader()
    hidden.CopyFrom(plain)
    hidden.purpose = tasks_pb2.PURPOSE_GOLD
    hidden.gold_columns["label"] = "truth"
    for header, truth, count in ((plain, TRUTH, PRODUCTION), (hidden, HIDDEN, GOLD)):
        rows = ["id,text,truth\n", *(f"{name},[{name}],{label}\n" for name, label in truth.items())]
        reply = await office.admin.operations.ImportItems(file_of(header, rows))
        assert (reply.added, reply.refused) == (count, 0)


async def work(client: AsyncClient, project: projects_pb2.Project, name: str) -> int:
    """Label until nothing is left; give the number of answers."""
    chance, answers = random.Random(name), 0
    while offers := await client.next(project.id, count=3):
        for offer in offers:
            item = offer.content[0].text.strip("[]")
            label = (TRUTH | HIDDEN)[item]
            if name == "spam" or chance.random() < 0.05:
                label = chance.choice(LABELS)
            await client.submit(offer, {"label": label}, comment="private remark" if name == "ada" else "")
            answers += 1
    return answers


async def test_a_project_from_its_rules_to_the_vendors_statement(tmp_path: Path) -> None:
    rules = RULES.replace("share: 0%, first: 0", "share: 20%, first: 4").replace(
        "target: 0.9", "target: 0.95"
    )
    async with open_office(tmp_path / "log") as office:
        ops = office.admin.operations
        project = await office.project("cats", rules)
        vendor = await ops.AddVendor(workers_pb2.AddVendorRequest(name="supplier"))
        issued = await ops.IssueToken(
            tokens_pb2.IssueTokenRequest(
                name="supplier", scopes=["vendor", "sessions.create", "workers.write"], vendor_id=vendor.id
            )
        )
        supplier = office.holder(issued.bearer)
        watching = aiter(
            ops.Watch(explanations_pb2.WatchRequest(project_id=project.id, codes=["TASK_FINALISED"]))
        )
        assert (await anext(watching)).code == "WATCHING"

        await import_items(office, project)
        known = await supplier.vendor.UpsertWorkers(
            vendor_pb2.UpsertWorkersRequest(
                workers=[workers_pb2.UpsertWorkerRequest(external_id=name) for name in WORKERS]
            )
        )
        ids = {row.worker.external_id: row.worker.id for row in known.workers}
        sessions = []
        for name in WORKERS:
            request = tokens_pb2.CreateWorkerSessionRequest(worker_id=ids[name])
            session = await supplier.operations.CreateWorkerSession(request)
            sessions.append(office.holder(session.bearer))
        answered = await asyncio.gather(
            *(work(client, project, name) for client, name in zip(sessions, WORKERS, strict=True))
        )

        # Everything has a result, was told, and is paid.
        stats = await ops.GetStats(projects_pb2.GetStatsRequest(project_id=project.id))
        assert (stats.tasks_finalised, stats.tasks_open) == (PRODUCTION, GOLD)
        assert stats.answers_accepted == sum(answered)
        assert stats.owed.amount == f"{sum(answered) * 2 / 100:g}"
        told = {(await anext(watching)).task_id for _ in range(PRODUCTION)}
        assert len(told) == PRODUCTION

        # The results are exported with what stands behind them; gold is not among them.
        exported = await export(ops, project)
        assert {one.result.external_id for one in exported} == set(TRUTH)
        right = sum(one.result.fields["label"].label == TRUTH[one.result.external_id] for one in exported)
        assert right >= 0.8 * PRODUCTION
        assert {one.result.task_id for one in exported} == told
        for one in exported:
            assert one.result.counted == len(one.annotations) >= 2
            assert one.content[0].text == f"[{one.result.external_id}]"

        # Who is bad is seen on gold, discounted, and every result is repaired.
        records = {
            record.worker_id: record
            for record in (
                await ops.ListWorkerRecords(workers_pb2.ListWorkerRecordsRequest(project_id=project.id))
            ).records
        }
        assert sum(record.answered for record in records.values()) == sum(answered)
        assert records[ids["ada"]].checked > 0
        await ops.DiscountWorker(
            workers_pb2.DiscountWorkerRequest(
                project_id=project.id, worker_id=ids["spam"], reason="answers by chance"
            )
        )
        await office.pass_time(2)
        for one in await export(ops, project):
            assert ids["spam"] not in {annotation.worker_id for annotation in one.annotations}

        # A task and an assignment say why.
        why = await ops.ExplainTask(
            explanations_pb2.ExplainTaskRequest(project_id=project.id, task_id=exported[0].result.task_id)
        )
        assert any(reason.code == "ANSWER_SUBMITTED" for reason in why.reasons)
        annotation = exported[0].annotations[0]
        why = await ops.ExplainAssignment(
            explanations_pb2.ExplainAssignmentRequest(
                project_id=project.id, assignment_id=annotation.assignment_id
            )
        )
        assert any(reason.code == "ANSWER_COUNTED" for reason in why.reasons)

        # The vendor's statement adds up to what the project owes.
        await office.pass_time(61)
        statement = await supplier.vendor.GetStatement(vendor_pb2.GetStatementRequest())
        assert {line.external_id for line in statement.lines} == set(WORKERS)
        stats = await ops.GetStats(projects_pb2.GetStatsRequest(project_id=project.id))
        cents = [round(float(line.owed.amount) * 100) for line in statement.lines]
        assert sum(cents) == round(float(stats.owed.amount) * 100)

        # An item and a person are forgotten.
        gone = exported[0].result
        await ops.EraseItem(
            tasks_pb2.EraseItemRequest(project_id=project.id, item_id=gone.item_id, reason="asked to")
        )
        await ops.ErasePerson(workers_pb2.ErasePersonRequest(worker_id=ids["ada"], reason="asked to"))
        left = await export(ops, project)
        assert gone.external_id not in {one.result.external_id for one in left}
        statement = await supplier.vendor.GetStatement(vendor_pb2.GetStatementRequest())
        assert {line.external_id for line in statement.lines} == {"", *WORKERS} - {"ada"}
        office.engine.shard.check()
        digest = office.engine.shard.digest()
        await office.engine.log.checkpoint()  # type: ignore[attr-defined]

    files = b"".join(path.read_bytes() for path in (tmp_path / "log").rglob("*") if path.is_file())
    assert f"[{left[0].result.external_id}]".encode() in files
    assert f"[{gone.external_id}]".encode() not in files
    assert b"private remark" not in files
    log = SqliteLog(tmp_path / "log")
    try:
        assert recover(log, MemorySnapshots(), Shard).core.digest() == digest
    finally:
        log.close()


async def export(ops: object, project: projects_pb2.Project) -> list[results_pb2.ExportedResult]:
    request = results_pb2.ExportResultsRequest(
        project_id=project.id, with_annotations=True, with_content=True
    )
    return [one async for one in ops.ExportResults(request)]  # type: ignore[attr-defined]
