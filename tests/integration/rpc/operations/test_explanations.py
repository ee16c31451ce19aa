"""Why things are as they are, in the words of the people who ask, with the numbers behind them."""

from __future__ import annotations

import pytest
from tests.support.operations import RULES, Office

from crowdroute.api.v1 import answers_pb2, projects_pb2, results_pb2, tasks_pb2, workers_pb2
from crowdroute.api.v1 import explanations_pb2 as wire

ENFORCED = RULES.replace("  gold:", "  review: {mode: enforce, threshold: 0.9}\n  gold:")


async def why_task(office: Office, project: projects_pb2.Project, task: str) -> wire.Explanation:
    return await office.admin.operations.ExplainTask(
        wire.ExplainTaskRequest(project_id=project.id, task_id=task)
    )


async def why_assignment(office: Office, project: projects_pb2.Project, one: str) -> wire.Explanation:
    return await office.admin.operations.ExplainAssignment(
        wire.ExplainAssignmentRequest(project_id=project.id, assignment_id=one)
    )


def codes(explanation: wire.Explanation) -> list[str]:
    return [reason.code for reason in explanation.reasons]


async def test_a_new_task_waits_for_its_first_answer(office: Office) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)

    told = await why_task(office, project, added.task_id)

    assert "open and has no answer that counts yet" in told.summary
    assert codes(told) == ["TASK_OPENED", "VERDICT_GO_ON"]
    opened = told.reasons[0]
    assert "at least 2 answers" in opened.text
    assert "90.0 %" in opened.text
    assert opened.numbers["target"] == 0.9
    assert opened.details["item"] == added.item_id


async def test_a_finalised_task_names_its_annotators_their_confidence_and_its_reason(office: Office) -> None:
    project = await office.project()
    ada, ben = await office.finalised(project)
    (task,) = (
        await office.admin.operations.ListTasks(tasks_pb2.ListTasksRequest(project_id=project.id))
    ).tasks

    told = await why_task(office, project, task.id)

    assert codes(told) == ["TASK_OPENED", "ANSWER_SUBMITTED", "ANSWER_SUBMITTED", "TASK_FINALISED"]
    assert "finalised as cat" in told.summary
    assert "the answers were sure enough" in told.summary
    _, first, second, final = told.reasons
    assert [first.details["worker"], second.details["worker"]] == [ada, ben]
    assert first.details["answer"] == "cat"
    assert "answered cat in the crowd" in first.text
    assert "no checked answers yet" in first.text
    assert 0 < first.numbers["likelihood.label"] <= 1
    assert first.numbers["accuracy_lower"] < first.numbers["accuracy"] < first.numbers["accuracy_upper"]
    assert final.numbers["confidence"] == pytest.approx(task.confidence)
    assert final.numbers["counted"] == 2
    assert final.details["reason"] == "CONFIDENT"
    assert all(reason.at.seconds for reason in told.reasons)


async def test_disagreement_and_measured_accuracy_are_told(office: Office) -> None:
    project = await office.project(rules=RULES.replace("share: 0%", "share: 100%"))
    await office.items(project, 1, prefix="gold", gold="cat")
    (added,) = await office.items(project, 1)
    for name, label in (("ada", "cat"), ("ben", "dog")):
        _, client = await office.session(name)
        await office.label(client, project, "cat")
        await office.label(client, project, label)

    told = await why_task(office, project, added.task_id)

    assert codes(told)[-1] == "VERDICT_GO_ON"
    assert "1 of 1 checked answers right" in told.reasons[1].text
    assert told.reasons[1].numbers["checked"] == 1
    last = told.reasons[-1]
    assert "It has 2 answers and" in last.text
    assert "of 90.0 % needed" in last.text
    assert "another answer is wanted" in last.text
    assert last.numbers["free"] == 1


async def test_a_review_is_told_with_its_verdict(office: Office) -> None:
    project = await office.project(rules=ENFORCED)
    (added,) = await office.items(project, 1)
    _, ada = await office.session("ada")
    one = await office.label(ada, project)

    waiting = await why_task(office, project, added.task_id)
    assert "a reviewer is asked about it" in waiting.reasons[1].text
    assert "1 under review" in waiting.reasons[-1].text
    assert codes(await why_assignment(office, project, one))[:3] == [
        "LEASE_GRANTED",
        "ANSWER_COUNTED",
        "REVIEW_REQUESTED",
    ]

    _, sue = await office.session("sue", stages=[2])
    await office.label(sue, project, "dog")
    told = await why_assignment(office, project, one)
    assert "REVIEW_FAILED" in codes(told)
    assert "A reviewer found the answer wrong." in [reason.text for reason in told.reasons]
    record = next(reason for reason in told.reasons if reason.code == "WORKER_ACCURACY")
    assert (record.numbers["checked"], record.numbers["correct"]) == (1, 0)


async def test_a_grant_is_told_with_what_chose_it(office: Office) -> None:
    project = await office.project(rules=RULES.replace("fifo", "information_gain"))
    await office.items(project, 2)
    worker, ada = await office.session("ada")
    (offer,) = await ada.next(project.id)

    told = await why_assignment(office, project, offer.assignment_id)

    granted = told.reasons[0]
    assert granted.code == "LEASE_GRANTED"
    assert granted.details["policy"] in ("information_gain", "explore")
    assert granted.details["worker"] == worker
    assert 0 < granted.numbers["propensity"] <= 1
    assert granted.numbers["price"] == pytest.approx(0.02)
    assert granted.numbers["rules_version"] == 1
    assert "The lease is live." in told.summary


async def test_a_hidden_check_is_told_to_operators(office: Office) -> None:
    project = await office.project(rules=RULES.replace("share: 0%", "share: 100%"))
    (added,) = await office.items(project, 1, gold="cat")
    _, ada = await office.session("ada")
    one = await office.label(ada, project)

    assert "the worker was due to be checked" in (await why_assignment(office, project, one)).summary
    told = await why_task(office, project, added.task_id)
    assert "its answer is known and it checks workers" in told.summary
    assert codes(told) == ["TASK_OPENED", "ANSWER_SUBMITTED"]


async def test_a_worker_who_would_no_longer_be_given_the_task_is_told(office: Office) -> None:
    project = await office.project()
    await office.items(project, 1)
    worker, ada = await office.session("ada")
    one = await office.label(ada, project)
    await office.admin.operations.SetWorkerStatus(
        workers_pb2.SetWorkerStatusRequest(
            worker_id=worker, status=workers_pb2.WORKER_STATUS_BANNED, reason="misconduct"
        )
    )

    told = await why_assignment(office, project, one)

    assert codes(told)[-1] == "NOT_ELIGIBLE"
    assert told.reasons[-1].details["missing"] == "STATUS"
    assert "PAYMENT_DUE" in codes(told)


async def test_corrections_discounts_and_parking_are_told(office: Office) -> None:
    project = await office.project(
        rules=RULES.replace("policy: fifo", "policy: fifo\n  lease: {attempts: 1}")
    )
    ada, _ = await office.finalised(project)
    ops = office.admin.operations
    (task,) = (await ops.ListTasks(tasks_pb2.ListTasksRequest(project_id=project.id))).tasks
    await ops.CorrectResult(
        results_pb2.CorrectResultRequest(
            project_id=project.id,
            task_id=task.id,
            answers={"label": {"label": "dog"}},  # type: ignore[dict-item]
            reason="seen by eye",
        )
    )
    await ops.DiscountWorker(
        workers_pb2.DiscountWorkerRequest(project_id=project.id, worker_id=ada, reason="spam")
    )
    await office.pass_time(1)

    told = await why_task(office, project, task.id)
    assert "RESULT_CORRECTED" in codes(told)
    corrected = next(reason for reason in told.reasons if reason.code == "RESULT_CORRECTED")
    assert "corrected to dog (revision 2): seen by eye" in corrected.text
    assert "it was corrected" in told.summary
    assert any("none of its worker's answers do" in reason.text for reason in told.reasons)

    (added,) = await office.items(project, 1, prefix="hard")
    _, eve = await office.session("eve")
    (offer,) = await eve.next(project.id)
    await ops.RevokeLease(
        answers_pb2.RevokeLeaseRequest(
            project_id=project.id, assignment_id=offer.assignment_id, reason="left"
        )
    )
    assert (await why_assignment(office, project, offer.assignment_id)).summary.endswith(
        "The lease was taken away."
    )
    _, fay = await office.session("fay")
    await office.skip(fay, project)
    told = await why_task(office, project, added.task_id)
    assert codes(told)[-1] == "TASK_PARKED"
    assert "re-open or cancel it" in told.reasons[-1].text
    assert [code for code in codes(told) if code.startswith("LEASE_")] == ["LEASE_REVOKED", "LEASE_SKIPPED"]
