"""No answer rests on what is not durable: not of a query, a command, or a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from google.protobuf.message import Message
from tests.support.operations import RULES, TENANT, Office

from crowdroute.api.v1 import (
    answers_pb2,
    explanations_pb2,
    ledger_pb2,
    projects_pb2,
    results_pb2,
    rules_pb2,
    tasks_pb2,
    tokens_pb2,
    workers_pb2,
)
from crowdroute.client import ClientError
from crowdroute.router.adapters.memory import MemoryLog
from crowdroute.router.commands.project import CorrectResult
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.answers import Choice

Ask = Callable[[str, str, str], Message]

QUESTIONS: dict[str, Ask] = {
    "GetProject": lambda p, t, a: projects_pb2.GetProjectRequest(project_id=p),
    "ListProjects": lambda p, t, a: projects_pb2.ListProjectsRequest(),
    "GetStats": lambda p, t, a: projects_pb2.GetStatsRequest(project_id=p),
    "CheckRules": lambda p, t, a: rules_pb2.CheckRulesRequest(project_id=p, rules_yaml=RULES),
    "GetRules": lambda p, t, a: rules_pb2.GetRulesRequest(project_id=p),
    "ListRulesVersions": lambda p, t, a: rules_pb2.ListRulesVersionsRequest(project_id=p),
    "GetTask": lambda p, t, a: tasks_pb2.GetTaskRequest(project_id=p, task_id=t),
    "ListTasks": lambda p, t, a: tasks_pb2.ListTasksRequest(project_id=p),
    "ListAnnotations": lambda p, t, a: answers_pb2.ListAnnotationsRequest(project_id=p),
    "GetResult": lambda p, t, a: results_pb2.GetResultRequest(project_id=p, task_id=t),
    "ListResults": lambda p, t, a: results_pb2.ListResultsRequest(project_id=p),
    "ExportResults": lambda p, t, a: results_pb2.ExportResultsRequest(project_id=p),
    "GetWorker": lambda p, t, a: workers_pb2.GetWorkerRequest(external_id="ada"),
    "ListWorkers": lambda p, t, a: workers_pb2.ListWorkersRequest(),
    "ListWorkerRecords": lambda p, t, a: workers_pb2.ListWorkerRecordsRequest(project_id=p),
    "ListVendors": lambda p, t, a: workers_pb2.ListVendorsRequest(),
    "ListPools": lambda p, t, a: workers_pb2.ListPoolsRequest(),
    "ListTokens": lambda p, t, a: tokens_pb2.ListTokensRequest(),
    "ListBalances": lambda p, t, a: ledger_pb2.ListBalancesRequest(project_id=p),
    "ListEntries": lambda p, t, a: ledger_pb2.ListEntriesRequest(project_id=p),
    "ExplainTask": lambda p, t, a: explanations_pb2.ExplainTaskRequest(project_id=p, task_id=t),
    "ExplainAssignment": lambda p, t, a: explanations_pb2.ExplainAssignmentRequest(
        project_id=p, assignment_id=a
    ),
}
"""Every query."""

REFUSED: dict[str, Ask] = {
    "CreateProject": lambda p, t, a: projects_pb2.CreateProjectRequest(name="cats", rules_yaml=RULES),
    "CancelTask": lambda p, t, a: tasks_pb2.CancelTaskRequest(project_id=p, task_id=t, reason="late"),
    "CreateWorkerSession": lambda p, t, a: tokens_pb2.CreateWorkerSessionRequest(external_id="nobody"),
    "AddVendor": lambda p, t, a: workers_pb2.AddVendorRequest(name=""),
}


@pytest.mark.parametrize(("name", "ask"), {**QUESTIONS, **REFUSED}.items(), ids=[*QUESTIONS, *REFUSED])
async def test_an_answer_waits_for_what_it_may_rest_on(office: Office, name: str, ask: Ask) -> None:
    project = await office.project()
    await office.finalised(project)
    (task,) = (
        await office.admin.operations.ListTasks(tasks_pb2.ListTasksRequest(project_id=project.id))
    ).tasks
    assignment = (
        (
            await office.admin.operations.ListAnnotations(
                answers_pb2.ListAnnotationsRequest(project_id=project.id)
            )
        )
        .annotations[0]
        .assignment_id
    )
    log = office.engine.log
    assert isinstance(log, MemoryLog)
    log.hold()
    pausing = asyncio.create_task(
        office.admin.operations.PauseProject(
            projects_pb2.PauseProjectRequest(project_id=project.id, reason="x")
        )
    )
    state = office.engine.project(TENANT, bytes.fromhex(project.id.removeprefix("prj_")))
    while not state.state:
        await asyncio.sleep(0)

    asking = asyncio.create_task(answered(office, name, ask(project.id, task.id, assignment)))
    done, _ = await asyncio.wait((asking,), timeout=0.05)
    log.release()
    await pausing
    assert not done
    outcome = await asking
    assert (outcome is not None) == (name in REFUSED), outcome


async def answered(office: Office, name: str, message: Message) -> ClientError | None:
    """Make a call to its end; give what it was refused with."""
    stub: Any = getattr(office.admin.operations, name)
    try:
        if name == "ExportResults":
            await anext(stub(message), None)
        else:
            await stub(message)
    except ClientError as error:
        return error
    return None


READ_WITH_CONTENT: tuple[str, ...] = ("GetTask", "GetResult", "ListResults", "ExportResults", "ListTasks")
"""Queries that wait for contents, during which others decide."""


@pytest.mark.parametrize("name", READ_WITH_CONTENT)
async def test_an_answer_waits_for_what_was_decided_while_it_was_written(
    office: Office, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    project = await office.project()
    await office.finalised(project)
    (task,) = (
        await office.admin.operations.ListTasks(tasks_pb2.ListTasksRequest(project_id=project.id))
    ).tasks
    log, fetch = office.engine.log, office.engine.fetch
    assert isinstance(log, MemoryLog)
    decided = asyncio.Event()

    async def fetch_while_somebody_decides(keys: Iterable[str]) -> dict[str, bytes]:
        found = await fetch(keys)
        if not decided.is_set():
            decided.set()
            log.hold()
            identity = bytes.fromhex(task.id.removeprefix("tsk_"))
            stream = project_stream(TENANT, bytes.fromhex(project.id.removeprefix("prj_")))
            correction = CorrectResult(identity, (Choice(0, 1),), "by eye")
            office.engine.decide(office.engine.request(stream, correction))
        return found

    monkeypatch.setattr(office.engine, "fetch", fetch_while_somebody_decides)
    asking = asyncio.create_task(answered(office, name, QUESTIONS[name](project.id, task.id, "")))
    await decided.wait()
    done, _ = await asyncio.wait((asking,), timeout=0.05)
    log.release()

    assert not done, "it told what could still be lost"
    assert await asking is None
