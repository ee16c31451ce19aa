"""The client for ordinary programs: calls block until they are answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

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
from crowdroute.client.errors import ClientError, from_call
from crowdroute.client.retrying import delay_before, prepare

WAIT_S = 10.0
"""How long one request for work waits for some."""


class SafeChannel:
    """A channel that adds credentials, deadlines and safe retries to every call, and raises `ClientError`."""

    def __init__(self, connection: Connection, channel: grpc.Channel) -> None:
        """Wrap a channel; generated stubs take this in its place."""
        self._connection = connection
        self._channel = channel

    def unary_unary(self, path: str, **how: Any) -> Callable[..., Any]:
        """Make a call with one request and one answer, repeated when that is safe."""
        call = self._channel.unary_unary(path, **how)
        method = path.rpartition("/")[2]

        def run(request: Any, timeout: float | None = None) -> Any:
            sent, repeatable = prepare(method, request)
            deadline = self._connection.timeout_s if timeout is None else timeout
            attempt = 0
            while True:
                attempt += 1
                try:
                    return call(sent, timeout=deadline, metadata=self._connection.metadata)
                except grpc.RpcError as error:
                    failure = _failure(error)
                delay = delay_before(attempt, failure)
                if not repeatable or delay is None or attempt >= self._connection.attempts:
                    raise failure
                time.sleep(delay)

        return run

    def unary_stream(self, path: str, **how: Any) -> Callable[..., Iterator[Any]]:
        """Make a call with one request and many answers; a broken stream is not repeated."""
        return self._streaming(self._channel.unary_stream(path, **how))

    def stream_unary(self, path: str, **how: Any) -> Callable[..., Any]:
        """Make a call with many requests and one answer; it is not repeated."""
        call = self._channel.stream_unary(path, **how)

        def run(requests: Iterator[Any], timeout: float | None = None) -> Any:
            try:
                return call(requests, timeout=timeout, metadata=self._connection.metadata)
            except grpc.RpcError as error:
                raise _failure(error) from None

        return run

    def stream_stream(self, path: str, **how: Any) -> Callable[..., Iterator[Any]]:
        """Make a call with many requests and many answers."""
        return self._streaming(self._channel.stream_stream(path, **how))

    def _streaming(self, call: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
        def run(request: Any, timeout: float | None = None) -> Iterator[Any]:
            try:
                yield from call(request, timeout=timeout, metadata=self._connection.metadata)
            except grpc.RpcError as error:
                raise _failure(error) from None

        return run


def _failure(error: grpc.RpcError) -> ClientError:
    trailers = [(one.key, one.value) for one in error.trailing_metadata() or ()]
    return from_call(error.code(), error.details() or "", trailers)


class Client:
    """A connection to one engine, for any number of threads."""

    def __init__(self, address: str | Connection, token: str = "") -> None:
        """Connect to an address (or a `Connection`, when there is more to say) with a bearer token."""
        self.connection = Connection(address, token) if isinstance(address, str) else address
        credentials = self.connection.credentials()
        target, options = self.connection.address, self.connection.options
        self._channel = (
            grpc.secure_channel(target, credentials, options)
            if credentials
            else grpc.insecure_channel(target, options)
        )
        safe: Any = SafeChannel(self.connection, self._channel)
        self.annotation: Any = AnnotationServiceStub(safe)  # type: ignore[no-untyped-call]  # generated code
        self.operations: Any = OperationsServiceStub(safe)  # type: ignore[no-untyped-call]  # generated code
        self.vendor: Any = VendorServiceStub(safe)  # type: ignore[no-untyped-call]  # generated code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def wait_ready(self, timeout_s: float) -> bool:
        """Say whether there is a connection, at once or within `timeout_s` seconds."""
        ready = grpc.channel_ready_future(self._channel)
        try:
            ready.result(timeout=timeout_s)
        except grpc.FutureTimeoutError:
            return False
        finally:
            ready.cancel()
        return True

    def health(self, timeout_s: float) -> str:
        """Give what the engine says of itself, SERVING or NOT_SERVING; UNREACHABLE when it says nothing."""
        try:
            answer = HealthStub(self._channel).Check(HealthCheckRequest(), timeout=timeout_s)
        except grpc.RpcError:
            return "UNREACHABLE"
        return str(HealthCheckResponse.ServingStatus.Name(answer.status))

    def next(
        self, project_id: str, count: int = 1, wait_s: float = 0.0, locale: str = ""
    ) -> list[assignments_pb2.Offer]:
        """Give up to `count` offers; none when there is nothing to do within `wait_s` seconds (at most
        30)."""
        request = assignments_pb2.NextRequest(project_id=project_id, count=count, locale=locale)
        if wait_s:
            request.wait.CopyFrom(duration(wait_s))
        answer = self.annotation.Next(request, timeout=self.connection.timeout_s + wait_s)
        return list(answer.offers)

    def submit(
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
        response: assignments_pb2.SubmitResponse = self.annotation.Submit(
            submission(offer, labels, comment, flags, active_s)
        )
        return response

    def skip(
        self, offer: assignments_pb2.Offer, reason: str, problem: bool = False, comment: str = ""
    ) -> None:
        """Decline to answer with a code, for example `unclear`; `problem` reports that the task is broken."""
        self.annotation.Skip(skipping(offer, reason, problem, comment))

    def extend(self, offer: assignments_pb2.Offer) -> None:
        """Say that the worker is still at it, so that the lease does not run out."""
        self.annotation.Extend(extension(offer))

    def release(self, offer: assignments_pb2.Offer) -> None:
        """Give a task back unanswered."""
        self.annotation.Release(giving_back(offer))

    def work(
        self, project_id: str, wait_s: float = WAIT_S, stop: threading.Event | None = None
    ) -> Iterator[assignments_pb2.Offer]:
        """Yield offers one by one, beginning with those still held; ends when none came within `wait_s`
        seconds.

        Submit or skip each offer before the next is taken. With `stop`, ends as soon as it is set.
        """
        resumed = self.annotation.Resume(assignments_pb2.ResumeRequest(project_id=project_id))
        yield from (held.offer for held in resumed.offers)
        while stop is None or not stop.is_set():
            offers = self.next(project_id, wait_s=wait_s)
            if not offers:
                return
            yield from offers
