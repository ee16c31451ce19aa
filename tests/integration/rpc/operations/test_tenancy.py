"""Another tenant's ids answer exactly as ids that nothing has; every field of every call that holds an id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from tests.support.operations import CALLS, VENDOR, Office, ask, labels

from crowdroute.api.v1 import (
    answers_pb2,
    explanations_pb2,
    ledger_pb2,
    projects_pb2,
    results_pb2,
    rules_pb2,
    tasks_pb2,
    tokens_pb2,
    vendor_pb2,
    workers_pb2,
)
from crowdroute.client import AsyncClient
from crowdroute.router.rpc.scopes import EVERY_SCOPE, Scope

BY_NAME = {method.name: method for method in CALLS}
KINDS = {
    "project": "prj",
    "item": "itm",
    "task": "tsk",
    "assignment": "asg",
    "worker": "wrk",
    "person": "psn",
    "vendor": "vnd",
    "pool": "pol",
    "token": "tok",
}
_ID_FIELD = re.compile(r"(?:.*_)?(" + "|".join(KINDS) + r")_ids?")
REASON = "asked to"


class Things(NamedTuple):
    """One of each kind, in one tenant."""

    project: str
    item: str
    task: str
    assignment: str
    worker: str
    person: str
    vendor: str
    pool: str
    token: str


async def build(office: Office, tenant: str) -> tuple[AsyncClient, Things]:
    """Make one of everything in a tenant."""
    admin = await office.client(tenant=tenant)
    ops = admin.operations
    vendor = await ops.AddVendor(workers_pb2.AddVendorRequest(name="supplier"))
    pool = await ops.AddPool(workers_pb2.AddPoolRequest(name="pool", vendor_id=vendor.id))
    project = await office.project(client=admin)
    (added,) = await office.items(project, 1, client=admin)
    upsert = workers_pb2.UpsertWorkerRequest(external_id="ada", vendor_id=vendor.id, pool_id=pool.id)
    worker = await ops.UpsertWorker(upsert)
    session = await ops.CreateWorkerSession(tokens_pb2.CreateWorkerSessionRequest(worker_id=worker.id))
    assignment = await office.label(office.holder(session.bearer), project)
    issued = await ops.IssueToken(tokens_pb2.IssueTokenRequest(name="t", scopes=["projects.read"]))
    things = Things(
        project.id,
        added.item_id,
        added.task_id,
        assignment,
        worker.id,
        worker.person_id,
        vendor.id,
        pool.id,
        issued.token.id,
    )
    return admin, things


Base = Callable[[Things], Message]


def item(**fields: Any) -> Base:
    """Add one item."""
    return lambda t: tasks_pb2.AddItemsRequest(
        project_id=t.project,
        items=[tasks_pb2.NewItem(**{name: give(t) for name, give in fields.items()})],
    )


def content(t: Things) -> list[dict[str, str]]:
    return [{"id": "text", "text": "look"}]


def required(**fields: Any) -> Callable[[Things], tasks_pb2.Requirement]:
    return lambda t: tasks_pb2.Requirement(**{name: [give(t)] for name, give in fields.items()})


BASES: list[tuple[str, Base]] = [
    ("GetProject", lambda t: projects_pb2.GetProjectRequest(project_id=t.project)),
    ("PauseProject", lambda t: projects_pb2.PauseProjectRequest(project_id=t.project, reason=REASON)),
    ("ResumeProject", lambda t: projects_pb2.ResumeProjectRequest(project_id=t.project)),
    ("RefitProject", lambda t: projects_pb2.RefitProjectRequest(project_id=t.project)),
    ("GetStats", lambda t: projects_pb2.GetStatsRequest(project_id=t.project)),
    ("CheckRules", lambda t: rules_pb2.CheckRulesRequest(project_id=t.project)),
    ("ApplyRules", lambda t: rules_pb2.ApplyRulesRequest(project_id=t.project)),
    ("GetRules", lambda t: rules_pb2.GetRulesRequest(project_id=t.project)),
    ("ListRulesVersions", lambda t: rules_pb2.ListRulesVersionsRequest(project_id=t.project)),
    ("AddItems", item(item_id=lambda t: t.item)),
    ("AddItems", item(content=content, allowed_worker_ids=lambda t: [t.worker])),
    ("AddItems", item(content=content, denied_worker_ids=lambda t: [t.worker])),
    ("AddItems", item(content=content, requirement=required(pool_ids=lambda t: t.pool))),
    ("AddItems", item(content=content, requirement=required(vendor_ids=lambda t: t.vendor))),
    (
        "ImportItems",
        lambda t: tasks_pb2.ImportItemsRequest(
            header=tasks_pb2.ImportHeader(project_id=t.project, format=tasks_pb2.ITEMS_FORMAT_CSV)
        ),
    ),
    ("EraseItem", lambda t: tasks_pb2.EraseItemRequest(project_id=t.project, item_id=t.item, reason=REASON)),
    ("GetTask", lambda t: tasks_pb2.GetTaskRequest(project_id=t.project, task_id=t.task)),
    ("ListTasks", lambda t: tasks_pb2.ListTasksRequest(project_id=t.project, item_id=t.item)),
    (
        "CancelTask",
        lambda t: tasks_pb2.CancelTaskRequest(project_id=t.project, task_id=t.task, reason=REASON),
    ),
    (
        "ReopenTask",
        lambda t: tasks_pb2.ReopenTaskRequest(project_id=t.project, task_id=t.task, reason=REASON),
    ),
    (
        "EscalateTask",
        lambda t: tasks_pb2.EscalateTaskRequest(project_id=t.project, task_id=t.task, reason=REASON),
    ),
    ("ListAnnotations", lambda t: answers_pb2.ListAnnotationsRequest(project_id=t.project, task_id=t.task)),
    (
        "ListAnnotations",
        lambda t: answers_pb2.ListAnnotationsRequest(project_id=t.project, worker_id=t.worker),
    ),
    (
        "RequestReview",
        lambda t: answers_pb2.RequestReviewRequest(
            project_id=t.project, assignment_id=t.assignment, reason=REASON
        ),
    ),
    (
        "RevokeLease",
        lambda t: answers_pb2.RevokeLeaseRequest(
            project_id=t.project, assignment_id=t.assignment, reason=REASON
        ),
    ),
    ("GetResult", lambda t: results_pb2.GetResultRequest(project_id=t.project, task_id=t.task)),
    ("ListResults", lambda t: results_pb2.ListResultsRequest(project_id=t.project)),
    ("ExportResults", lambda t: results_pb2.ExportResultsRequest(project_id=t.project)),
    (
        "CorrectResult",
        lambda t: results_pb2.CorrectResultRequest(
            project_id=t.project, task_id=t.task, reason=REASON, answers=labels(label="cat")
        ),
    ),
    ("UpsertWorker", lambda t: workers_pb2.UpsertWorkerRequest(worker_id=t.worker)),
    ("UpsertWorker", lambda t: workers_pb2.UpsertWorkerRequest(external_id="new", person_id=t.person)),
    ("UpsertWorker", lambda t: workers_pb2.UpsertWorkerRequest(external_id="new", vendor_id=t.vendor)),
    (
        "UpsertWorker",
        lambda t: workers_pb2.UpsertWorkerRequest(external_id="new", vendor_id=t.vendor, pool_id=t.pool),
    ),
    ("GetWorker", lambda t: workers_pb2.GetWorkerRequest(worker_id=t.worker)),
    ("ListWorkers", lambda t: workers_pb2.ListWorkersRequest(vendor_id=t.vendor)),
    ("ListWorkers", lambda t: workers_pb2.ListWorkersRequest(pool_id=t.pool)),
    (
        "SetWorkerStatus",
        lambda t: workers_pb2.SetWorkerStatusRequest(
            worker_id=t.worker, status=workers_pb2.WORKER_STATUS_BANNED, reason="misconduct"
        ),
    ),
    (
        "ListWorkerRecords",
        lambda t: workers_pb2.ListWorkerRecordsRequest(project_id=t.project, worker_id=t.worker),
    ),
    (
        "DiscountWorker",
        lambda t: workers_pb2.DiscountWorkerRequest(project_id=t.project, worker_id=t.worker, reason=REASON),
    ),
    ("ErasePerson", lambda t: workers_pb2.ErasePersonRequest(person_id=t.person, reason=REASON)),
    ("ErasePerson", lambda t: workers_pb2.ErasePersonRequest(worker_id=t.worker, reason=REASON)),
    ("AddPool", lambda t: workers_pb2.AddPoolRequest(name="another", vendor_id=t.vendor)),
    ("ListPools", lambda t: workers_pb2.ListPoolsRequest(vendor_id=t.vendor)),
    (
        "IssueToken",
        lambda t: tokens_pb2.IssueTokenRequest(
            name="n", scopes=["workers.read"], vendor_id=t.vendor, pool_id=t.pool
        ),
    ),
    ("RevokeToken", lambda t: tokens_pb2.RevokeTokenRequest(token_id=t.token, reason=REASON)),
    ("CreateWorkerSession", lambda t: tokens_pb2.CreateWorkerSessionRequest(worker_id=t.worker)),
    (
        "CreateWorkerSession",
        lambda t: tokens_pb2.CreateWorkerSessionRequest(
            upsert=workers_pb2.UpsertWorkerRequest(worker_id=t.worker)
        ),
    ),
    (
        "CreateWorkerSession",
        lambda t: tokens_pb2.CreateWorkerSessionRequest(
            upsert=workers_pb2.UpsertWorkerRequest(
                external_id="new", person_id=t.person, vendor_id=t.vendor, pool_id=t.pool
            )
        ),
    ),
    ("ListBalances", lambda t: ledger_pb2.ListBalancesRequest(worker_id=t.worker)),
    ("ListBalances", lambda t: ledger_pb2.ListBalancesRequest(project_id=t.project)),
    ("ListEntries", lambda t: ledger_pb2.ListEntriesRequest(project_id=t.project, worker_id=t.worker)),
    ("ExplainTask", lambda t: explanations_pb2.ExplainTaskRequest(project_id=t.project, task_id=t.task)),
    (
        "ExplainAssignment",
        lambda t: explanations_pb2.ExplainAssignmentRequest(project_id=t.project, assignment_id=t.assignment),
    ),
    ("Watch", lambda t: explanations_pb2.WatchRequest(project_id=t.project)),
    (
        "UpsertWorkers",
        lambda t: vendor_pb2.UpsertWorkersRequest(
            workers=[
                workers_pb2.UpsertWorkerRequest(worker_id=t.worker),
                workers_pb2.UpsertWorkerRequest(
                    external_id="new", person_id=t.person, vendor_id=t.vendor, pool_id=t.pool
                ),
            ]
        ),
    ),
]
"""Requests that would be answered, or refused for what they ask, within one tenant."""


def is_ours(descriptor: Descriptor | None) -> bool:
    """Say whether a field holds messages that ids may stand in."""
    return (
        descriptor is not None
        and descriptor.full_name.startswith("crowdroute.")
        and not descriptor.GetOptions().map_entry
    )


def id_fields(descriptor: Descriptor, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and kind of each field that holds ids."""
    for field in descriptor.fields:
        match = _ID_FIELD.fullmatch(field.name)
        if match:
            yield f"{path}{field.name}", match[1]
        elif is_ours(field.message_type):
            yield from id_fields(field.message_type, f"{path}{field.name}.")


def set_fields(message: Message, path: str = "") -> Iterator[tuple[str, Message, Any, str]]:
    """Yield path, holder, field and kind of each field with an id that a message sets."""
    for field, value in message.ListFields():
        match = _ID_FIELD.fullmatch(field.name)
        if match:
            yield f"{path}{field.name}", message, field, match[1]
        elif is_ours(field.message_type):
            for inner in value if field.is_repeated else [value]:
                yield from set_fields(inner, f"{path}{field.name}.")


def put(message: Message, field: Any, identity: str) -> None:
    if field.is_repeated:
        getattr(message, field.name)[:] = [identity]
    else:
        setattr(message, field.name, identity)


def anonymous(text: str) -> str:
    return re.sub(r"[a-z]{3}_[0-9a-f]{8,32}|[0-9a-f]{32}", "ID", text)


def test_every_field_with_an_id_is_in_the_table() -> None:
    things = Things(*(f"{prefix}_" + "0" * 32 for prefix in KINDS.values()))
    covered: dict[str, set[str]] = {}
    for name, base in BASES:
        covered.setdefault(name, set()).update(path for path, *_ in set_fields(base(things)))
    for method in CALLS:
        there = {path for path, _ in id_fields(method.input_type)}
        assert there == covered.get(method.name, set()), method.name


@pytest.mark.parametrize(("name", "base"), BASES, ids=[name for name, _ in BASES])
async def test_another_tenants_id_answers_as_an_unknown_one(office: Office, name: str, base: Base) -> None:
    ours, own = await build(office, "ours")
    _, theirs = await build(office, "theirs")
    method = BY_NAME[name]
    caller = ours
    if method.containing_service.name == VENDOR.name:
        vendor = bytes.fromhex(own.vendor.removeprefix("vnd_"))
        caller = await office.client([*EVERY_SCOPE, Scope.VENDOR.value], tenant="ours", vendor=vendor)

    for path, _, _, kind in set_fields(base(own)):
        answers = []
        for identity in (getattr(theirs, kind), f"{KINDS[kind]}_{'5' * 32}"):
            message = base(own)
            for other, holder, field, _ in list(set_fields(message)):
                if other == path:
                    put(holder, field, identity)
            answers.append(await told(caller, method, message))
        assert answers[0] == answers[1], path
        assert "NOT_FOUND" in answers[0], path


async def told(caller: AsyncClient, method: Any, message: Message) -> str:
    """Give everything that a caller learns from a refusal, ids left out."""
    if method.name == "UpsertWorkers":
        response = await caller.vendor.UpsertWorkers(message)
        return anonymous(str(response))
    refused = await ask(caller, method, message)
    assert refused is not None, method.name
    details = {name: value for name, value in refused.details.items() if name != "request_id"}
    return anonymous(f"{refused.status} {refused.code} {refused.message} {sorted(details.items())}")


async def test_names_of_another_tenant_are_unknown_too(office: Office) -> None:
    ours, _ = await build(office, "ours")
    theirs, _ = await build(office, "theirs")
    await office.project("their secret", client=theirs)
    await theirs.operations.UpsertWorker(workers_pb2.UpsertWorkerRequest(external_id="their worker"))
    for name, message in (
        ("GetProject", projects_pb2.GetProjectRequest(name="their secret")),
        ("GetWorker", workers_pb2.GetWorkerRequest(external_id="their worker")),
        ("CreateWorkerSession", tokens_pb2.CreateWorkerSessionRequest(external_id="their worker")),
    ):
        refused = await ask(ours, BY_NAME[name], message)
        assert refused is not None
        assert refused.code == "NOT_FOUND"
