"""Nothing in words outlives an erasure: not in the contents, not in the log, not in what a snapshot holds."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from tests.support.operations import Office, refusal

from crowdroute.api.v1 import assignments_pb2, results_pb2, tasks_pb2, types_pb2, workers_pb2
from crowdroute.client import AsyncClient

WORD = "xylophone"
"""Stands in everything that anybody says here."""


def said(office: Office) -> list[str]:
    """Name whatever holds the word."""
    word = WORD.encode()
    places = [key for key, body in office.disk.contents.items() if word in body]
    places += [f"batch {batch.sequence}" for batch in office.disk.batches if word in batch.body]
    places += [name for name, section in office.engine.shard.pack().items() if word in bytes(section)]
    return places


def about(offer: assignments_pb2.Offer) -> dict[str, str]:
    return {
        "project_id": offer.project_id,
        "assignment_id": offer.assignment_id,
        "lease_token": offer.lease_token,
    }


async def talk(office: Office, project_id: str, worker: AsyncClient) -> None:
    """Say the word in every way that a worker can: on an answer, a report, a skip and in a draft."""
    answered, skipped, drafted = await worker.next(project_id, count=3)
    calls = worker.annotation
    report = assignments_pb2.ReportProblemRequest(
        **about(answered), reason="blurred", comment=f"the {WORD} is blurred"
    )
    await calls.ReportProblem(report)
    await worker.submit(answered, {"label": "cat"}, comment=f"surely a {WORD}")
    await calls.Skip(assignments_pb2.SkipRequest(**about(skipped), reason="unclear", comment=f"what {WORD}?"))
    await calls.SaveDraft(assignments_pb2.SaveDraftRequest(**about(drafted), draft=WORD.encode()))


async def test_an_erased_person_leaves_no_word(office: Office) -> None:
    project = await office.project()
    await office.items(project, 3)
    worker, ada = await office.session(f"{WORD}@example.org")
    await talk(office, project.id, ada)
    assert len(said(office)) == 5

    await office.admin.operations.ErasePerson(
        workers_pb2.ErasePersonRequest(worker_id=worker, reason="asked to")
    )

    assert said(office) == []


async def test_erased_items_leave_no_word_in_store_log_snapshot_or_export(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations
    request = tasks_pb2.AddItemsRequest(project_id=project.id)
    for number in range(3):
        request.items.add(external_id=f"{WORD}-{number}").content.add(id="text", text=f"a {WORD}")
    added = (await ops.AddItems(request)).items
    for name in ("ada", "ben"):
        await talk(office, project.id, (await office.session(name))[1])
    assert len(said(office)) == 3 + 2 * 4
    for one in added:
        await ops.EraseItem(
            tasks_pb2.EraseItemRequest(project_id=project.id, item_id=one.item_id, reason="asked to")
        )

    assert said(office) == []
    export = results_pb2.ExportResultsRequest(
        project_id=project.id, all_revisions=True, with_annotations=True, with_content=True
    )
    assert [one async for one in ops.ExportResults(export)] == []


async def test_what_was_reported_and_what_was_said_with_the_answer_both_stand(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    _, ada = await office.session("ada")
    (offer,) = await ada.next(project.id)
    report = assignments_pb2.ReportProblemRequest(**about(offer), reason="blurred", comment="it is blurred")
    await ada.annotation.ReportProblem(report)
    await ada.submit(offer, {"label": "cat"}, comment="a cat all the same")

    request = tasks_pb2.GetTaskRequest(project_id=project.id, task_id=added.task_id, with_content=True)
    (annotation,) = (await office.admin.operations.GetTask(request)).annotations

    assert annotation.comment == "it is blurred\na cat all the same"


@pytest.mark.parametrize("words", ["", "it is my neighbour Bob", "Bob\n", "é", "-x", "x" * 65])
@pytest.mark.parametrize(
    ("call", "field"),
    [("Skip", "reason"), ("ReportProblem", "reason"), ("Withdraw", "reason"), ("Submit", "flags")],
)
async def test_a_worker_gives_codes_where_the_log_keeps_them(
    office: Office, call: str, field: str, words: str
) -> None:
    project = await office.project()
    await office.items(project, 1)
    _, ada = await office.session("ada")
    (offer,) = await ada.next(project.id)
    message: Message
    if call == "Submit":
        label = {"label": types_pb2.Value(label="cat")}
        message = assignments_pb2.SubmitRequest(**about(offer), answers=label, flags=[words])
    else:
        message = getattr(assignments_pb2, f"{call}Request")(**about(offer), reason=words)

    refused = await refusal(getattr(ada.annotation, call)(message))

    assert (refused.code, refused.details["field"]) == ("INVALID_ARGUMENT", field)
