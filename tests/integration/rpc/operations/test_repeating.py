"""A change that is asked for again under its key happens once, whatever it is; every call that has a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from tests.support.operations import OPERATIONS, RULES, VENDOR, Office, labels, refusal

from crowdroute.api.v1 import (
    annotation_pb2,
    answers_pb2,
    assignments_pb2,
    projects_pb2,
    results_pb2,
    rules_pb2,
    tasks_pb2,
    tokens_pb2,
    workers_pb2,
)
from crowdroute.client import AsyncClient
from crowdroute.client.retrying import prepare

ANNOTATION = annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"]
Ready = tuple[AsyncClient, Message]
"""Who calls, and with what."""


async def _as_admin(office: Office, request: Message) -> Ready:
    return office.admin, request


async def _create(office: Office) -> Ready:
    return office.admin, projects_pb2.CreateProjectRequest(name="dogs", rules_yaml=RULES)


async def _pause(office: Office) -> Ready:
    project = await office.project()
    return office.admin, projects_pb2.PauseProjectRequest(project_id=project.id, reason="lunch")


async def _resume(office: Office) -> Ready:
    _, paused = await _pause(office)
    await office.admin.operations.PauseProject(paused)
    return office.admin, projects_pb2.ResumeProjectRequest(project_id=paused.project_id)


async def _refit(office: Office) -> Ready:
    project = await office.project()
    await office.finalised(project)
    return office.admin, projects_pb2.RefitProjectRequest(project_id=project.id)


async def _rules(office: Office) -> Ready:
    project = await office.project()
    return office.admin, rules_pb2.ApplyRulesRequest(
        project_id=project.id, rules_yaml=RULES, expected_version=1
    )


async def _items(office: Office) -> Ready:
    request = tasks_pb2.AddItemsRequest(project_id=(await office.project()).id)
    for text in ("one", "two"):
        request.items.add().content.add(id="text", text=text)
    return office.admin, request


async def _erase(office: Office) -> Ready:
    project = await office.project()
    (added,) = await office.items(project, 1)
    return office.admin, tasks_pb2.EraseItemRequest(
        project_id=project.id, item_id=added.item_id, reason="asked to"
    )


def _task(kind: type[Message], **fields: Any) -> Callable[[Office], Awaitable[Ready]]:
    async def ready(office: Office) -> Ready:
        project = await office.project()
        (added,) = await office.items(project, 1)
        return office.admin, kind(project_id=project.id, task_id=added.task_id, reason="why", **fields)

    return ready


def _finished(kind: type[Message], **fields: Any) -> Callable[[Office], Awaitable[Ready]]:
    async def ready(office: Office) -> Ready:
        project = await office.project()
        await office.finalised(project)
        (result,) = (
            await office.admin.operations.ListResults(results_pb2.ListResultsRequest(project_id=project.id))
        ).results
        return office.admin, kind(project_id=project.id, task_id=result.task_id, reason="why", **fields)

    return ready


async def _review(office: Office) -> Ready:
    project = await office.project()
    await office.items(project, 1)
    _, ada = await office.session("ada")
    assignment = await office.label(ada, project)
    return office.admin, answers_pb2.RequestReviewRequest(
        project_id=project.id, assignment_id=assignment, reason="odd"
    )


async def _revoke_lease(office: Office) -> Ready:
    _, offer = await _offered(office)
    return office.admin, answers_pb2.RevokeLeaseRequest(
        project_id=offer.project_id, assignment_id=offer.assignment_id, reason="odd"
    )


async def _status(office: Office) -> Ready:
    worker, _ = await office.session("ada")
    return office.admin, workers_pb2.SetWorkerStatusRequest(
        worker_id=worker, status=workers_pb2.WORKER_STATUS_BANNED, reason="misconduct"
    )


async def _discount(office: Office) -> Ready:
    project = await office.project()
    await office.items(project, 1)
    worker, ada = await office.session("ada")
    await office.label(ada, project)
    return office.admin, workers_pb2.DiscountWorkerRequest(
        project_id=project.id, worker_id=worker, reason="by chance"
    )


async def _erase_person(office: Office) -> Ready:
    worker, _ = await office.session("ada")
    row = await office.admin.operations.GetWorker(workers_pb2.GetWorkerRequest(worker_id=worker))
    return office.admin, workers_pb2.ErasePersonRequest(person_id=row.person_id, reason="asked to")


async def _revoke_token(office: Office) -> Ready:
    issued = await office.admin.operations.IssueToken(
        tokens_pb2.IssueTokenRequest(name="t", scopes=["projects.read"])
    )
    return office.admin, tokens_pb2.RevokeTokenRequest(token_id=issued.token.id, reason="lost")


async def _offered(office: Office, items: int = 1) -> tuple[AsyncClient, assignments_pb2.Offer]:
    project = await office.project()
    await office.items(project, items)
    _, ada = await office.session("ada")
    (offer,) = await ada.next(project.id)
    return ada, offer


async def _next(office: Office) -> Ready:
    project = await office.project()
    await office.items(project, 3)
    _, ada = await office.session("ada")
    return ada, assignments_pb2.NextRequest(project_id=project.id, count=1)


def _held(kind: type[Message], answered: bool = False, **fields: Any) -> Callable[[Office], Awaitable[Ready]]:
    async def ready(office: Office) -> Ready:
        ada, offer = await _offered(office)
        if answered:
            await ada.submit(offer, {"label": "dog"})
        return ada, kind(
            project_id=offer.project_id,
            assignment_id=offer.assignment_id,
            lease_token=offer.lease_token,
            **fields,
        )

    return ready


READY: dict[str, Callable[[Office], Awaitable[Ready]]] = {
    "CreateProject": _create,
    "PauseProject": _pause,
    "ResumeProject": _resume,
    "RefitProject": _refit,
    "ApplyRules": _rules,
    "AddItems": _items,
    "EraseItem": _erase,
    "CancelTask": _task(tasks_pb2.CancelTaskRequest),
    "EscalateTask": _task(tasks_pb2.EscalateTaskRequest),
    "ReopenTask": _finished(tasks_pb2.ReopenTaskRequest, added=1),
    "CorrectResult": _finished(results_pb2.CorrectResultRequest, answers=labels(label="dog")),
    "RequestReview": _review,
    "RevokeLease": _revoke_lease,
    "UpsertWorker": lambda office: _as_admin(office, workers_pb2.UpsertWorkerRequest(external_id="eve")),
    "SetWorkerStatus": _status,
    "DiscountWorker": _discount,
    "ErasePerson": _erase_person,
    "AddVendor": lambda office: _as_admin(office, workers_pb2.AddVendorRequest(name="supplier")),
    "AddPool": lambda office: _as_admin(office, workers_pb2.AddPoolRequest(name="pool")),
    "RevokeToken": _revoke_token,
    "Next": _next,
    "Amend": _held(assignments_pb2.AmendRequest, answered=True, answers=labels(label="cat")),
    "Withdraw": _held(assignments_pb2.WithdrawRequest, answered=True, reason="slip"),
    "Skip": _held(assignments_pb2.SkipRequest, reason="unclear"),
    "ReportProblem": _held(assignments_pb2.ReportProblemRequest, reason="unclear"),
    "Extend": _held(assignments_pb2.ExtendRequest),
    "Release": _held(assignments_pb2.ReleaseRequest),
}
"""What makes each call one that changes something."""

AGAIN_MAKES_ANOTHER = frozenset({"IssueToken", "CreateWorkerSession"})
"""Calls that change something and have no key: their reply holds a secret that is stored nowhere, so it
cannot be given again."""

ROW_BY_ROW = frozenset({"UpsertWorkers"})
"""Each of its rows may have a key."""

BY_ASSIGNMENT = frozenset({"Submit", "SaveDraft"})
TOLD_ROW_BY_ROW = frozenset({"ExportResults", "Watch"})
"""What they give comes in rows, which must not come again."""

ONCE_PER_NAME = frozenset({"BackupLog"})
"""A copy that is there is not made again."""

READING = frozenset(
    {
        *("Resume", "GetGuideline", "GetProject", "ListProjects", "GetStats", "CheckRules", "GetRules"),
        *("ListRulesVersions", "GetTask", "ListTasks", "ListAnnotations", "GetResult", "ListResults"),
        *("GetWorker", "ListWorkers", "ListWorkerRecords", "ListVendors", "ListPools", "ListTokens"),
        *("ListBalances", "ListEntries", "ExplainTask", "ExplainAssignment"),
        *("ListOpenProjects", "ListVendorWorkers", "GetStatement", "VerifyLog"),
    }
)

NOT_REPEATED = AGAIN_MAKES_ANOTHER | ROW_BY_ROW | TOLD_ROW_BY_ROW | ONCE_PER_NAME


def methods() -> list[MethodDescriptor]:
    return [
        method
        for service in (ANNOTATION, OPERATIONS, VENDOR)
        for method in service.methods
        if not method.client_streaming
    ]


def has_key(method: MethodDescriptor) -> bool:
    return "idempotency_key" in method.input_type.fields_by_name


def written(office: Office) -> int:
    """Give the bytes in the log."""
    return sum(len(batch.body) for batch in office.disk.batches)


def stub(client: AsyncClient, name: str) -> Callable[[Message], Awaitable[Message]]:
    """Give what makes a call; of answers that stream, the last is the one that counts."""
    service = client.annotation if name in ANNOTATION.methods_by_name else client.operations
    call = getattr(service, name)

    async def made(request: Message) -> Message:
        answers = call(request)
        if hasattr(answers, "__aiter__"):
            *_, last = [answer async for answer in answers]
            return cast("Message", last)
        return cast("Message", await answers)

    return made


def test_every_call_that_changes_something_may_be_repeated_or_is_known_not_to_be() -> None:
    keyed = {method.name for method in methods() if has_key(method)}
    assert keyed == READY.keys()
    unkeyed = {method.name for method in methods()} - keyed
    assert unkeyed == READING | BY_ASSIGNMENT | NOT_REPEATED


@pytest.mark.parametrize("method", methods(), ids=lambda method: method.name)
def test_the_client_repeats_exactly_what_cannot_happen_twice(method: MethodDescriptor) -> None:
    request = method.input_type._concrete_class()
    sent, repeatable = prepare(method.name, request)
    assert repeatable == (method.name not in NOT_REPEATED)
    if has_key(method):
        assert sent.idempotency_key


@pytest.mark.parametrize("name", READY)
async def test_a_retry_gets_the_same_reply_and_changes_nothing(office: Office, name: str) -> None:
    client, request = await READY[name](office)
    request.idempotency_key = "once"  # type: ignore[attr-defined]  # `READY` holds those that have one
    call = stub(client, name)

    first = await call(request)
    before = written(office)
    again = await call(request)

    assert again == first
    assert written(office) == before, "the retry wrote to the log"


@pytest.mark.parametrize(
    "name", sorted(READY.keys() - {"ResumeProject", "RefitProject"})
)  # which have nothing but their project
async def test_another_request_under_the_key_is_refused_and_changes_nothing(
    office: Office, name: str
) -> None:
    client, request = await READY[name](office)
    request.idempotency_key = "once"  # type: ignore[attr-defined]  # `READY` holds those that have one
    call = stub(client, name)
    await call(request)
    before = written(office)

    refused = await refusal(call(_changed(request)))

    assert refused.code == "IDEMPOTENCY_KEY_REUSED"
    assert written(office) == before


def _changed(request: Message) -> Message:
    """Give a request that asks for something else."""
    other = type(request)()
    other.CopyFrom(request)
    fields = other.DESCRIPTOR.fields_by_name
    for field in ("reason", "name", "external_id"):
        if field in fields:
            setattr(other, field, "another")
            return other
    if "answers" in fields:
        other.answers["label"].label = "neither"  # type: ignore[attr-defined]  # seen above
    elif isinstance(other, assignments_pb2.NextRequest):
        other.count = 2
    elif isinstance(other, rules_pb2.ApplyRulesRequest):
        other.rules_yaml = RULES.replace("0.02", "0.03")
    elif isinstance(other, tasks_pb2.AddItemsRequest):
        other.items[0].priority = 1
    else:
        other.assignment_id = f"asg_{1:032x}"  # type: ignore[attr-defined]  # what is left is about leases
    return other


async def test_a_late_retry_does_not_undo_what_came_after(office: Office) -> None:
    project = await office.project()
    ops = office.admin.operations
    pause = projects_pb2.PauseProjectRequest(project_id=project.id, reason="lunch", idempotency_key="p")
    await ops.PauseProject(pause)
    await ops.ResumeProject(projects_pb2.ResumeProjectRequest(project_id=project.id))

    retried = await ops.PauseProject(pause)

    assert retried.state == projects_pb2.PROJECT_STATE_ACTIVE
