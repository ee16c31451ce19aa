"""The client for asyncio programs, with the work stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from crowdroute.api.v1 import assignments_pb2
from crowdroute.api.v1.annotation_pb2_grpc import AnnotationServiceStub
from crowdroute.api.v1.operations_pb2_grpc import OperationsServiceStub
from crowdroute.api.v1.vendor_pb2_grpc import VendorServiceStub
from crowdroute.client.answers import (
    Labels,
    duration,
    extension,
    giving_back,
    skipping,
    submission,
)
from crowdroute.client.connection import Connection
from crowdroute.client.errors import from_aio
from crowdroute.client.retrying import delay_before, prepare
from crowdroute.client.work import WorkStream


class SafeAioChannel:
    """An asyncio channel that adds credentials, deadlines and safe retries, and raises `ClientError`."""

    def __init__(self, connection: Connection, channel: grpc.aio.Channel) -> None:
        """Wrap a channel; generated stubs take this in its place."""
        self._connection = connection
        self._channel = channel

    def unary_unary(self, path: str, **how: Any) -> Callable[..., Any]:
        """Make a call with one request and one answer, repeated when that is safe."""
        call = self._channel.unary_unary(path, **how)
        method = path.rpartition("/")[2]

        async def run(request: Any, timeout: float | None = None) -> Any:
            sent, repeatable = prepare(method, request)
            deadline = self._connection.timeout_s if timeout is None else timeout
            attempt = 0
            while True:
                attempt += 1
                try:
                    return await call(sent, timeout=deadline, metadata=self._connection.metadata)
                except grpc.aio.AioRpcError as error:
                    failure = from_aio(error)
                delay = delay_before(attempt, failure)
                if not repeatable or delay is None or attempt >= self._connection.attempts:
                    raise failure
                await asyncio.sleep(delay)

        return run

    def unary_stream(self, path: str, **how: Any) -> Callable[..., AsyncIterator[Any]]:
        """Make a call with one request and many answers; a broken stream is not repeated."""
        return self._streaming(self._channel.unary_stream(path, **how))

    def stream_unary(self, path: str, **how: Any) -> Callable[..., Any]:
        """Make a call with many requests and one answer; it is not repeated."""
        call = self._channel.stream_unary(path, **how)

        async def run(requests: AsyncIterator[Any], timeout: float | None = None) -> Any:
            try:
                return await call(requests, timeout=timeout, metadata=self._connection.metadata)
            except grpc.aio.AioRpcError as error:
                raise from_aio(error) from None

        return run

    def stream_stream(self, path: str, **how: Any) -> Callable[..., AsyncIterator[Any]]:
        """Make a call with many requests and many answers."""
        return self._streaming(self._channel.stream_stream(path, **how))

    def _streaming(self, call: Callable[..., Any]) -> Callable[..., AsyncIterator[Any]]:
        async def run(request: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            try:
                async for message in call(request, timeout=timeout, metadata=self._connection.metadata):
                    yield message
            except grpc.aio.AioRpcError as error:
                raise from_aio(error) from None

        return run


def _open(connection: Connection) -> grpc.aio.Channel:
    credentials = connection.credentials()
    if credentials is None:
        return grpc.aio.insecure_channel(connection.address, connection.options)
    return grpc.aio.secure_channel(connection.address, credentials, connection.options)


class AsyncClient:
    """A connection to one engine; belongs to the event loop it was made in."""

    def __init__(
        self, address: str | Connection, token: str = "", channel: grpc.aio.Channel | None = None
    ) -> None:
        """Connect to an address (or a `Connection`, when there is more to say) with a bearer token.

        With `channel`, an open one is shared instead.
        """
        self.connection = Connection(address, token) if isinstance(address, str) else address
        self._channel = _open(self.connection) if channel is None else channel
        safe: Any = SafeAioChannel(self.connection, self._channel)
        self.annotation: Any = AnnotationServiceStub(safe)  # type: ignore[no-untyped-call]  # generated code
        self.operations: Any = OperationsServiceStub(safe)  # type: ignore[no-untyped-call]  # generated code
        self.vendor: Any = VendorServiceStub(safe)  # type: ignore[no-untyped-call]  # generated code

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def as_bearer(self, token: str) -> AsyncClient:
        """Give a client for another token (a worker's session) over the same connection.

        Close this one last.
        """
        return AsyncClient(replace(self.connection, token=token), channel=self._channel)

    async def close(self) -> None:
        """End the connection, also for every client that shares it."""
        await self._channel.close(None)

    async def next(
        self, project_id: str, count: int = 1, wait_s: float = 0.0, locale: str = ""
    ) -> list[assignments_pb2.Offer]:
        """Give up to `count` offers; none when there is nothing to do within `wait_s` seconds (at most
        30)."""
        request = assignments_pb2.NextRequest(project_id=project_id, count=count, locale=locale)
        if wait_s:
            request.wait.CopyFrom(duration(wait_s))
        answer = await self.annotation.Next(request, timeout=self.connection.timeout_s + wait_s)
        return list(answer.offers)

    async def submit(
        self,
        offer: assignments_pb2.Offer,
        labels: Labels,
        comment: str = "",
        flags: tuple[str, ...] = (),
        active_s: float = 0.0,
    ) -> assignments_pb2.SubmitResponse:
        """Answer an offer with a label per field; safe to repeat.

        Raises:
            Refused: for example `UNKNOWN_LABEL`, or `IDEMPOTENCY_KEY_REUSED` when it was answered otherwise
            before. NotConnected: the engine did not answer; submit again.
        """
        response: assignments_pb2.SubmitResponse = await self.annotation.Submit(
            submission(offer, labels, comment, flags, active_s)
        )
        return response

    async def skip(
        self, offer: assignments_pb2.Offer, reason: str, problem: bool = False, comment: str = ""
    ) -> None:
        """Decline to answer with a code, for example `unclear`; `problem` reports that the task is broken."""
        await self.annotation.Skip(skipping(offer, reason, problem, comment))

    async def extend(self, offer: assignments_pb2.Offer) -> None:
        """Say that the worker is still at it, so that the lease does not run out."""
        await self.annotation.Extend(extension(offer))

    async def release(self, offer: assignments_pb2.Offer) -> None:
        """Give a task back unanswered."""
        await self.annotation.Release(giving_back(offer))

    def work(self, project_id: str, credits: int = 1, locale: str = "") -> WorkStream:
        """Open a work stream that holds up to `credits` offers at once; use it with `async with` and `async
        for`."""
        return WorkStream(self._channel, self.connection, project_id, credits, locale)
