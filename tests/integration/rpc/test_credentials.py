"""Who may call AnnotationService, and who may not."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from tests.support.wire import SERVICE, Client, Refused, Wire

from crowdroute.api.v1 import assignments_pb2 as wire_types
from crowdroute.api.v1 import work_pb2
from crowdroute.router.rpc.scopes import EVERY_SCOPE, SESSION_SCOPES, Scope

UNARY = [method.name for method in SERVICE.methods if not method.client_streaming]


def empty(call: str) -> object:
    return GetMessageClass(SERVICE.methods_by_name[call].input_type)()


@pytest.mark.parametrize("call", UNARY)
@pytest.mark.parametrize(
    "bearer",
    [None, "", "nonsense", "crd_" + "0" * 32 + "_" + "A" * 43],
    ids=["none", "empty", "nonsense", "unknown"],
)
async def test_a_call_without_a_good_token_is_not_authenticated(
    wire: Wire, call: str, bearer: str | None
) -> None:
    refused = await Client(wire.channel, bearer).refusal(call, empty(call))

    assert (refused.status, refused.code) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


@pytest.mark.parametrize("call", UNARY)
async def test_a_token_with_every_other_scope_is_refused(wire: Wire, call: str) -> None:
    _, bearer = await wire.token(scopes=[*EVERY_SCOPE, Scope.VENDOR.value], worker=await wire.worker())

    refused = await Client(wire.channel, bearer).refusal(call, empty(call))

    assert (refused.status, refused.code) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
    assert refused.details["scope"] == "annotate"


@pytest.mark.parametrize("call", UNARY)
async def test_the_scope_alone_without_a_worker_is_not_enough(wire: Wire, call: str) -> None:
    project = await wire.project()
    _, bearer = await wire.token(scopes=SESSION_SCOPES)
    message = empty(call)
    message.project_id = project

    refused = await Client(wire.channel, bearer).refusal(call, message)

    assert refused.status is grpc.StatusCode.PERMISSION_DENIED
    assert "CreateWorkerSession" in refused.message


@pytest.mark.parametrize("bearer", [None, "nonsense"])
async def test_a_work_stream_needs_a_session_too(wire: Wire, bearer: str | None) -> None:
    work = Client(wire.channel, bearer).work()

    with pytest.raises(Refused) as refused:
        await work.hear()

    assert refused.value.status is grpc.StatusCode.UNAUTHENTICATED


async def test_a_work_stream_of_a_service_token_is_refused(wire: Wire) -> None:
    project = await wire.project()
    _, bearer = await wire.token(scopes=SESSION_SCOPES)
    work = Client(wire.channel, bearer).work()
    await work.send(hello=work_pb2.Hello(project_id=project))

    with pytest.raises(Refused) as refused:
        await work.hear()

    assert refused.value.status is grpc.StatusCode.PERMISSION_DENIED


async def test_a_revoked_session_is_refused_at_the_next_call(wire: Wire) -> None:
    project = await wire.project()
    token, bearer = await wire.token(scopes=SESSION_SCOPES, worker=await wire.worker())
    ann = Client(wire.channel, bearer)
    message = wire_types.ResumeRequest(project_id=project)
    await ann.call("Resume", message)

    await wire.revoke(token)

    assert (await ann.refusal("Resume", message)).status is grpc.StatusCode.UNAUTHENTICATED


async def test_a_session_of_another_tenant_reaches_its_own_projects_alone(wire: Wire) -> None:
    await wire.tenant("other")
    ours, theirs = await wire.project(), await wire.project(tenant="other")
    guest = await wire.annotator("other")

    assert await guest.call("Resume", wire_types.ResumeRequest(project_id=theirs)) is not None
    refused = await guest.refusal("Resume", wire_types.ResumeRequest(project_id=ours))
    assert refused.status is grpc.StatusCode.NOT_FOUND
