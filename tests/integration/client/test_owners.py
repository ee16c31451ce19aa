"""A process that was followed and fails: both kinds of client go back to where they were told to connect."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator

import grpc
import pytest
from tests.integration.client.scripted import Scripted, scripted

from crowdroute.api.v1 import assignments_pb2
from crowdroute.client import AsyncClient, Client
from crowdroute.client.owners import OWNER

PATIENCE = 10.0


@pytest.fixture
async def configured() -> AsyncIterator[Scripted]:
    """Where the user said to connect."""
    async with scripted() as served:
        yield served


@pytest.fixture
async def owner() -> AsyncIterator[Scripted]:
    """Whom a reply named."""
    async with scripted() as served:
        yield served


async def by_asyncio(configured: Scripted, owner: Scripted) -> None:
    """Follow the owner, then make a call."""
    async with AsyncClient(f"127.0.0.1:{configured.port}", "token") as client:
        owners = client._owners
        owners.hear(owners.configured, "prj_1", ((OWNER, f"127.0.0.1:{owner.port}"),))
        with owners.told("prj_1") as way:
            async with asyncio.timeout(PATIENCE):
                await way.settled()
        await client.next("prj_1")
        await client.next("prj_1")


def by_blocking(configured: Scripted, owner: Scripted) -> None:
    """Do the same with calls that block."""
    with Client(f"127.0.0.1:{configured.port}", "token") as client:
        owners = client._owners
        owners.hear(owners.configured, "prj_1", ((OWNER, f"127.0.0.1:{owner.port}"),))
        with owners.told("prj_1") as way:
            assert way.known.wait(PATIENCE)
        client.next("prj_1")
        client.next("prj_1")


@pytest.fixture(params=["sync", "asyncio"])
async def two_calls(request: pytest.FixtureRequest, configured: Scripted, owner: Scripted):  # type: ignore[no-untyped-def]  # a function of none
    """Make two calls by either client that know the owner."""

    async def run() -> None:
        if request.param == "sync":
            await asyncio.to_thread(by_blocking, configured, owner)
        else:
            await by_asyncio(configured, owner)

    return run


async def test_calls_go_to_the_owner(configured: Scripted, owner: Scripted, two_calls) -> None:  # type: ignore[no-untyped-def]
    await two_calls()
    assert (len(owner.received), len(configured.received)) == (2, 0)


@pytest.mark.parametrize("code", ["UNAVAILABLE", "CANCELLED", "UNAUTHENTICATED"])
async def test_a_call_that_the_owner_failed_is_repeated_under_its_key(
    configured: Scripted,
    owner: Scripted,
    two_calls,  # type: ignore[no-untyped-def]
    code: str,
) -> None:
    owner.failures = [(grpc.StatusCode[code], "gone")]
    await two_calls()
    (lost,), (repeated, second) = owner.requests("Next"), configured.requests("Next")
    assert isinstance(lost, assignments_pb2.NextRequest)
    assert lost == repeated
    assert lost.idempotency_key
    assert second != repeated


async def test_a_client_that_is_closed_at_once_leaves_no_thread_that_complains(owner: Scripted) -> None:
    before = set(threading.enumerate())

    def open_and_close() -> None:
        with Client(f"127.0.0.1:{owner.port}", "token") as client:
            assert client.wait_ready(PATIENCE)
        with socket.create_server(("127.0.0.1", 0)) as mute, Client("127.0.0.1:1", "token") as client:
            told = f"127.0.0.1:{mute.getsockname()[1]}"  # takes connections, and never says a word
            client._owners.hear(client._owners.configured, "prj_1", ((OWNER, told),))

    await asyncio.to_thread(open_and_close)
    for thread in set(threading.enumerate()) - before:
        if not thread.name.startswith("asyncio"):
            await asyncio.to_thread(thread.join, PATIENCE)
