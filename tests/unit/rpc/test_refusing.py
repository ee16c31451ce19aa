"""How a call ends with an error."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import grpc
import pytest

from crowdroute.router.errors import AtCapacity
from crowdroute.router.rpc.refusing import refuse


class Brought:
    """Stands for the message of a call."""


class Aborted(Exception):
    """What gRPC ends a handler with."""


class Context:
    """Keeps the exception that it raises, as gRPC's does."""

    def __init__(self) -> None:
        self.code: grpc.StatusCode | None = None
        self.aborted: Aborted | None = None

    async def abort(self, code: grpc.StatusCode, *_: object) -> None:
        self.code, self.aborted = code, Aborted()
        raise self.aborted


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


async def act(_brought: Brought) -> None:
    raise AtCapacity("full")


async def handle(context: Context, brought: Brought) -> None:
    """Refuse as the handlers do."""
    try:
        await act(brought)
    except AtCapacity as error:
        del brought
        await refuse(context, error, "/Call", "1")  # type: ignore[arg-type]


async def test_an_error_that_calls_share_ends_each_of_them() -> None:
    """As the failure of a batch does, or of a shard that leaves: one error for all who wait."""
    shared = AtCapacity("full")
    ended: list[bool] = []

    async def call(seconds: float) -> None:
        await asyncio.sleep(seconds)
        context = Context()
        try:
            await again(shared)
        except AtCapacity as error:
            with pytest.raises(Aborted):
                await refuse(context, error, "/Call", "1")  # type: ignore[arg-type]
            ended.append(context.code is grpc.StatusCode.RESOURCE_EXHAUSTED)

    async with asyncio.timeout(5):
        await asyncio.gather(call(0), call(0.005), call(0.01))
    assert ended == [True, True, True]


async def again(error: AtCapacity) -> None:
    """Fail, and look once more before the call ends, as the handlers do for what is not found."""
    try:
        raise error
    except AtCapacity:
        await asyncio.sleep(0.02)
        raise


@pytest.mark.usefixtures("no_collector")
async def test_what_a_refused_call_brought_is_let_go_at_once() -> None:
    context, brought = Context(), Brought()
    gone = weakref.ref(brought)
    handling = handle(context, brought)
    del brought

    with pytest.raises(Aborted):
        await handling

    assert context.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert gone() is None
