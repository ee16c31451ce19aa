"""The work stream: offers come by themselves, answers go back, and a broken connection is made good.

Actions are kept until the engine has answered them. When the stream breaks, a new one resumes the leases and
sends what was not answered again; an action that had been carried out answers as before, since submits are
taken once per assignment and the others carry idempotency keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import grpc
import grpc.aio

from crowdroute.api.v1 import assignments_pb2, work_pb2
from crowdroute.api.v1.annotation_pb2_grpc import AnnotationServiceStub
from crowdroute.client.answers import Labels, submission
from crowdroute.client.connection import Connection
from crowdroute.client.errors import ClientError, NotConnected, from_aio, from_problem
from crowdroute.client.retrying import delay_before

_Action = tuple[work_pb2.WorkRequest, "asyncio.Future[Any]"]


class WorkStream:
    """One worker's stream in one project: iterate over it for offers, and answer them while it is open."""

    def __init__(
        self, channel: grpc.aio.Channel, connection: Connection, project_id: str, credits: int, locale: str
    ) -> None:
        """Store where to connect; the stream opens with `async with`."""
        self._stub: Any = AnnotationServiceStub(channel)  # type: ignore[no-untyped-call]  # generated code
        self._connection = connection
        self._hello = work_pb2.Hello(project_id=project_id, credits=credits, locale=locale, resume=True)
        self._sequence = 0
        self._unanswered: dict[int, _Action] = {}
        self._offers: asyncio.Queue[assignments_pb2.Offer | None] = asyncio.Queue()
        self._held: set[str] = set()
        self._call: Any = None
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
        """End the stream; leases that are held stand until they run out or are resumed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def __aiter__(self) -> AsyncIterator[assignments_pb2.Offer]:
        return self

    async def __anext__(self) -> assignments_pb2.Offer:
        """Wait for the next offer.

        Raises:
            ClientError: the stream ended and could not be made good.
        """
        offer = await self._offers.get()
        if offer is None:
            self._offers.put_nowait(None)
            if self._failure is not None:
                raise self._failure
            raise StopAsyncIteration
        return offer

    async def submit(
        self, offer: assignments_pb2.Offer, labels: Labels, comment: str = "", active_s: float = 0.0
    ) -> assignments_pb2.SubmitResponse:
        """Answer an offer, and wait until the answer is durable.

        Raises:
            Refused: the answer was not taken; the offer is still held unless its lease is over.
        """
        self._held.discard(offer.assignment_id)
        request = submission(offer, labels, comment, (), active_s)
        response: assignments_pb2.SubmitResponse = await self._act(work_pb2.WorkRequest(submit=request))
        return response

    async def skip(self, offer: assignments_pb2.Offer, reason: str, problem: bool = False) -> None:
        """Decline to answer."""
        self._held.discard(offer.assignment_id)
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
        if self._call is not None:
            self._sequence += 1
            credit = work_pb2.Credit(credits=credits)
            await self._call.write(work_pb2.WorkRequest(sequence=self._sequence, credit=credit))

    async def _act(self, request: work_pb2.WorkRequest) -> Any:
        if self._failure is not None:
            raise self._failure
        self._sequence += 1
        request.sequence = self._sequence
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._unanswered[request.sequence] = (request, answered)
        if self._call is not None:
            # The reading side sees a break too, reconnects and sends it again.
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await self._call.write(request)
        return await answered

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                await self._connect()
                attempt = 0
                await self._read()
                failure: ClientError = NotConnected("STREAM_ENDED", "the engine ended the work stream")
                failure.status = grpc.StatusCode.UNAVAILABLE
            except grpc.aio.AioRpcError as error:
                failure = from_aio(error)
            self._call = None
            attempt += 1
            delay = delay_before(attempt, failure)
            if delay is None or attempt >= self._connection.attempts:
                self._fail(failure)
                return
            await asyncio.sleep(delay)

    async def _connect(self) -> None:
        """Open a stream, resume what is held, and send again what was not answered, in its order."""
        call = self._stub.Work(metadata=self._connection.metadata)
        self._sequence += 1
        await call.write(work_pb2.WorkRequest(sequence=self._sequence, hello=self._hello))
        repeated = sorted(self._unanswered.items())
        self._unanswered = {}
        for _, (request, answered) in repeated:
            self._sequence += 1
            request.sequence = self._sequence
            self._unanswered[request.sequence] = (request, answered)
            await call.write(request)
        self._call = call

    async def _read(self) -> None:
        async for message in self._call:
            for reply in message.replies:
                self._settle(reply)
            for resumed in message.resumed:
                self._offer(resumed.offer)
            for offer in message.offers:
                self._offer(offer)
            for revoked in message.revocations:
                self._held.discard(revoked.assignment_id)
            if message.HasField("go_away"):
                return

    def _settle(self, reply: work_pb2.WorkReply) -> None:
        action = self._unanswered.pop(reply.sequence, None)
        if action is None or action[1].done():
            return
        kind = reply.WhichOneof("result")
        if kind == "problem":
            action[1].set_exception(from_problem(reply.problem))
        else:
            action[1].set_result(getattr(reply, kind))

    def _offer(self, offer: assignments_pb2.Offer) -> None:
        """Hand an offer on once, however often the stream was resumed."""
        if offer.assignment_id not in self._held:
            self._held.add(offer.assignment_id)
            self._offers.put_nowait(offer)

    def _fail(self, failure: ClientError) -> None:
        self._failure = failure
        for _, answered in self._unanswered.values():
            if not answered.done():
                answered.set_exception(failure)
        self._unanswered = {}
        self._offers.put_nowait(None)
