"""The client for ordinary programs: calls block until they are answered."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, cast

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from crowdroute.api.v1 import assignments_pb2
from crowdroute.api.v1.annotation_pb2_grpc import AnnotationServiceStub
from crowdroute.api.v1.operations_pb2_grpc import OperationsServiceStub
from crowdroute.api.v1.vendor_pb2_grpc import VendorServiceStub
from crowdroute.client.answers import Labels, asking, extension, giving_back, skipping, submission
from crowdroute.client.connection import Connection
from crowdroute.client.errors import ClientError, from_call, pairs
from crowdroute.client.owners import Owners, project_of
from crowdroute.client.retrying import prepare
from crowdroute.client.ways import BlockingWay

WAIT_S = 10.0
"""How long one request for work waits for some."""


class SafeChannel:
    """Channels that add credentials, deadlines and safe retries to every call, follow what the engine tells
    of who serves a project, and raise `ClientError`."""

    def __init__(self, connection: Connection, owners: Owners[BlockingWay]) -> None:
        """Wrap the ways there are; generated stubs take this in a channel's place."""
        self._connection = connection
        self._owners = owners

    def unary_unary(self, path: str, **how: Any) -> Callable[..., Any]:
        """Make a call with one request and one answer, repeated when that is safe."""
        owners, method = self._owners, path.rpartition("/")[2]

        def run(request: Any, timeout: float | None = None) -> Any:
            prepared = prepare(method, request)
            sent = prepared.request
            deadline = self._connection.timeout_s if timeout is None else timeout
            project, attempt = project_of(sent), 0
            while True:
                attempt += 1
                with owners.way(project) as way:
                    call = way.call("unary_unary", path, how)
                    try:
                        answer, ended = call.with_call(
                            sent, timeout=deadline, metadata=self._connection.metadata
                        )
                    except grpc.RpcError as error:
                        failure, trailers = _failure(error), pairs(error.trailing_metadata())
                    else:
                        owners.hear(way, project, pairs(ended.trailing_metadata()))
                        return answer
                    owners.hear(way, project, trailers, failure)
                if way is not owners.configured:
                    project = ""  # the other tries go where the user said
                    if failure.status is grpc.StatusCode.UNAUTHENTICATED:
                        continue
                time.sleep(prepared.pause_after(attempt, self._connection, failure))

        return run

    def unary_stream(self, path: str, **how: Any) -> Callable[..., Iterator[Any]]:
        """Make a call with one request and many answers; one that breaks is begun again from the first when
        that is safe."""
        method = path.rpartition("/")[2]

        def run(request: Any, timeout: float | None = None) -> Iterator[Any]:
            prepared = prepare(method, request)
            sent = prepared.request
            project, attempt = project_of(sent), 0
            while True:
                attempt += 1
                try:
                    yield from self._stream("unary_stream", path, how, sent, project, timeout)
                except ClientError as failure:
                    pause = prepared.pause_after(attempt, self._connection, failure)
                else:
                    return
                time.sleep(pause)

        return run

    def stream_unary(self, path: str, **how: Any) -> Callable[..., Any]:
        """Make a call with many requests and one answer; it is not repeated."""

        def run(requests: Iterator[Any], timeout: float | None = None) -> Any:
            coming = iter(requests)
            first = list(itertools.islice(coming, 1))
            project = project_of(first[0]) if first else ""
            with self._owners.way(project) as way:
                call = way.call("stream_unary", path, how)
                sent = itertools.chain(first, coming)
                try:
                    answer, ended = call.with_call(sent, timeout=timeout, metadata=self._connection.metadata)
                except grpc.RpcError as error:
                    failure, ended = _failure(error), cast("grpc.Call", error)
                    self._owners.hear(way, project, pairs(ended.initial_metadata()), failure)
                    raise failure from None
                self._owners.hear(way, project, pairs(ended.initial_metadata()))
                return answer

        return run

    def stream_stream(self, path: str, **how: Any) -> Callable[..., Iterator[Any]]:
        """Make a call with many requests and many answers."""

        def run(requests: Iterator[Any], timeout: float | None = None) -> Iterator[Any]:
            yield from self._stream("stream_stream", path, how, requests, "", timeout)

        return run

    def _stream(
        self, kind: str, path: str, how: dict[str, Any], sent: Any, project: str, timeout: float | None
    ) -> Iterator[Any]:
        with self._owners.way(project) as way:
            answers = way.call(kind, path, how)(sent, timeout=timeout, metadata=self._connection.metadata)
            heard = False
            try:
                for message in answers:
                    if not heard:
                        heard = True
                        self._owners.hear(way, project, pairs(answers.initial_metadata()))
                    yield message
            except grpc.RpcError as error:
                failure = _failure(error)
                self._owners.hear(way, project, pairs(answers.initial_metadata()), failure)
                raise failure from None
            finally:
                answers.cancel()  # for who stops reading before the end


def _failure(error: grpc.RpcError) -> ClientError:
    trailers = [(one.key, one.value) for one in error.trailing_metadata() or ()]
    return from_call(error.code(), error.details() or "", trailers)


class Client:
    """A connection to one engine, for any number of threads."""

    def __init__(self, address: str | Connection, token: str = "") -> None:
        """Connect to an address (or a `Connection`, when there is more to say) with a bearer token."""
        self.connection = Connection(address, token) if isinstance(address, str) else address
        configured = BlockingWay(self.connection)
        self._channel = configured.channel
        self._owners = Owners(self.connection, configured, self._open_way)
        safe: Any = SafeChannel(self.connection, self._owners)
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
        for way in self._owners.close():
            way.end()
        self._channel.close()

    def _open_way(self, address: str) -> BlockingWay:
        return BlockingWay(replace(self.connection, address=address)).connect()

    def wait_ready(self, timeout_s: float) -> bool:
        """Say whether there is a connection, at once or within `timeout_s` seconds."""
        return self._owners.configured.answers(timeout_s)

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
        request = asking(project_id, count, wait_s, locale)
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
