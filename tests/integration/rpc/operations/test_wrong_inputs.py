"""What operators get wrong is refused with a stable code, and with words that say where and what to do.

What annotators get wrong is in `tests/integration/rpc/test_refusals.py`, credentials in
`test_credentials.py`, other tenants' ids in `test_tenancy.py`, files in `tests/unit/cli/test_item_files.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc
import pytest
from tests.support.operations import RULES, Office, labels, refusal

from crowdroute.api.v1 import assignments_pb2, explanations_pb2, projects_pb2, results_pb2, tasks_pb2
from crowdroute.client import AsyncClient

NOBODYS = "tsk_" + "5" * 32

Ask = Callable[[AsyncClient, str, str], Awaitable[object]]

ABOUT_TASKS: dict[str, Ask] = {
    "GetTask": lambda c, p, t: c.operations.GetTask(tasks_pb2.GetTaskRequest(project_id=p, task_id=t)),
    "ExplainTask": lambda c, p, t: c.operations.ExplainTask(
        explanations_pb2.ExplainTaskRequest(project_id=p, task_id=t)
    ),
    "CancelTask": lambda c, p, t: c.operations.CancelTask(
        tasks_pb2.CancelTaskRequest(project_id=p, task_id=t, reason="x")
    ),
    "ReopenTask": lambda c, p, t: c.operations.ReopenTask(
        tasks_pb2.ReopenTaskRequest(project_id=p, task_id=t, reason="x")
    ),
    "EscalateTask": lambda c, p, t: c.operations.EscalateTask(
        tasks_pb2.EscalateTaskRequest(project_id=p, task_id=t, reason="x")
    ),
    "GetResult": lambda c, p, t: c.operations.GetResult(
        results_pb2.GetResultRequest(project_id=p, task_id=t)
    ),
    "CorrectResult": lambda c, p, t: c.operations.CorrectResult(
        results_pb2.CorrectResultRequest(project_id=p, task_id=t, answers=labels(label="cat"), reason="x")
    ),
}


@pytest.mark.parametrize("call", ABOUT_TASKS)
async def test_an_unknown_task_is_not_found_and_named(office: Office, call: str) -> None:
    project = await office.project()

    refused = await refusal(ABOUT_TASKS[call](office.admin, project.id, NOBODYS))

    assert (refused.status, refused.code) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    assert refused.message == f"{NOBODYS} is not a task of this project"


@pytest.mark.parametrize("task", ["", "5", "prj_" + "5" * 32, "tsk_" + "g" * 32, "tsk_" + "5" * 31])
async def test_what_is_no_task_id_is_told_what_one_looks_like(office: Office, task: str) -> None:
    project = await office.project()

    refused = await refusal(ABOUT_TASKS["GetTask"](office.admin, project.id, task))

    assert (refused.code, refused.details["field"]) == ("INVALID_ARGUMENT", "task_id")
    assert "expected tsk_ and 32 hex digits" in refused.message


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ("qualty: {}", "column 1: qualty", "there is no key 'qualty' here; did you mean 'quality'?"),
        ("labels: [a, b]", "column 1: labels", "this key is given twice, first in line 2, column 1"),
    ],
)
async def test_a_wrong_key_in_rules_is_told_with_line_and_column(
    office: Office, line: str, place: str, said: str
) -> None:
    document = f"schema: crowdroute.rules/v1\nlabels: [cat, dog]\n{line}\n"
    request = projects_pb2.CreateProjectRequest(name="wrong", rules_yaml=document)

    refused = await refusal(office.admin.operations.CreateProject(request))

    assert (refused.status, refused.code) == (grpc.StatusCode.INVALID_ARGUMENT, "RULES_INVALID")
    assert f"line 3, {place}" in refused.message
    assert said in refused.message


async def test_a_gold_label_outside_the_label_set_is_refused_with_the_labels_there_are(
    office: Office,
) -> None:
    project = await office.project()
    item = tasks_pb2.NewItem(external_id="1", purpose=tasks_pb2.PURPOSE_GOLD, gold=labels(label="horse"))
    item.content.add(id="text", text="look")
    request = tasks_pb2.AddItemsRequest(project_id=project.id, items=[item])

    refused = await refusal(office.admin.operations.AddItems(request))

    assert (refused.status, refused.code) == (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_LABEL")
    assert "'horse'" in refused.message
    assert "cat" in refused.message
    assert "dog" in refused.message


async def test_an_empty_project_has_no_work_and_says_so(office: Office) -> None:
    project = await office.project(rules=RULES)
    _, worker = await office.session("ada")

    reply = await worker.annotation.Next(assignments_pb2.NextRequest(project_id=project.id))

    assert not reply.offers
    assert reply.no_task.reason == "NO_TASK"
    assert reply.no_task.retry_after.seconds > 0


async def test_a_project_that_does_not_exist_is_told_with_what_to_do(office: Office) -> None:
    refused = await refusal(
        office.admin.operations.GetProject(projects_pb2.GetProjectRequest(name="nothing"))
    )

    assert refused.code == "NOT_FOUND"
    assert refused.message == "there is no project named 'nothing': list the projects, or create it"
