"""The work stream: offers come by themselves, answers go back, and a broken connection is made good.

Actions are kept until the engine has answered them; one that it asked to send later is sent again then. When
the stream breaks, a new one resumes the leases and sends what was not answered again; an action that had been
carried out answers as before, since submits are taken once per assignment and the others carry idempotency
keys. In the same way a stream that would last on a detour is opened anew at the process that serves the
project, before anything but the greeting was said on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from crowdroute.api.v1 import assignments_pb2, work_pb2
from crowdroute.api.v1.annotation_pb2_grpc import AnnotationServiceStub
from crowdroute.client.answers import Labels, submission
from crowdroute.client.connection import Connection
from crowdroute.client.errors import ClientError, NotConnected, from_aio, from_problem, pairs
from crowdroute.client.owners import Owners
from crowdroute.client.retrying import delay_before
from crowdroute.client.ways import AioWay

CLOSED = "STREAM_CLOSED"

FIRST_WORD_S = 0.5
"""How long what was not answered waits for the engine's first message on a new stream. Nearly always one
comes at once; an engine that refuses the stream says so then, and not into the middle of our writing."""

CONNECT_S = 1.0
"""How long a stream on a detour waits for a connection to who serves the project; then it stays."""

WRITE_BROKEN = "Internal error from Core"
"""gRPC's words when a message met a stream that had just ended, whatever the reason for its end."""


class _Action:
    """Something that was asked for and not answered yet."""

    __slots__ = ("answered", "request", "tries")

    def __init__(self, request: work_pb2.WorkRequest, answered: asyncio.Future[Any]) -> None:
        self.request = request
        self.answered = answered
        self.tries = 1


class WorkStream:
    """One worker's stream in one project: iterate over it for offers, and answer them while it is open."""

    def __init__(
        self,
        owners: Owners[AioWay],
        connection: Connection,
        project_id: str,
        credits: int,
        locale: str,
    ) -> None:
        """Store where to connect; the stream opens with `async with`."""
        self._owners = owners
        self._connection = connection
        self._hello = work_pb2.Hello(project_id=project_id, credits=credits, locale=locale, resume=True)
        self._sequence = 0
        self._unanswered: dict[int, _Action] = {}
        self._outbox: deque[work_pb2.WorkRequest] = deque()
        self._posted = asyncio.Event()
        self._heard = asyncio.Event()
        self._offers: asyncio.Queue[assignments_pb2.Offer | None] = asyncio.Queue()
        self._held: set[str] = set()
        self._attempt = 0
        self._task: asyncio.Task[None] | None = None
        self._failure: ClientError | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="work-stream")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the stream; leases that are held stand until they run out or are resumed.

        Actions that wait for their answer raise `NotConnected`; iterating ends.
        """
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._end(_closed())

    def __aiter__(self) -> AsyncIterator[assignments_pb2.Offer]:
        return self

    async def __anext__(self) -> assignments_pb2.Offer:
        """Wait for the next offer whose lease stands.

        Raises:
            ClientError: the stream ended and could not be made good.
        """
        while (offer := await self._offers.get()) is not None:
            if self.holds(offer):
                return offer
        self._offers.put_nowait(None)
        if self._failure is not None and self._failure.code != CLOSED:
            raise self._failure
        raise StopAsyncIteration

    def holds(self, offer: assignments_pb2.Offer) -> bool:
        """Say whether an offer still waits for its answer: false once its lease is known to be over."""
        return offer.assignment_id in self._held

    async def submit(
        self, offer: assignments_pb2.Offer, labels: Labels, comment: str = "", active_s: float = 0.0
    ) -> assignments_pb2.SubmitResponse:
        """Answer an offer, and wait until the answer is durable.

        Raises:
            Refused: the answer was not taken; the offer is still held unless its lease is over.
        """
        request = submission(offer, labels, comment, (), active_s)
        response: assignments_pb2.SubmitResponse = await self._act(work_pb2.WorkRequest(submit=request))
        return response

    async def skip(self, offer: assignments_pb2.Offer, reason: str, problem: bool = False) -> None:
        """Decline to answer; the reason is a code, for example `unclear`."""
        skip = assignments_pb2.SkipRequest(
            project_id=offer.project_id,
            assignment_id=offer.assignment_id,
            lease_token=offer.lease_token,
            reason=reason,
            problem=problem,
            idempotency_key=uuid.uuid4().hex,
        )
        await self._act(work_pb2.WorkRequest(skip=skip))

    async def set_credits(self, credits: int) -> None:
        """Change how many offers are held at once; 0 stops new ones."""
        self._hello.credits = credits
        self._post(work_pb2.WorkRequest(credit=work_pb2.Credit(credits=credits)))

    async def _act(self, request: work_pb2.WorkRequest) -> Any:
        if self._failure is not None:
            raise self._failure
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._ask(_Action(request, answered))
        return await answered

    def _ask(self, action: _Action) -> None:
        self._post(action.request)
        self._unanswered[action.request.sequence] = action

    def _post(self, request: work_pb2.WorkRequest) -> None:
        """Number a message and leave it for the one task that writes: gRPC takes one write at a time."""
        self._sequence += 1
        request.sequence = self._sequence
        self._outbox.append(request)
        self._posted.set()

    async def _run(self) -> None:
        failure: ClientError = _closed()
        try:
            failure = await self._keep_open()
        finally:
            self._end(failure)

    async def _keep_open(self) -> ClientError:
        """Open one stream after the other; say why there will be no more."""
        project = self._hello.project_id
        while True:
            with self._owners.way(project) as way:
                failure = await self._one(way)
            if failure is None:
                continue
            if way is not self._owners.configured and failure.status is grpc.StatusCode.UNAUTHENTICATED:
                continue  # the process where the user said to connect may know better
            self._attempt += 1
            delay = delay_before(self._attempt, failure)
            if delay is None or self._attempt >= self._connection.attempts:
                return failure
            await asyncio.sleep(delay)

    async def _one(self, way: AioWay) -> ClientError | None:
        """Open a stream and serve it to its end; say why it ended, or None when it goes on elsewhere."""
        stub: Any = AnnotationServiceStub(way.channel)  # type: ignore[no-untyped-call]  # generated code
        call = stub.Work(metadata=self._connection.metadata)
        self._greet()
        writing = asyncio.create_task(self._write(call), name="work-stream-writer")
        project = self._hello.project_id
        try:
            self._owners.hear(way, project, pairs(await call.initial_metadata()))
            if await self._elsewhere(way):
                return None
            failure: ClientError = await self._read(call)
        except grpc.aio.AioRpcError as error:
            failure = _ended("STREAM_BROKEN") if error.details() == WRITE_BROKEN else from_aio(error)
        finally:
            writing.cancel()
            call.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        self._owners.hear(way, project, None, failure)
        return failure

    async def _elsewhere(self, way: AioWay) -> bool:
        """Say whether another process serves the project and there is a connection to it."""
        with self._owners.told(self._hello.project_id) as owner:
            if owner is way or owner is self._owners.configured:
                return False
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_S):
                    await owner.settled()
            return owner.stands() is True

    def _greet(self) -> None:
        """Leave for writing what begins a stream: resume what is held, and what was not answered, in its
        order."""
        repeated = list(self._unanswered.values())
        self._outbox.clear()
        self._heard.clear()
        self._unanswered = {}
        self._post(work_pb2.WorkRequest(hello=self._hello))
        for action in repeated:
            self._ask(action)

    async def _write(self, call: Any) -> None:
        """Send what is left for writing; the reading side sees a break too, and makes it good."""
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await call.write(self._outbox.popleft())
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it may swallow the cancellation that ends this task.
                async with asyncio.timeout(FIRST_WORD_S):
                    await self._heard.wait()
            while True:
                while self._outbox:
                    await call.write(self._outbox.popleft())
                self._posted.clear()
                await self._posted.wait()

    async def _read(self, call: Any) -> ClientError:
        """Take in what the engine sends until it ends the stream; say why it did."""
        async for message in call:
            self._attempt = 0
            self._heard.set()
            for reply in message.replies:
                self._settle(reply)
            for resumed in message.resumed:
                self._offer(resumed.offer)
            for offer in message.offers:
                self._offer(offer)
            for revoked in message.revocations:
                self._held.discard(revoked.assignment_id)
            if message.HasField("go_away"):
                wait = message.go_away.retry_after
                return _ended(message.go_away.reason, wait.seconds + wait.nanos / 1e9)
        return _ended("STREAM_ENDED")

    def _settle(self, reply: work_pb2.WorkReply) -> None:
        action = self._unanswered.get(reply.sequence)
        if action is None:
            return
        kind = reply.WhichOneof("result")
        if kind == "problem":
            problem = from_problem(reply.problem)
            delay = delay_before(action.tries, problem)
            if delay is not None and action.tries < self._connection.attempts and not action.answered.done():
                action.tries += 1
                asyncio.get_running_loop().call_later(delay, self._ask_again, reply.sequence)
                return
        del self._unanswered[reply.sequence]
        if kind != "problem":
            self._held.discard(getattr(action.request, kind).assignment_id)
        if action.answered.done():  # whoever asked was cancelled
            return
        if kind == "problem":
            action.answered.set_exception(problem)
        else:
            action.answered.set_result(getattr(reply, kind))

    def _ask_again(self, sequence: int) -> None:
        """Send an action again unless a new stream did so meanwhile."""
        action = self._unanswered.pop(sequence, None)
        if action is not None:
            self._ask(action)

    def _offer(self, offer: assignments_pb2.Offer) -> None:
        """Hand an offer on once, however often the stream was resumed."""
        if offer.assignment_id not in self._held:
            self._held.add(offer.assignment_id)
            self._offers.put_nowait(offer)

    def _end(self, failure: ClientError) -> None:
        """Tell everyone who waits that nothing more will come; the first reason stands."""
        if self._failure is None:
            self._failure = failure
        for action in self._unanswered.values():
            if not action.answered.done():
                action.answered.set_exception(self._failure)
        self._unanswered = {}
        self._offers.put_nowait(None)


def _closed() -> NotConnected:
    return NotConnected(CLOSED, "the work stream was closed before the engine answered")


def _ended(reason: str, retry_after_s: float = 0.0) -> NotConnected:
    return NotConnected(
        reason,
        "the engine ended the work stream",
        status=grpc.StatusCode.UNAVAILABLE,
        retry_after_s=retry_after_s,
    )
