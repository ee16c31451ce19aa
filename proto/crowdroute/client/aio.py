"""The client for asyncio programs, with the work stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from crowdroute.api.v1 import assignments_pb2
from crowdroute.api.v1.annotation_pb2_grpc import AnnotationServiceStub
from crowdroute.api.v1.operations_pb2_grpc import OperationsServiceStub
from crowdroute.api.v1.vendor_pb2_grpc import VendorServiceStub
from crowdroute.client.answers import Labels, asking, extension, giving_back, skipping, submission
from crowdroute.client.connection import Connection
from crowdroute.client.errors import ClientError, from_aio, pairs
from crowdroute.client.owners import Owners, project_of
from crowdroute.client.retrying import prepare
from crowdroute.client.ways import AioWay
from crowdroute.client.work import WorkStream


class SafeAioChannel:
    """Asyncio channels that add credentials, deadlines and safe retries, follow what the engine tells of who
    serves a project, and raise `ClientError`."""

    def __init__(self, connection: Connection, owners: Owners[AioWay]) -> None:
        """Wrap the ways there are; generated stubs take this in a channel's place."""
        self._connection = connection
        self._owners = owners

    def unary_unary(self, path: str, **how: Any) -> Callable[..., Any]:
        """Make a call with one request and one answer, repeated when that is safe."""
        owners, method = self._owners, path.rpartition("/")[2]

        async def run(request: Any, timeout: float | None = None) -> Any:
            prepared = prepare(method, request)
            sent = prepared.request
            deadline = self._connection.timeout_s if timeout is None else timeout
            project, attempt = project_of(sent), 0
            while True:
                attempt += 1
                with owners.way(project) as way:
                    make = way.call("unary_unary", path, how)
                    call = make(sent, timeout=deadline, metadata=self._connection.metadata)
                    try:
                        answer = await call
                    except grpc.aio.AioRpcError as error:
                        failure, trailers = from_aio(error), pairs(error.trailing_metadata())
                    else:
                        owners.hear(way, project, pairs(await call.trailing_metadata()))
                        return answer
                    owners.hear(way, project, trailers, failure)
                if way is not owners.configured:
                    project = ""  # the other tries go where the user said
                    if failure.status is grpc.StatusCode.UNAUTHENTICATED:
                        continue
                await asyncio.sleep(prepared.pause_after(attempt, self._connection, failure))

        return run

    def unary_stream(self, path: str, **how: Any) -> Callable[..., AsyncIterator[Any]]:
        """Make a call with one request and many answers; one that breaks is begun again from the first when
        that is safe."""
        method = path.rpartition("/")[2]

        async def run(request: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            prepared = prepare(method, request)
            sent = prepared.request
            project, attempt = project_of(sent), 0
            while True:
                attempt += 1
                answers = self._stream("unary_stream", path, how, sent, project, timeout)
                try:
                    async with aclosing(answers):
                        async for answer in answers:
                            yield answer
                except ClientError as failure:
                    pause = prepared.pause_after(attempt, self._connection, failure)
                else:
                    return
                await asyncio.sleep(pause)

        return run

    def stream_unary(self, path: str, **how: Any) -> Callable[..., Any]:
        """Make a call with many requests and one answer; it is not repeated."""

        async def run(requests: AsyncIterator[Any], timeout: float | None = None) -> Any:
            coming = aiter(requests)
            first = [await anext(coming, None)]
            project = "" if first[0] is None else project_of(first[0])
            with self._owners.way(project) as way:
                make = way.call("stream_unary", path, how)
                call = make(_chain(first, coming), timeout=timeout, metadata=self._connection.metadata)
                try:
                    answer = await call
                except grpc.aio.AioRpcError as error:
                    failure = from_aio(error)
                    self._owners.hear(way, project, pairs(error.initial_metadata()), failure)
                    raise failure from None
                self._owners.hear(way, project, pairs(await call.initial_metadata()))
                return answer

        return run

    def stream_stream(self, path: str, **how: Any) -> Callable[..., AsyncIterator[Any]]:
        """Make a call with many requests and many answers."""

        def run(requests: Any, timeout: float | None = None) -> AsyncIterator[Any]:
            return self._stream("stream_stream", path, how, requests, "", timeout)

        return run

    async def _stream(
        self, kind: str, path: str, how: dict[str, Any], sent: Any, project: str, timeout: float | None
    ) -> AsyncGenerator[Any]:
        with self._owners.way(project) as way:
            call = way.call(kind, path, how)(sent, timeout=timeout, metadata=self._connection.metadata)
            heard = False
            try:
                async for message in call:
                    if not heard:
                        heard = True
                        self._owners.hear(way, project, pairs(await call.initial_metadata()))
                    yield message
            except grpc.aio.AioRpcError as error:
                failure = from_aio(error)
                self._owners.hear(way, project, pairs(error.initial_metadata()), failure)
                raise failure from None
            finally:
                call.cancel()  # for who stops reading before the end


async def _chain(first: list[Any], coming: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield the requests that were looked at, and those after them."""
    for request in first:
        if request is not None:
            yield request
    async for request in coming:
        yield request


class AsyncClient:
    """A connection to one engine; belongs to the event loop it was made in."""

    def __init__(
        self, address: str | Connection, token: str = "", owners: Owners[AioWay] | None = None
    ) -> None:
        """Connect to an address (or a `Connection`, when there is more to say) with a bearer token.

        With `owners`, the connections of another client are shared instead.
        """
        self.connection = Connection(address, token) if isinstance(address, str) else address
        self._endings: set[asyncio.Task[None]] = set()
        self._owners = owners or Owners(
            self.connection, AioWay(self.connection, self._endings), self._open_way
        )
        safe: Any = SafeAioChannel(self.connection, self._owners)
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
        return AsyncClient(replace(self.connection, token=token), owners=self._owners)

    async def close(self) -> None:
        """End the connection, also for every client that shares it."""
        for way in self._owners.close():
            await way.channel.close(None)
        await asyncio.gather(*self._endings)
        await self._owners.configured.channel.close(None)

    def _open_way(self, address: str) -> AioWay:
        return AioWay(replace(self.connection, address=address), self._endings)

    async def next(
        self, project_id: str, count: int = 1, wait_s: float = 0.0, locale: str = ""
    ) -> list[assignments_pb2.Offer]:
        """Give up to `count` offers; none when there is nothing to do within `wait_s` seconds (at most
        30)."""
        request = asking(project_id, count, wait_s, locale)
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
        return WorkStream(self._owners, self.connection, project_id, credits, locale)
