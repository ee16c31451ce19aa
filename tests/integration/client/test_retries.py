"""Which calls the client repeats, over a real connection; both kinds of client alike."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import pytest
from google.protobuf.message import Message
from tests.integration.client.scripted import Scripted, scripted

from crowdroute.api.v1 import assignments_pb2, projects_pb2, results_pb2
from crowdroute.client import AsyncClient, Client, ClientError, Connection, NotConnected, Refused

UNAVAILABLE = (grpc.StatusCode.UNAVAILABLE, "gone")
CANCELLED = (grpc.StatusCode.CANCELLED, "stopping")
NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "no such project")

Call = Callable[..., Awaitable[Message]]
"""Takes a call's name and request."""


@pytest.fixture
async def script() -> AsyncIterator[Scripted]:
    """A server that fails on command."""
    async with scripted() as served:
        yield served


@pytest.fixture(params=["sync", "asyncio"])
async def call(request: pytest.FixtureRequest, script: Scripted) -> AsyncIterator[Call]:
    """Call through either client."""
    connection = Connection(f"127.0.0.1:{script.port}", "token", attempts=4)
    if request.param == "sync":
        with Client(connection) as client:

            async def in_thread(name: str, message: Message, **how: object) -> Message:
                return await asyncio.to_thread(getattr(client.annotation, name), message, **how)

            yield in_thread
    else:
        async with AsyncClient(connection) as client:

            async def in_loop(name: str, message: Message, **how: object) -> Message:
                return await getattr(client.annotation, name)(message, **how)

            yield in_loop


Listen = Callable[[str, Message], Awaitable[list[Message]]]
"""Takes the name and request of a call whose answers stream; gives them all."""


@pytest.fixture(params=["sync", "asyncio"])
async def listen(request: pytest.FixtureRequest, script: Scripted) -> AsyncIterator[Listen]:
    """Listen through either client."""
    connection = Connection(f"127.0.0.1:{script.port}", "token", attempts=4)
    if request.param == "sync":
        with Client(connection) as client:

            async def in_thread(name: str, message: Message) -> list[Message]:
                return await asyncio.to_thread(lambda: list(getattr(client.operations, name)(message)))

            yield in_thread
    else:
        async with AsyncClient(connection) as client:

            async def in_loop(name: str, message: Message) -> list[Message]:
                return [answer async for answer in getattr(client.operations, name)(message)]

            yield in_loop


async def test_a_stream_that_tells_how_far_a_change_is_begins_again_under_its_key(
    script: Scripted, listen: Listen
) -> None:
    script.failures = [UNAVAILABLE]

    told = await listen("RefitProject", projects_pb2.RefitProjectRequest(project_id="prj_1"))

    first, again = script.requests("RefitProject")
    assert first.idempotency_key
    assert first == again
    assert len(told) == 3  # the first of a stream that broke, and two


@pytest.mark.parametrize(
    ("name", "request_", "failure"),
    [
        ("ExportResults", results_pb2.ExportResultsRequest(project_id="prj_1"), UNAVAILABLE),
        ("RefitProject", projects_pb2.RefitProjectRequest(project_id="prj_1"), NOT_FOUND),
    ],
)
async def test_a_stream_of_rows_or_one_that_was_refused_does_not_begin_again(
    script: Scripted, listen: Listen, name: str, request_: Message, failure: tuple[grpc.StatusCode, str]
) -> None:
    script.failures = [failure]

    with pytest.raises(ClientError):
        await listen(name, request_)

    assert len(script.received) == 1


@pytest.mark.parametrize("failure", [UNAVAILABLE, CANCELLED])
async def test_a_call_without_a_key_gets_one_and_keeps_it_through_all_tries(
    script: Scripted, call: Call, failure: tuple[grpc.StatusCode, str]
) -> None:
    script.failures = [failure, failure]

    await call("Next", assignments_pb2.NextRequest(project_id="prj_1"))

    tries = script.requests("Next")
    assert len(tries) == 3
    assert tries[0].idempotency_key
    assert tries[0] == tries[1] == tries[2]


async def test_a_request_that_is_used_again_is_another_call(script: Scripted, call: Call) -> None:
    request = assignments_pb2.NextRequest(project_id="prj_1")

    await call("Next", request)
    await call("Next", request)

    first, second = (sent.idempotency_key for sent in script.requests("Next"))
    assert first != second
    assert request == assignments_pb2.NextRequest(project_id="prj_1")


async def test_a_key_that_the_caller_gave_is_used(script: Scripted, call: Call) -> None:
    script.failures = [UNAVAILABLE]

    await call("Skip", assignments_pb2.SkipRequest(idempotency_key="mine"))

    assert [sent.idempotency_key for sent in script.requests("Skip")] == ["mine", "mine"]


@pytest.mark.parametrize("name", ["Submit", "Resume"])
async def test_calls_that_need_no_key_are_repeated(script: Scripted, call: Call, name: str) -> None:
    script.failures = [UNAVAILABLE]
    request = {"Submit": assignments_pb2.SubmitRequest, "Resume": assignments_pb2.ResumeRequest}[name]

    await call(name, request(project_id="prj_1"))

    assert script.requests(name) == [request(project_id="prj_1")] * 2


@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code.name not in ("OK", "UNAVAILABLE", "CANCELLED")]
)
async def test_other_failures_are_not_repeated(script: Scripted, call: Call, code: grpc.StatusCode) -> None:
    script.failures = [(code, "no")]

    with pytest.raises(ClientError) as caught:
        await call("Next", assignments_pb2.NextRequest())

    assert caught.value.status is code
    assert caught.value.message == "no"
    unreached = code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert isinstance(caught.value, NotConnected if unreached else Refused)
    assert len(script.received) == 1


async def test_the_client_gives_up_after_its_attempts(script: Scripted, call: Call) -> None:
    script.failures = [UNAVAILABLE] * 10

    with pytest.raises(NotConnected, match=r"gone \[UNAVAILABLE\]"):
        await call("Next", assignments_pb2.NextRequest())

    assert len(script.received) == 4


async def test_every_call_has_a_deadline(script: Scripted, call: Call) -> None:
    await call("Next", assignments_pb2.NextRequest())
    await call("Next", assignments_pb2.NextRequest(), timeout=50.0)

    usual, given = script.deadlines
    assert usual is not None
    assert given is not None
    assert round(usual) == 20
    assert round(given) == 50


async def test_an_engine_that_is_not_there_is_not_connected(unused_port: int) -> None:
    connection = Connection(f"127.0.0.1:{unused_port}", "token", attempts=1)
    async with AsyncClient(connection) as client:
        with pytest.raises(NotConnected) as caught:
            await client.next("prj_1")
    assert caught.value.code == "UNAVAILABLE"
    with Client(connection) as client, pytest.raises(NotConnected):
        await asyncio.to_thread(client.next, "prj_1")


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def test_a_closed_client_repeats_nothing(script: Scripted) -> None:
    script.hold = asyncio.Event()
    client = Client(Connection(f"127.0.0.1:{script.port}", "token"))
    calling = asyncio.create_task(asyncio.to_thread(client.annotation.Next, assignments_pb2.NextRequest()))
    await script.arrived.wait()

    client.close()

    with pytest.raises(NotConnected, match="Channel closed"):
        await calling
    assert len(script.received) == 1


async def test_who_wants_to_know_is_told_of_each_try_that_is_repeated(script: Scripted) -> None:
    told: list[tuple[int, str]] = []
    connection = Connection(
        f"127.0.0.1:{script.port}",
        "token",
        attempts=3,
        told=lambda tries, failure: told.append((tries, failure.message)),
    )
    script.failures = [UNAVAILABLE, UNAVAILABLE]
    async with AsyncClient(connection) as client:
        await client.annotation.Resume(assignments_pb2.ResumeRequest())
    assert told == [(1, "gone"), (2, "gone")]
    script.failures = [NOT_FOUND]
    async with AsyncClient(connection) as client:
        with pytest.raises(Refused):
            await client.annotation.Resume(assignments_pb2.ResumeRequest())
    assert len(told) == 2
