"""Whatever bytes come, every call answers, never as a defect of the engine, and the engine goes on."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from tests.support.operations import CALLS, RULES, VENDOR, Office, ask

from crowdroute.api.v1 import projects_pb2, workers_pb2
from crowdroute.router.rpc.scopes import EVERY_SCOPE, Scope

ROUNDS = 20
TEXTS = ("", "x", "\0", "é" * 300, "prj_" + "0" * 32, "wrk_zz", "a: [", RULES, "9" * 400)
NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31))

UNANSWERED = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE})


def drawn(chance: random.Random, descriptor: Descriptor, known: list[str], depth: int = 0) -> Message:
    """Fill a message with whatever its types allow."""
    message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if chance.random() < 0.4 or depth > 4:
            continue
        values = [
            value(chance, field, known, depth) for _ in range(chance.randrange(3) if field.is_repeated else 1)
        ]
        put(message, field, values)
    return message


def put(message: Any, field: FieldDescriptor, values: list[Any]) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        for entry in values:
            if field.message_type.fields_by_name["value"].message_type is not None:
                getattr(message, field.name)[entry.key].CopyFrom(entry.value)
            else:
                getattr(message, field.name)[entry.key] = entry.value
    elif field.is_repeated:
        getattr(message, field.name).extend(values)
    elif field.message_type is not None:
        getattr(message, field.name).CopyFrom(values[0])
    else:
        setattr(message, field.name, values[0])


def value(chance: random.Random, field: FieldDescriptor, known: list[str], depth: int) -> Any:
    kinds = FieldDescriptor
    if field.message_type is not None:
        return drawn(chance, field.message_type, known, depth + 1)
    if field.type == kinds.TYPE_STRING:
        return chance.choice([*TEXTS, *known])
    if field.type == kinds.TYPE_BYTES:
        return chance.randbytes(chance.randrange(40))
    if field.type in (kinds.TYPE_DOUBLE, kinds.TYPE_FLOAT):
        return chance.choice([0.0, 1.0, -1.0, float("nan"), float("inf")])
    if field.type == kinds.TYPE_BOOL:
        return chance.random() < 0.5
    if field.type == kinds.TYPE_ENUM:
        return chance.choice([0, 1, 2, 99])
    if field.type in (kinds.TYPE_UINT64, kinds.TYPE_UINT32):
        return chance.choice([0, 1, 2**32 - 1])
    return chance.choice(NUMBERS)


@pytest.mark.parametrize("method", CALLS, ids=[method.name for method in CALLS])
async def test_no_message_makes_a_call_fail_by_a_defect(office: Office, method: MethodDescriptor) -> None:
    project = await office.project()
    (added,) = await office.items(project, 1)
    worker, ada = await office.session("ada")
    assignment = await office.label(ada, project)
    known = [project.id, added.item_id, added.task_id, worker, assignment]
    vendor = await office.admin.operations.AddVendor(workers_pb2.AddVendorRequest(name="supplier"))
    known.append(vendor.id)
    caller = office.admin
    if method.containing_service.name == VENDOR.name:
        caller = await office.client(
            [Scope.VENDOR.value], vendor=bytes.fromhex(vendor.id.removeprefix("vnd_"))
        )
    chance = random.Random(method.name)

    for _ in range(ROUNDS):
        message = drawn(chance, method.input_type, known)
        refused = await ask(caller, method, message)
        assert refused is None or refused.status not in UNANSWERED, (message, refused)

    assert not office.engine.failed.done()
    office.engine.shard.check()
    again = await office.admin.operations.ListProjects(projects_pb2.ListProjectsRequest())
    assert project.id in {one.id for one in again.projects}


@pytest.mark.parametrize("method", CALLS, ids=[method.name for method in CALLS])
async def test_bytes_that_are_no_message_are_the_callers_error(
    office: Office, method: MethodDescriptor
) -> None:
    bearer = await office.bearer([*EVERY_SCOPE, Scope.VENDOR.value])
    metadata = (("authorization", f"Bearer {bearer}"),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{office.server.port}") as channel:
        path = f"/{method.containing_service.full_name}/{method.name}"
        call: Any
        if method.client_streaming:

            async def sent() -> Any:
                yield b"\xff\xff\xff"

            call = channel.stream_unary(path)(sent(), metadata=metadata)
        elif method.server_streaming:
            call = channel.unary_stream(path)(b"\xff\xff\xff", metadata=metadata)
        else:
            call = channel.unary_unary(path)(b"\xff\xff\xff", metadata=metadata, timeout=10)
        with contextlib.suppress(grpc.aio.AioRpcError):
            if method.server_streaming:
                await call.read()
            else:
                await call
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
