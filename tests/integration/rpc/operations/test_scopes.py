"""Who may call what: by scope, by credential, by the bound of a token to a vendor; from the descriptors."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from tests.support.operations import CALLS, VENDOR, Office, ask

from crowdroute.api.v1 import projects_pb2, workers_pb2
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.rpc.scopes import EVERY_SCOPE, SCOPES, Scope

NAMES = [method.name for method in CALLS]

WITHIN_BOUNDS = frozenset(
    {
        *("UpsertWorker", "GetWorker", "ListWorkers", "ListVendors", "ListPools", "CreateWorkerSession"),
        "ListBalances",
        *("ListOpenProjects", "UpsertWorkers", "ListVendorWorkers", "GetStatement"),
    }
)
"""The calls that a token bound to a vendor may make at all."""


def scope_of(method: MethodDescriptor) -> Scope:
    return SCOPES[f"/{method.containing_service.full_name}/{method.name}"]


def empty(method: MethodDescriptor) -> object:
    return GetMessageClass(method.input_type)()


async def vendor_of(office: Office) -> Id:
    vendor = await office.admin.operations.AddVendor(workers_pb2.AddVendorRequest(name="supplier"))
    return bytes.fromhex(vendor.id.removeprefix("vnd_"))


@pytest.mark.parametrize("method", CALLS, ids=NAMES)
async def test_a_call_without_its_scope_is_refused(office: Office, method: MethodDescriptor) -> None:
    needed = scope_of(method)
    others = [*EVERY_SCOPE, Scope.VENDOR.value, Scope.ANNOTATE.value]
    others.remove(needed.value)
    client = await office.client(others, vendor=await vendor_of(office))

    refused = await ask(client, method, empty(method))

    assert refused is not None
    assert refused.status is grpc.StatusCode.PERMISSION_DENIED
    assert refused.details["scope"] == needed.value


@pytest.mark.parametrize("method", CALLS, ids=NAMES)
async def test_the_one_scope_of_a_call_opens_it(office: Office, method: MethodDescriptor) -> None:
    bound = await vendor_of(office) if method.containing_service.name == VENDOR.name else NO_ID
    client = await office.client([scope_of(method).value], vendor=bound)

    refused = await ask(client, method, empty(method))

    closed = {
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
    assert refused is None or refused.status not in closed


@pytest.mark.parametrize("method", CALLS, ids=NAMES)
async def test_a_token_bound_to_a_vendor_reaches_the_calls_about_its_workers_alone(
    office: Office, method: MethodDescriptor
) -> None:
    client = await office.client([*EVERY_SCOPE, Scope.VENDOR.value], vendor=await vendor_of(office))
    project = await office.project()
    message = empty(method)
    if "project_id" in message.DESCRIPTOR.fields_by_name:
        message.project_id = project.id
    elif method.name == "ImportItems":
        message.header.project_id = project.id

    refused = await ask(client, method, message)

    denied = refused is not None and refused.status is grpc.StatusCode.PERMISSION_DENIED
    assert denied == (method.name not in WITHIN_BOUNDS)


@pytest.mark.parametrize("method", CALLS, ids=NAMES)
async def test_a_call_without_a_good_token_is_refused(office: Office, method: MethodDescriptor) -> None:
    refused = await ask(office.holder("crd_" + "0" * 32 + "_" + "A" * 43), method, empty(method))

    assert refused is not None
    assert refused.status is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("method", list(VENDOR.methods), ids=[method.name for method in VENDOR.methods])
async def test_a_token_that_is_bound_to_no_vendor_acts_for_none(
    office: Office, method: MethodDescriptor
) -> None:
    client = await office.client([Scope.VENDOR.value])

    refused = await ask(client, method, empty(method))

    assert refused is not None
    assert refused.status is grpc.StatusCode.PERMISSION_DENIED


async def test_a_worker_session_may_call_nothing_of_either_service(office: Office) -> None:
    _, session = await office.session("ada")

    for method in CALLS:
        refused = await ask(session, method, empty(method))
        assert refused is not None, method.name
        assert refused.status is grpc.StatusCode.PERMISSION_DENIED, method.name


async def test_the_tenant_is_the_tokens_own(office: Office) -> None:
    await office.project("ours")
    other = await office.client(tenant="other")

    theirs = await other.operations.ListProjects(projects_pb2.ListProjectsRequest())
    own = await office.admin.operations.ListProjects(projects_pb2.ListProjectsRequest())

    assert [project.name for project in theirs.projects] == []
    assert [project.name for project in own.projects] == ["ours"]
