"""A gRPC server that does what a test tells it to: for the failures that a real engine shows too rarely."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
from google.protobuf.message import Message

from crowdroute.api.v1 import (
    annotation_pb2,
    assignments_pb2,
    operations_pb2,
    projects_pb2,
    results_pb2,
    work_pb2,
)

ANNOTATION = annotation_pb2.DESCRIPTOR.services_by_name["AnnotationService"].full_name
OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["OperationsService"].full_name

Failure = tuple[grpc.StatusCode, str]
Context = grpc.aio.ServicerContext
Work = Callable[["Talk"], Awaitable[None]]


class Talk:
    """The server's end of one work stream."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def hear(self) -> work_pb2.WorkRequest:
        """Give the client's next message."""
        raw = await self._context.read()
        assert isinstance(raw, bytes), "the client ended the stream"
        return work_pb2.WorkRequest.FromString(raw)

    async def say(self, **parts: object) -> None:
        """Send one message."""
        await self._context.write(work_pb2.WorkResponse(**parts).SerializeToString())

    async def break_off(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """End the stream as a lost connection does."""
        await self._context.abort(code, "broken by the test")


class Scripted:
    """Fails the calls it is told to fail, and remembers what came."""

    def __init__(self) -> None:
        self.port = 0
        self.failures: list[Failure] = []
        """How the next calls end, in order; the calls after them succeed."""
        self.received: list[tuple[str, Message]] = []
        self.deadlines: list[float | None] = []
        self.arrived = asyncio.Event()
        """Set once any call came."""
        self.hold: asyncio.Event | None = None
        """What calls wait for before they are answered."""
        self.works: list[Work] = []
        """What the next work streams do, in order; a stream too many is UNIMPLEMENTED."""

    def requests(self, name: str) -> list[Message]:
        """Give the requests of one call, in order."""
        return [request for called, request in self.received if called == name]

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        answers = {
            "Next": (assignments_pb2.NextRequest, assignments_pb2.NextResponse),
            "Submit": (assignments_pb2.SubmitRequest, assignments_pb2.SubmitResponse),
            "Skip": (assignments_pb2.SkipRequest, assignments_pb2.SkipResponse),
            "Resume": (assignments_pb2.ResumeRequest, assignments_pb2.ResumeResponse),
        }
        methods = {name: self._answers(name, *kinds) for name, kinds in answers.items()}
        methods["Work"] = grpc.stream_stream_rpc_method_handler(self._work)
        streams = {
            "RefitProject": (projects_pb2.RefitProjectRequest, projects_pb2.RefitProjectProgress),
            "ExportResults": (results_pb2.ExportResultsRequest, results_pb2.ExportedResult),
        }
        streaming = {name: self._streams(name, *kinds) for name, kinds in streams.items()}
        return (
            grpc.method_handlers_generic_handler(ANNOTATION, methods),
            grpc.method_handlers_generic_handler(OPERATIONS, streaming),
        )

    def _answers(self, name: str, asked: type[Message], answered: type[Message]) -> grpc.RpcMethodHandler:
        async def handle(raw: bytes, context: Context) -> bytes:
            self.received.append((name, asked.FromString(raw)))
            self.deadlines.append(context.time_remaining())
            self.arrived.set()
            if self.hold is not None:
                await self.hold.wait()
            if self.failures:
                await context.abort(*self.failures.pop(0))
            return answered().SerializeToString()

        return grpc.unary_unary_rpc_method_handler(handle)

    def _streams(self, name: str, asked: type[Message], answered: type[Message]) -> grpc.RpcMethodHandler:
        """Give two answers, and fail between them when a failure is wanted."""

        async def handle(raw: bytes, context: Context) -> AsyncIterator[bytes]:
            self.received.append((name, asked.FromString(raw)))
            yield answered().SerializeToString()
            if self.failures:
                await context.abort(*self.failures.pop(0))
            yield answered().SerializeToString()

        return grpc.unary_stream_rpc_method_handler(handle)

    async def _work(self, _: object, context: Context) -> None:
        if not self.works:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "the test expects no further stream")
        await self.works.pop(0)(Talk(context))


@contextlib.asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """Serve a script until the block is left."""
    script, server = Scripted(), grpc.aio.server()
    server.add_generic_rpc_handlers(script.handlers())
    script.port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield script
    finally:
        await server.stop(0)
