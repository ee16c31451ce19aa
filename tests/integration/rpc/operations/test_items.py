"""Items: added all or none, known again by external id, erased with all that was written about them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.support.operations import RULES, Office, labels, refusal

from crowdroute.api.v1 import assignments_pb2, results_pb2, rules_pb2, types_pb2, workers_pb2
from crowdroute.api.v1 import tasks_pb2 as wire
from crowdroute.router.adapters.memory import MemoryDisk


def stored(disk: MemoryDisk, text: str) -> list[str]:
    """Give the keys of the contents that hold a text."""
    return [key for key, body in disk.contents.items() if text.encode() in body]


def new(text: str = "look", **fields: object) -> wire.NewItem:
    given = {"content": [types_pb2.ContentPart(id="text", text=text)], **fields}
    return wire.NewItem(**given)  # type: ignore[arg-type]


async def test_items_are_added_and_handed_out(office: Office) -> None:
    project = await office.project()

    added = await office.items(project, 2)

    assert len({one.item_id for one in added}) == len({one.task_id for one in added}) == 2
    assert not any(one.known for one in added)
    _, worker = await office.session("ada")
    offers = await worker.next(project.id, count=2)
    assert {offer.content[0].text for offer in offers} == {"item number 0", "item number 1"}


async def test_a_known_external_id_adds_nothing_and_gives_what_is_there(office: Office) -> None:
    project = await office.project()
    (first,) = await office.items(project, 1)
    request = wire.AddItemsRequest(
        project_id=project.id,
        items=[
            new("other words", external_id="item-0"),
            new(external_id="item-1"),
            new(external_id="item-1"),
        ],
    )

    reply = await office.admin.operations.AddItems(request)

    assert [one.known for one in reply.items] == [True, False, True]
    assert reply.items[0].item_id == first.item_id
    assert reply.items[2].item_id == reply.items[1].item_id


async def test_content_that_was_not_taken_is_not_kept(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    request = wire.AddItemsRequest(
        project_id=project.id,
        items=[
            new("unwanted words", external_id="item-0"),
            new("fresh words", external_id="fresh"),
            new("unwanted words", external_id="fresh"),
        ],
    )

    await office.admin.operations.AddItems(request)

    assert stored(office.disk, "unwanted words") == []
    assert len(stored(office.disk, "fresh words")) == 1


async def test_a_retry_gets_the_ids_that_were_given(office: Office) -> None:
    project = await office.project()
    request = wire.AddItemsRequest(project_id=project.id, items=[new(), new()], idempotency_key="once")

    first = await office.admin.operations.AddItems(request)
    again = await office.admin.operations.AddItems(request)

    assert again == first
    tasks = await office.admin.operations.ListTasks(wire.ListTasksRequest(project_id=project.id))
    assert len(tasks.tasks) == 2
    request.items[0].batch = "b"
    refused = await refusal(office.admin.operations.AddItems(request))
    assert refused.code == "IDEMPOTENCY_KEY_REUSED"


async def test_an_item_can_get_another_task(office: Office) -> None:
    project = await office.project()
    (first,) = await office.items(project, 1)
    request = wire.AddItemsRequest(
        project_id=project.id, items=[wire.NewItem(item_id=first.item_id, purpose=wire.PURPOSE_AUDIT)]
    )

    (again,) = (await office.admin.operations.AddItems(request)).items

    assert again.item_id == first.item_id
    assert again.task_id != first.task_id
    tasks = await office.admin.operations.ListTasks(
        wire.ListTasksRequest(project_id=project.id, item_id=first.item_id)
    )
    assert [(task.id, task.round) for task in tasks.tasks] == [(first.task_id, 1), (again.task_id, 2)]


WRONG: list[tuple[str, Callable[[], wire.NewItem], str, str]] = [
    ("no content", lambda: wire.NewItem(external_id="a"), "INVALID_ARGUMENT", "content"),
    (
        "two parts of one name",
        lambda: wire.NewItem(content=[types_pb2.ContentPart(id="a", text="b")] * 2),
        "INVALID_ARGUMENT",
        "content",
    ),
    (
        "a file on the server",
        lambda: wire.NewItem(content=[types_pb2.ContentPart(id="a", url="file:///etc/passwd")]),
        "INVALID_ARGUMENT",
        "content[0].url",
    ),
    (
        "a gold label that the schema lacks",
        lambda: new(purpose=wire.PURPOSE_GOLD, gold=labels(label="horse")),
        "UNKNOWN_LABEL",
        "gold.label",
    ),
    (
        "a gold field that the schema lacks",
        lambda: new(purpose=wire.PURPOSE_GOLD, gold=labels(colour="cat")),
        "UNKNOWN_LABEL",
        "gold.colour",
    ),
    ("gold without its answer", lambda: new(purpose=wire.PURPOSE_GOLD), "INVALID_ARGUMENT", "gold"),
    ("an answer without gold", lambda: new(gold=labels(label="cat")), "INVALID_ARGUMENT", "gold"),
    ("a purpose of the future", lambda: new(purpose=99), "INVALID_ARGUMENT", "purpose"),
    ("a priority beyond all", lambda: new(priority=4), "INVALID_ARGUMENT", "tasks[1]"),
    ("an external id that is a story", lambda: new(external_id="x" * 201), "INVALID_ARGUMENT", "external_id"),
    ("a batch that is a story", lambda: new(batch="x" * 201), "INVALID_ARGUMENT", "batch"),
    ("an id of another kind", lambda: wire.NewItem(item_id="tsk_" + "0" * 32), "INVALID_ARGUMENT", "item_id"),
    (
        "both an item and content",
        lambda: new(item_id="itm_" + "1" * 32),
        "INVALID_ARGUMENT",
        "item_id",
    ),
    (
        "a level of skill that nobody has",
        lambda: new(requirement=wire.Requirement(skills=[wire.SkillNeed(name="x", level=float("nan"))])),
        "INVALID_ARGUMENT",
        "requirement",
    ),
    (
        "a language that is none",
        lambda: new(requirement=wire.Requirement(languages=["not a tag"])),
        "INVALID_ARGUMENT",
        "requirement.languages",
    ),
    (
        "more than an item may hold",
        lambda: new("x" * (2 << 20)),
        "INVALID_ARGUMENT",
        "content",
    ),
]


@pytest.mark.parametrize(("what", "item", "code", "field"), WRONG, ids=[row[0] for row in WRONG])
async def test_one_wrong_row_refuses_all_and_says_which(
    office: Office, what: str, item: Callable[[], wire.NewItem], code: str, field: str
) -> None:
    project = await office.project()
    request = wire.AddItemsRequest(project_id=project.id, items=[new("good row"), item()])

    refused = await refusal(office.admin.operations.AddItems(request))

    assert refused.code == code
    assert refused.details["field"].removeprefix("items[1].") == field
    tasks = await office.admin.operations.ListTasks(wire.ListTasksRequest(project_id=project.id))
    assert list(tasks.tasks) == []
    assert stored(office.disk, "good row") == []


async def test_a_removed_label_is_no_known_answer(office: Office) -> None:
    project = await office.project()
    gone = RULES.replace("[cat, dog, neither]", "[cat, dog, {id: neither, removed: true}]")
    await office.admin.operations.ApplyRules(
        rules_pb2.ApplyRulesRequest(project_id=project.id, rules_yaml=gone)
    )
    request = wire.AddItemsRequest(
        project_id=project.id, items=[new(purpose=wire.PURPOSE_GOLD, gold=labels(label="neither"))]
    )

    refused = await refusal(office.admin.operations.AddItems(request))

    assert refused.code == "UNKNOWN_LABEL"


async def test_nothing_may_be_added(office: Office) -> None:
    project = await office.project()

    reply = await office.admin.operations.AddItems(wire.AddItemsRequest(project_id=project.id))

    assert list(reply.items) == []


async def test_a_task_says_who_may_be_given_it(office: Office) -> None:
    project = await office.project()
    worker, ada = await office.session("ada")
    _, ben = await office.session("ben", languages=["pt-BR"])
    request = wire.AddItemsRequest(
        project_id=project.id,
        items=[
            new("for ada", allowed_worker_ids=[worker]),
            new("in portuguese", requirement=wire.Requirement(languages=["pt-br"])),
        ],
    )
    await office.admin.operations.AddItems(request)

    assert [offer.content[0].text for offer in await ada.next(project.id, count=2)] == ["for ada"]
    assert [offer.content[0].text for offer in await ben.next(project.id, count=2)] == ["in portuguese"]


async def test_an_erased_item_is_gone_with_everything_written_about_it(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations
    (added,) = (
        await ops.AddItems(
            wire.AddItemsRequest(project_id=project.id, items=[new("private words", external_id="case-7")])
        )
    ).items
    _, ada = await office.session("ada")
    (offer,) = await ada.next(project.id)
    await ada.submit(offer, {"label": "cat"}, comment="private remark")
    _, ben = await office.session("ben")
    (offer,) = await ben.next(project.id)
    draft = assignments_pb2.SaveDraftRequest(
        project_id=project.id,
        assignment_id=offer.assignment_id,
        lease_token=offer.lease_token,
        draft=b"private draft",
    )
    await ben.annotation.SaveDraft(draft)
    assert stored(office.disk, "private") != []
    request = wire.EraseItemRequest(
        project_id=project.id, item_id=added.item_id, reason="asked to", idempotency_key="once"
    )

    await ops.EraseItem(request)

    for text in ("private", "case-7"):
        assert stored(office.disk, text) == []
    task = await ops.GetTask(
        wire.GetTaskRequest(project_id=project.id, task_id=added.task_id, with_content=True)
    )
    assert task.task.erased
    assert task.task.state == wire.TASK_STATE_CANCELLED
    assert list(task.content) == []
    assert [one.comment for one in task.annotations] == ["", ""]
    await ops.EraseItem(request)
    await ops.EraseItem(wire.EraseItemRequest(project_id=project.id, item_id=added.item_id, reason="again"))


async def test_an_erased_item_does_not_come_back_with_a_repeated_import(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    ops = office.admin.operations
    await ops.EraseItem(
        wire.EraseItemRequest(project_id=project.id, item_id=added.item_id, reason="asked to")
    )

    (again,) = await office.items(project, 1)

    assert again.known
    assert stored(office.disk, "item number 0") == []


async def test_the_result_of_an_erased_item_is_no_longer_delivered(office: Office) -> None:
    project = await office.project()
    await office.finalised(project, 2)
    ops = office.admin.operations
    results = await ops.ListResults(results_pb2.ListResultsRequest(project_id=project.id))
    gone, kept = results.results

    request = wire.EraseItemRequest(project_id=project.id, item_id=gone.item_id, reason="asked to")
    await ops.EraseItem(request)

    results = await ops.ListResults(results_pb2.ListResultsRequest(project_id=project.id))
    assert [result.task_id for result in results.results] == [kept.task_id]


async def test_an_erasure_needs_a_reason(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    request = wire.EraseItemRequest(project_id=project.id, item_id=added.item_id)

    refused = await refusal(office.admin.operations.EraseItem(request))

    assert refused.code == "INVALID_ARGUMENT"
    assert refused.details["field"] == "reason"


async def test_an_erased_person_is_forgotten_everywhere(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    worker, ada = await office.session("ada@example.org")
    (offer,) = await ada.next(project.id)
    await ada.submit(offer, {"label": "cat"}, comment="private remark")
    ops = office.admin.operations
    person = (await ops.GetWorker(workers_pb2.GetWorkerRequest(worker_id=worker))).person_id
    request = workers_pb2.ErasePersonRequest(person_id=person, reason="asked to", idempotency_key="once")

    await ops.ErasePerson(request)

    assert stored(office.disk, "ada@example.org") == stored(office.disk, "private") == []
    left = await ops.GetWorker(workers_pb2.GetWorkerRequest(worker_id=worker))
    assert (left.id, left.external_id, left.person_id) == (worker, "", "")
    assert (await refusal(ada.next(project.id))).code == "UNAUTHENTICATED"
    unknown = workers_pb2.GetWorkerRequest(external_id="ada@example.org")
    assert (await refusal(ops.GetWorker(unknown))).code == "NOT_FOUND"
    await ops.ErasePerson(request)
    await ops.ErasePerson(workers_pb2.ErasePersonRequest(worker_id=worker, reason="again"))
