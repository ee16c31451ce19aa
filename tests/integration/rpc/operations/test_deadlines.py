"""Which calls need a deadline: those of one request and one answer, as the schema says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from tests.support.operations import Office

from crowdroute.client.errors import from_aio
from crowdroute.router.rpc.assembly import SERVICES

DISTANT_S = 600.0
"""Longer than any call may ask for."""
METHODS = {method.full_name.rpartition(".v1.")[2]: method for one in SERVICES for method in one.methods}


async def nothing() -> AsyncIterator[bytes]:
    yield b""


async def first_answer(office: Office, method: MethodDescriptor, timeout: float | None) -> str:
    """Make a call with one empty message; give the code of its refusal, if it is refused."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    async with grpc.aio.insecure_channel(f"127.0.0.1:{office.server.port}") as channel:
        metadata = (("authorization", f"Bearer {await office.bearer()}"),)
        try:
            async for _ in channel.stream_stream(path)(nothing(), timeout=timeout, metadata=metadata):
                break
        except grpc.aio.AioRpcError as error:
            return from_aio(error).code
    return ""


@pytest.mark.parametrize("timeout", [None, DISTANT_S], ids=["none", "a distant one"])
@pytest.mark.parametrize("name", METHODS)
async def test_a_deadline_is_needed_unless_the_call_streams(
    office: Office, name: str, timeout: float | None
) -> None:
    method = METHODS[name]

    code = await first_answer(office, method, timeout)

    assert (code == "DEADLINE_REQUIRED") != (method.client_streaming or method.server_streaming), code
