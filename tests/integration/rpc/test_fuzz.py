"""Whatever bytes come, the server answers with a status that is not its own fault, and goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.wire import SERVICE, Client, Refused, Wire, serving

from crowdroute.api.v1 import work_pb2

OURS = {
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DATA_LOSS,
    grpc.StatusCode.UNAVAILABLE,
}
"""Statuses that would say that the server is at fault."""

UNARY = [method.name for method in SERVICE.methods if not method.client_streaming]
EXAMPLES = 60
CLIENTS_OWN = "Internal error from Core"
"""What the client library says when it writes to a stream that the server has ended."""


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[asyncio.Runner, Wire, Client, str]]:
    """A served engine with work, driven step by step: Hypothesis runs many examples in one test."""
    with asyncio.Runner() as runner:
        context = serving()
        wire = runner.run(context.__aenter__())

        async def furnish() -> tuple[Client, str]:
            project = await wire.project()
            await wire.tasks(project, 500)
            return await wire.annotator(), project

        client, project = runner.run(furnish())
        yield runner, wire, client, project
        runner.run(context.__aexit__(None, None, None))


texts = st.one_of(
    st.text(max_size=30), st.sampled_from(["asg_" + "0" * 32, "1" * 16, "yes", "en", "\0", "é" * 40])
)
SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: texts,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_ENUM: st.integers(-1, 9),
}


def messages(kind: Descriptor, project: str) -> st.SearchStrategy[Message]:
    """Give messages of a kind, every field filled with something or left out, the project often right."""

    @st.composite
    def build(draw: st.DrawFn) -> Message:
        message = GetMessageClass(kind)()
        for field in kind.fields:
            if field.name == "project_id" and draw(st.integers(0, 9)):
                message.project_id = project
            elif draw(st.booleans()):
                fill(draw, message, field)
        return message

    def fill(draw: st.DrawFn, message: Message, field: FieldDescriptor) -> None:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key in draw(st.lists(st.one_of(texts, st.just("label")), max_size=3)):
                getattr(message, field.name)[key].label = draw(texts)
        elif field.is_repeated:
            getattr(message, field.name).extend(draw(st.lists(texts, max_size=20)))
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(draw(messages(field.message_type, project)))
        elif field.type == FieldDescriptor.TYPE_BYTES:
            setattr(message, field.name, draw(st.binary(max_size=50)))
        else:
            setattr(message, field.name, draw(SCALARS[field.cpp_type]))

    return build()


async def answered(client: Client, call: str, body: Message | bytes) -> grpc.StatusCode:
    try:
        await client.call(call, body, timeout=1.0)
    except Refused as refused:
        return refused.status
    return grpc.StatusCode.OK


@pytest.mark.parametrize("call", UNARY)
def test_random_bytes_are_never_the_servers_fault(
    scene: tuple[asyncio.Runner, Wire, Client, str], call: str
) -> None:
    runner, _, client, _ = scene

    @settings(max_examples=EXAMPLES)
    @given(st.binary(max_size=300))
    def check(body: bytes) -> None:
        assert runner.run(answered(client, call, body)) not in OURS

    check()


@pytest.mark.parametrize("call", UNARY)
def test_random_messages_are_never_the_servers_fault(
    scene: tuple[asyncio.Runner, Wire, Client, str], call: str
) -> None:
    runner, wire, client, project = scene
    kind = SERVICE.methods_by_name[call].input_type

    @settings(max_examples=EXAMPLES)
    @given(messages(kind, project))
    def check(message: Message) -> None:
        if "wait" in kind.fields_by_name:
            message.ClearField("wait")
        assert runner.run(answered(client, call, message)) not in OURS

    check()
    wire.engine.shard.check()


def test_random_actions_on_a_stream_are_never_the_servers_fault(
    scene: tuple[asyncio.Runner, Wire, Client, str],
) -> None:
    runner, wire, client, project = scene
    kind = work_pb2.WorkRequest.DESCRIPTOR

    async def talk(bodies: list[bytes]) -> grpc.StatusCode:
        hello = work_pb2.Hello(project_id=project, credits=2, resume=True)
        first = work_pb2.WorkRequest(sequence=1, hello=hello).SerializeToString()
        stub = client.channel.stream_stream(f"/{SERVICE.full_name}/Work")
        try:
            async for _ in stub(iter([first, *bodies]), metadata=client.metadata):
                pass
        except grpc.aio.AioRpcError as error:
            return grpc.StatusCode.OK if error.details() == CLIENTS_OWN else error.code()
        return grpc.StatusCode.OK

    actions = messages(kind, project).map(lambda message: message.SerializeToString())

    @settings(max_examples=EXAMPLES)
    @given(st.lists(st.one_of(actions, st.binary(max_size=100)), max_size=6))
    def check(bodies: list[bytes]) -> None:
        assert runner.run(talk(bodies)) not in OURS

    check()
    wire.engine.shard.check()
