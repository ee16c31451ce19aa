"""Tasks as operators see them, and what they do with them."""

from __future__ import annotations

import pytest
from tests.support.operations import RULES, Office, refusal

from crowdroute.api.v1 import answers_pb2, projects_pb2, types_pb2, workers_pb2
from crowdroute.api.v1 import tasks_pb2 as wire


async def all_of(office: Office, project: projects_pb2.Project, **filters: object) -> list[list[str]]:
    """Give the external ids of the tasks that a filter leaves, page by page of two."""
    pages, token = [], ""
    while True:
        request = wire.ListTasksRequest(project_id=project.id, page_size=2, page_token=token, **filters)  # type: ignore[arg-type]
        page = await office.admin.operations.ListTasks(request)
        pages.append([task.external_id for task in page.tasks])
        token = page.next_page_token
        if not token:
            return pages


async def test_a_task_is_shown_with_everything_that_was_answered(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    ids = []
    for name, label in (("ada", "cat"), ("ben", "dog")):
        worker, client = await office.session(name)
        (offer,) = await client.next(project.id)
        await client.submit(offer, {"label": label}, comment=f"said {name}")
        ids.append(worker)

    request = wire.GetTaskRequest(project_id=project.id, task_id=added.task_id, with_content=True)
    found = await office.admin.operations.GetTask(request)

    task = found.task
    assert (task.id, task.item_id, task.external_id) == (added.task_id, added.item_id, "item-0")
    assert (task.round, task.batch, task.purpose) == (1, "item", wire.PURPOSE_PRODUCTION)
    assert (task.state, task.stage) == (wire.TASK_STATE_OPEN, types_pb2.STAGE_CROWD)
    (slots,) = task.slots
    assert (slots.planned, slots.live, slots.counted, slots.discounted) == (3, 0, 2, 0)
    assert set(task.leading["label"].probabilities) == {"cat", "dog", "neither"}
    assert sum(task.leading["label"].probabilities.values()) == pytest.approx(1)
    assert task.confidence == pytest.approx(max(task.leading["label"].probabilities.values()))
    assert not task.HasField("result")
    assert [one.worker_id for one in found.annotations] == ids
    assert [one.answers["label"].label for one in found.annotations] == ["cat", "dog"]
    assert [one.comment for one in found.annotations] == ["said ada", "said ben"]
    assert [part.text for part in found.content] == ["item number 0"]


async def test_content_and_remarks_are_given_only_where_they_are_asked_for(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    _, ada = await office.session("ada")
    (offer,) = await ada.next(project.id)
    await ada.submit(offer, {"label": "cat"}, comment="a remark")

    request = wire.GetTaskRequest(project_id=project.id, task_id=added.task_id)
    found = await office.admin.operations.GetTask(request)

    assert list(found.content) == []
    assert [one.comment for one in found.annotations] == [""]


async def test_a_finalised_task_shows_its_result(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)
    (task,) = (await office.admin.operations.ListTasks(wire.ListTasksRequest(project_id=project.id))).tasks

    assert task.state == wire.TASK_STATE_FINALISED
    assert task.result.revision == 1
    assert task.result.fields["label"].label == "cat"
    assert task.result.counted == 2
    assert task.result.external_id == "done-0"


async def test_a_task_of_known_answer_shows_it_and_nothing_that_is_believed(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1, gold="dog")
    (task,) = (await office.admin.operations.ListTasks(wire.ListTasksRequest(project_id=project.id))).tasks

    assert task.purpose == wire.PURPOSE_GOLD
    assert task.gold["label"].label == "dog"
    assert dict(task.leading) == {}
    assert task.confidence == 0


async def test_tasks_are_listed_by_state_stage_purpose_and_batch(office: Office) -> None:
    project = await office.project()
    await office.finalised(project, 1)
    await office.items(project, 3, prefix="open")
    await office.items(project, 1, prefix="gold", gold="cat")
    ops = office.admin.operations
    tasks = (await ops.ListTasks(wire.ListTasksRequest(project_id=project.id, batch="open"))).tasks
    await ops.EscalateTask(
        wire.EscalateTaskRequest(project_id=project.id, task_id=tasks[1].id, reason="asked to")
    )

    assert await all_of(office, project) == [["done-0", "open-0"], ["open-1", "open-2"], ["gold-0"]]
    assert await all_of(office, project, state=wire.TASK_STATE_FINALISED) == [["done-0"]]
    assert await all_of(office, project, purpose=wire.PURPOSE_GOLD) == [["gold-0"]]
    assert await all_of(office, project, stage=types_pb2.STAGE_EXPERT) == [["open-1"]]
    assert await all_of(office, project, batch="open") == [["open-0", "open-1"], ["open-2"]]
    assert await all_of(office, project, batch="never") == [[]]
    assert await all_of(office, project, item_id=tasks[2].item_id, batch="open") == [["open-2"]]
    assert await all_of(office, project, item_id=tasks[2].item_id, batch="gold") == [[]]


async def test_an_empty_project_has_no_tasks(office: Office) -> None:
    project = await office.project()

    assert await all_of(office, project) == [[]]


async def test_a_page_token_goes_with_its_question(office: Office) -> None:
    project = await office.project()
    other = await office.project("other")
    await office.items(project, 3)
    ops = office.admin.operations
    first = await ops.ListTasks(wire.ListTasksRequest(project_id=project.id, page_size=1))

    for wrong in (
        wire.ListTasksRequest(project_id=other.id, page_token=first.next_page_token),
        wire.ListTasksRequest(project_id=project.id, batch="b", page_token=first.next_page_token),
        wire.ListTasksRequest(project_id=project.id, page_token="!"),
        wire.ListTasksRequest(project_id=project.id, page_token=first.next_page_token[:-2]),
        wire.ListTasksRequest(project_id=project.id, page_token="A" * 2000),
        wire.ListTasksRequest(project_id=project.id, page_size=-1),
    ):
        refused = await refusal(ops.ListTasks(wrong))
        assert refused.code == "INVALID_ARGUMENT"
        assert refused.details["field"] in ("page_token", "page_size")


async def test_a_state_of_the_future_is_refused(office: Office) -> None:
    project = await office.project()

    refused = await refusal(
        office.admin.operations.ListTasks(wire.ListTasksRequest(project_id=project.id, state=42))
    )

    assert refused.code == "INVALID_ARGUMENT"
    assert refused.details["field"] == "state"


async def test_a_cancelled_task_takes_its_leases_back(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    _, ada = await office.session("ada")
    (offer,) = await ada.next(project.id)
    ops = office.admin.operations
    request = wire.CancelTaskRequest(
        project_id=project.id, task_id=added.task_id, reason="no longer needed", idempotency_key="once"
    )

    task = await ops.CancelTask(request)

    assert task.state == wire.TASK_STATE_CANCELLED
    receipt = await ada.submit(offer, {"label": "cat"})
    assert receipt.reason == "LEASE_REVOKED"
    assert await ops.CancelTask(request) == task
    without = wire.CancelTaskRequest(project_id=project.id, task_id=added.task_id)
    assert (await refusal(ops.CancelTask(without))).code == "INVALID_ARGUMENT"


async def test_a_finalised_task_is_not_cancelled(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)
    ops = office.admin.operations
    (task,) = (await ops.ListTasks(wire.ListTasksRequest(project_id=project.id))).tasks

    refused = await refusal(
        ops.CancelTask(wire.CancelTaskRequest(project_id=project.id, task_id=task.id, reason="too late"))
    )

    assert refused.code == "WRONG_STATE"
    assert refused.details["state"] == "FINALISED"


async def test_a_finalised_task_takes_answers_again_when_it_is_reopened(office: Office) -> None:
    project = await office.project()
    await office.finalised(project)
    ops = office.admin.operations
    (task,) = (await ops.ListTasks(wire.ListTasksRequest(project_id=project.id))).tasks
    none = wire.ReopenTaskRequest(project_id=project.id, task_id=task.id, reason="doubtful")
    assert (await refusal(ops.ReopenTask(none))).code == "INVALID_ARGUMENT"
    some = wire.ReopenTaskRequest(
        project_id=project.id, task_id=task.id, reason="doubtful", added=1, idempotency_key="once"
    )

    again = await ops.ReopenTask(some)

    assert again.state == wire.TASK_STATE_OPEN
    assert again.slots[0].planned == 4
    assert again.result.revision == 1
    await ops.ReopenTask(some)
    assert (await ops.GetTask(wire.GetTaskRequest(project_id=project.id, task_id=task.id))).task == again
    _, cleo = await office.session("cleo")
    await office.label(cleo, project)
    done = (await ops.GetTask(wire.GetTaskRequest(project_id=project.id, task_id=task.id))).task
    assert (done.state, done.result.revision, done.result.counted) == (wire.TASK_STATE_FINALISED, 2, 3)


async def test_a_parked_task_says_why_and_goes_on_when_it_is_reopened(office: Office) -> None:
    project = await office.project(
        rules=RULES.replace("policy: fifo", "policy: fifo\n  lease: {attempts: 2}")
    )
    (added,) = await office.items(project, 1)
    for name in ("ada", "ben"):
        _, client = await office.session(name)
        await office.skip(client, project)
    ops = office.admin.operations

    task = (await ops.GetTask(wire.GetTaskRequest(project_id=project.id, task_id=added.task_id))).task
    assert (task.state, task.attempts) == (wire.TASK_STATE_PARKED, 2)
    assert task.parked_reason == "TOO_MANY_UNANSWERED_LEASES"

    again = await ops.ReopenTask(
        wire.ReopenTaskRequest(project_id=project.id, task_id=added.task_id, reason="mended")
    )
    assert (again.state, again.parked_reason) == (wire.TASK_STATE_OPEN, "")


async def test_an_escalated_task_is_offered_to_experts_alone(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    ops = office.admin.operations
    request = wire.EscalateTaskRequest(project_id=project.id, task_id=added.task_id, reason="hard")

    task = await ops.EscalateTask(request)

    assert task.stage == types_pb2.STAGE_EXPERT
    assert [(one.stage, one.planned) for one in task.slots] == [
        (types_pb2.STAGE_CROWD, 3),
        (types_pb2.STAGE_EXPERT, 1),
    ]
    _, ada = await office.session("ada")
    assert await ada.next(project.id) == []
    _, eve = await office.session("eve", stages=[types_pb2.STAGE_EXPERT])
    await office.label(eve, project, "neither")
    done = (await ops.GetTask(wire.GetTaskRequest(project_id=project.id, task_id=added.task_id))).task
    assert done.result.fields["label"].label == "neither"
    refused = await refusal(ops.EscalateTask(request))
    assert refused.code == "WRONG_STATE"


async def test_an_answer_is_reviewed_on_request(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    _, ada = await office.session("ada")
    assignment = await office.label(ada, project)
    ops = office.admin.operations
    request = answers_pb2.RequestReviewRequest(
        project_id=project.id, assignment_id=assignment, reason="doubtful", idempotency_key="once"
    )

    annotation = await ops.RequestReview(request)

    assert annotation.review == answers_pb2.REVIEW_STATE_REQUESTED
    assert await ops.RequestReview(request) == annotation
    request.idempotency_key = "twice"
    assert (await refusal(ops.RequestReview(request))).code == "WRONG_STATE"
    _, sue = await office.session("sue", stages=[types_pb2.STAGE_SENIOR])
    await office.label(sue, project, "dog")
    reviewed = await ops.ListAnnotations(
        answers_pb2.ListAnnotationsRequest(project_id=project.id, review=answers_pb2.REVIEW_STATE_FAILED)
    )
    assert [one.assignment_id for one in reviewed.annotations] == [assignment]


async def test_a_lease_is_taken_away(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    worker, ada = await office.session("ada")
    (offer,) = await ada.next(project.id)
    ops = office.admin.operations
    request = answers_pb2.RevokeLeaseRequest(
        project_id=project.id, assignment_id=offer.assignment_id, reason="left", idempotency_key="once"
    )

    annotation = await ops.RevokeLease(request)

    assert annotation.state == answers_pb2.ASSIGNMENT_STATE_REVOKED
    assert (annotation.worker_id, annotation.revisions) == (worker, 0)
    assert not annotation.HasField("answered_at")
    assert await ops.RevokeLease(request) == annotation
    request.idempotency_key = ""
    assert (await refusal(ops.RevokeLease(request))).code == "LEASE_ENDED"


async def test_annotations_are_listed_newest_first_by_task_and_worker(office: Office) -> None:
    project = await office.project()
    (one, two, three) = await office.items(project, 3)
    ada_id, ada = await office.session("ada")
    ben_id, ben = await office.session("ben")
    ids = [await office.label(client, project) for client in (ada, ben, ada, ben, ada)]
    ops = office.admin.operations

    async def listed(**filters: object) -> list[list[str]]:
        pages, token = [], ""
        while True:
            request = answers_pb2.ListAnnotationsRequest(
                project_id=project.id,
                page_size=2,
                page_token=token,
                **filters,  # type: ignore[arg-type]
            )
            page = await ops.ListAnnotations(request)
            pages.append([annotation.assignment_id for annotation in page.annotations])
            token = page.next_page_token
            if not token:
                return pages

    assert await listed() == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert await listed(worker_id=ada_id) == [[ids[4], ids[2]], [ids[0]]]
    assert await listed(worker_id=ben_id) == [[ids[3], ids[1]]]
    assert await listed(task_id=three.task_id) == [[ids[4]]]
    assert await listed(review=answers_pb2.REVIEW_STATE_PASSED) == [[]]
    assert {one.task_id, two.task_id} == {
        (await ops.ListAnnotations(answers_pb2.ListAnnotationsRequest(project_id=project.id, task_id=task)))
        .annotations[0]
        .task_id
        for task in (one.task_id, two.task_id)
    }


async def test_a_worker_who_never_came_has_no_annotations_to_list(office: Office) -> None:
    project = await office.project()
    worker = await office.admin.operations.UpsertWorker(workers_pb2.UpsertWorkerRequest(external_id="ada"))

    refused = await refusal(
        office.admin.operations.ListAnnotations(
            answers_pb2.ListAnnotationsRequest(project_id=project.id, worker_id=worker.id)
        )
    )

    assert refused.code == "NOT_FOUND"
