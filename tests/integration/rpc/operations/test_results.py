"""Results: one, a page, all of them, and corrections that supersede them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from hashlib import sha256

import pytest
from tests.support.operations import RULES, Office, labels, refusal

from crowdroute.api.v1 import projects_pb2, rules_pb2, tasks_pb2, workers_pb2
from crowdroute.api.v1 import results_pb2 as wire
from crowdroute.client import AsyncClient
from crowdroute.router.rpc.contents import AT_ONCE
from crowdroute.router.rpc.operations.results import AT_A_STRETCH, Results


async def exported(
    office: Office, project: projects_pb2.Project, client: AsyncClient | None = None, **how: object
) -> list[wire.ExportedResult]:
    request = wire.ExportResultsRequest(project_id=project.id, **how)  # type: ignore[arg-type]
    return [one async for one in (client or office.admin).operations.ExportResults(request)]


def correction(
    project: projects_pb2.Project, task: str, label: str, key: str = ""
) -> wire.CorrectResultRequest:
    return wire.CorrectResultRequest(
        project_id=project.id,
        task_id=task,
        answers=labels(label=label),
        reason="seen by eye",
        idempotency_key=key,
    )


async def test_an_export_holds_all_that_a_data_team_needs(office: Office) -> None:
    project = await office.project()
    workers = await office.finalised(project)

    (one,) = await exported(office, project, with_annotations=True, with_content=True)

    result = one.result
    assert (result.external_id, result.revision, result.counted) == ("done-0", 1, 2)
    assert (result.rules_version, result.reason) == (1, wire.RESULT_REASON_CONFIDENT)
    conclusion = result.fields["label"]
    assert conclusion.label == "cat"
    assert set(conclusion.probabilities) == {"cat", "dog", "neither"}
    assert sum(conclusion.probabilities.values()) == pytest.approx(1)
    assert result.confidence == conclusion.probabilities["cat"]
    assert result.published_at.seconds == office.clock.now_us() // 1_000_000
    assert not result.superseded
    assert [annotation.worker_id for annotation in one.annotations] == workers
    assert [annotation.answers["label"].label for annotation in one.annotations] == ["cat", "cat"]
    assert [(part.id, part.text) for part in one.content] == [("text", "done number 0")]
    assert one.guideline_digest == sha256(b"Say what is in the picture.").hexdigest()


async def test_annotations_and_content_are_exported_only_on_request(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)

    (one,) = await exported(office, project)

    assert list(one.annotations) == []
    assert list(one.content) == []
    assert one.result.external_id == "done-0"


async def test_an_empty_project_exports_nothing(office: Office) -> None:
    assert await exported(office, await office.project()) == []


async def test_a_large_export_comes_whole_and_in_order(office: Office) -> None:
    project = await office.project()
    await office.finalised(project, 100)

    found = await exported(office, project)

    assert len(found) == 100
    assert len({one.result.task_id for one in found}) == 100
    listed, token = [], ""
    while True:
        request = wire.ListResultsRequest(project_id=project.id, page_size=30, page_token=token)
        page = await office.admin.operations.ListResults(request)
        listed += page.results
        token = page.next_page_token
        if not token:
            break
    assert listed == [one.result for one in found]


async def test_results_are_exported_by_batch(office: Office) -> None:
    project = await office.project()
    await office.finalised(project, 2)

    assert len(await exported(office, project, batch="done")) == 2
    assert await exported(office, project, batch="other") == []


async def test_tasks_of_known_answer_and_audits_are_no_results(office: Office) -> None:
    project = await office.project(rules=RULES.replace("share: 0%", "share: 100%"))
    await office.items(project, 1, gold="cat")
    (added,) = await office.items(project, 1, prefix="real")
    item = tasks_pb2.NewItem(item_id=added.item_id, purpose=tasks_pb2.PURPOSE_AUDIT)
    (audit,) = (
        await office.admin.operations.AddItems(tasks_pb2.AddItemsRequest(project_id=project.id, items=[item]))
    ).items
    for name in ("ada", "ben"):
        _, client = await office.session(name)
        for _ in range(2):
            await office.label(client, project)
    _, expert = await office.session("eve", stages=[3])
    await office.label(expert, project)

    found = await exported(office, project, all_revisions=True, with_annotations=True)

    assert [one.result.external_id for one in found] == ["real-0"]
    assert {annotation.task_id for annotation in found[0].annotations} == {added.task_id}
    listed = await office.admin.operations.ListResults(wire.ListResultsRequest(project_id=project.id))
    assert len(listed.results) == 1
    request = wire.GetResultRequest(project_id=project.id, task_id=audit.task_id)
    assert (await office.admin.operations.GetResult(request)).reason == wire.RESULT_REASON_EXPERT


async def test_a_correction_supersedes_and_both_revisions_stay(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)
    ops = office.admin.operations
    (first,) = (await ops.ListResults(wire.ListResultsRequest(project_id=project.id))).results

    second = await ops.CorrectResult(correction(project, first.task_id, "dog", "once"))

    assert (second.revision, second.reason) == (2, wire.RESULT_REASON_CORRECTED)
    assert second.correction_reason == "seen by eye"
    assert second.fields["label"].label == "dog"
    assert second.confidence == 1
    assert second.counted == 2
    assert await ops.CorrectResult(correction(project, first.task_id, "dog", "once")) == second
    assert (await refusal(ops.CorrectResult(correction(project, first.task_id, "cat", "once")))).code == (
        "IDEMPOTENCY_KEY_REUSED"
    )
    newest = wire.GetResultRequest(project_id=project.id, task_id=first.task_id)
    assert await ops.GetResult(newest) == second
    old = await ops.GetResult(wire.GetResultRequest(project_id=project.id, task_id=first.task_id, revision=1))
    assert old.superseded
    old.superseded = False
    assert old == first
    assert [one.result.revision for one in await exported(office, project)] == [2]
    assert [one.result.revision for one in await exported(office, project, all_revisions=True)] == [1, 2]


async def test_a_retry_of_a_correction_gives_its_own_revision(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)
    ops = office.admin.operations
    (first,) = (await ops.ListResults(wire.ListResultsRequest(project_id=project.id))).results
    request = correction(project, first.task_id, "dog", "once")
    await ops.CorrectResult(request)
    await ops.CorrectResult(correction(project, first.task_id, "neither"))

    again = await ops.CorrectResult(request)

    assert (again.revision, again.fields["label"].label, again.superseded) == (2, "dog", True)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (labels(label="horse"), "UNKNOWN_LABEL"),
        (labels(colour="cat"), "UNKNOWN_LABEL"),
        ({}, "INVALID_ARGUMENT"),
        ({"label": {}}, "INVALID_ARGUMENT"),
    ],
)
async def test_a_correction_must_be_an_answer(office: Office, answers: object, code: str) -> None:
    project = await office.project()
    await office.finalised(project)
    ops = office.admin.operations
    (first,) = (await ops.ListResults(wire.ListResultsRequest(project_id=project.id))).results
    request = wire.CorrectResultRequest(
        project_id=project.id,
        task_id=first.task_id,
        answers=answers,
        reason="seen by eye",  # type: ignore[arg-type]
    )

    assert (await refusal(ops.CorrectResult(request))).code == code


async def test_an_open_task_has_no_result(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    ops = office.admin.operations

    refused = await refusal(
        ops.GetResult(wire.GetResultRequest(project_id=project.id, task_id=added.task_id))
    )
    assert refused.code == "NOT_FOUND"
    refused = await refusal(ops.CorrectResult(correction(project, added.task_id, "cat")))
    assert refused.code == "WRONG_STATE"
    refused = await refusal(
        ops.GetResult(wire.GetResultRequest(project_id=project.id, task_id=added.task_id, revision=-1))
    )
    assert refused.code == "INVALID_ARGUMENT"


async def test_a_result_keeps_the_labels_and_the_guideline_of_its_time(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)
    later = RULES.replace("neither]", "neither, fox]").replace("in the picture", "in it")
    await office.admin.operations.ApplyRules(
        rules_pb2.ApplyRulesRequest(project_id=project.id, rules_yaml=later)
    )

    (one,) = await exported(office, project)

    assert set(one.result.fields["label"].probabilities) == {"cat", "dog", "neither"}
    assert one.guideline_digest == sha256(b"Say what is in the picture.").hexdigest()


async def test_discounting_a_worker_repairs_what_was_delivered(office: Office) -> None:
    project = await office.project()
    ada, ben = await office.finalised(project)
    ops = office.admin.operations
    request = workers_pb2.DiscountWorkerRequest(
        project_id=project.id, worker_id=ada, reason="spam", idempotency_key="once"
    )

    await ops.DiscountWorker(request)
    await office.pass_time(1)

    (task,) = (await ops.ListTasks(tasks_pb2.ListTasksRequest(project_id=project.id))).tasks
    assert task.state == tasks_pb2.TASK_STATE_OPEN
    assert (task.slots[0].planned, task.slots[0].counted, task.slots[0].discounted) == (4, 1, 1)
    await ops.DiscountWorker(request)
    records = await ops.ListWorkerRecords(workers_pb2.ListWorkerRecordsRequest(project_id=project.id))
    assert {record.worker_id: record.discounted for record in records.records} == {ada: True, ben: False}
    (one,) = await exported(office, project, with_annotations=True)
    assert [annotation.worker_id for annotation in one.annotations] == [ben]


async def test_an_export_reads_no_further_than_it_is_taken(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await office.project()
    request = tasks_pb2.AddItemsRequest(project_id=project.id)
    for _ in range(3):
        item = request.items.add()
        item.content.add(id="text", text="x" * 500_000)
    for _ in range(60):
        await office.admin.operations.AddItems(request)
    for name in ("ada", "ben"):
        _, client = await office.session(name)
        for _ in range(180):
            await office.label(client, project)
    read: list[str] = []
    progress = asyncio.Event()
    fetch = office.engine.contents.fetch

    async def counted(keys: Iterable[str]) -> dict[str, bytes]:
        found = await fetch(keys)
        read.extend(found)
        progress.set()
        return found

    monkeypatch.setattr(office.engine.contents, "fetch", counted)
    export = wire.ExportResultsRequest(project_id=project.id, with_content=True)
    results = aiter(office.admin.operations.ExportResults(export))
    await anext(results)

    while True:  # until nothing more is read for a while
        progress.clear()
        try:
            await asyncio.wait_for(progress.wait(), 0.5)
        except TimeoutError:
            break

    assert len(read) < 180
    assert 1 + len([one async for one in results]) == len(read) == 180


async def half_exported(office: Office) -> tuple[str, list[str], AsyncIterator[wire.ExportedResult]]:
    """Give a project, the items of its results, and their export, stuck somewhere: it is more than gRPC takes
    ahead of whoever reads."""
    project = await office.project()
    request = tasks_pb2.AddItemsRequest(project_id=project.id)
    for number in range(4):
        request.items.add().content.add(id="text", text=f"{number}" * 500_000)
    items = []
    for _ in range(AT_ONCE // 4):
        items += [one.item_id for one in (await office.admin.operations.AddItems(request)).items]
    for name in ("ada", "ben"):
        _, client = await office.session(name)
        for _ in items:
            await office.label(client, project)
    export = wire.ExportResultsRequest(project_id=project.id, with_content=True)
    results = aiter(office.admin.operations.ExportResults(export))
    assert (await anext(results)).result.item_id == items[0]
    return project.id, items, results


async def test_an_item_that_is_erased_while_its_results_are_exported_is_left_out(office: Office) -> None:
    project, items, results = await half_exported(office)

    await office.admin.operations.EraseItem(
        tasks_pb2.EraseItemRequest(project_id=project, item_id=items[-1], reason="asked to")
    )

    assert [one.result.item_id async for one in results] == items[1:-1]


async def test_a_result_that_is_corrected_while_it_is_exported_comes_once_as_corrected(
    office: Office,
) -> None:
    project, items, results = await half_exported(office)
    tasks = tasks_pb2.ListTasksRequest(project_id=project, item_id=items[-1])
    (task,) = (await office.admin.operations.ListTasks(tasks)).tasks

    await office.admin.operations.CorrectResult(
        wire.CorrectResultRequest(
            project_id=project, task_id=task.id, answers=labels(label="dog"), reason="seen by eye"
        )
    )

    rest = [(one.result.item_id, one.result.revision) async for one in results]
    assert rest == [*((item, 1) for item in items[1:-1]), (items[-1], 2)]


async def test_an_export_lets_everybody_else_have_a_turn_between_a_few_results(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await office.project()
    await office.finalised(project, 3 * AT_A_STRETCH)
    turn, written = 0, Counter[int]()
    write = Results._exported

    def noted(self: Results, *given: object) -> wire.ExportedResult:
        written[turn] += 1
        return write(self, *given)  # type: ignore[arg-type]  # whatever it is given

    async def turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Results, "_exported", noted)
    turning = asyncio.create_task(turns())
    assert len(await exported(office, project)) == 3 * AT_A_STRETCH
    turning.cancel()

    assert max(written.values()) == AT_A_STRETCH
