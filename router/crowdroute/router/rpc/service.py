"""What every call goes through: parse, authenticate, deadline, rate, scope, errors as statuses.

This is a thin function around each handler and no gRPC interceptor, which would cost a quarter of the
throughput.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from time import perf_counter
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from crowdroute.router.errors import ConfigurationError, NotFound
from crowdroute.router.rpc.call_record import CANCELLED, OK, CallRecord, code_of
from crowdroute.router.rpc.calls import Call, Stream, parse
from crowdroute.router.rpc.deadlines import Context, require_deadline
from crowdroute.router.rpc.elsewhere import HERE, owner_metadata
from crowdroute.router.rpc.gate import Gate
from crowdroute.router.rpc.refusing import refuse


class Service:
    """The handlers of one service; `bind` them to a servicer when the engine serves.

    A servicer has one method per call, named in snake case: `method(call, message)` is awaited and gives the
    answer; where the client streams, `message` is a `Stream`; where the server streams, the method is an
    asynchronous generator; where both do, it is awaited with the `Stream` to read from and write to.
    """

    def __init__(self, gate: Gate, descriptor: ServiceDescriptor, largest: int) -> None:
        """Make handlers that refuse every call until `bind`.

        Args:
            gate: lets calls in.
            descriptor: of the service.
            largest: bytes that one message may have.
        """
        self.descriptor = descriptor
        self._gate = gate
        self._largest = largest
        self._methods: dict[str, Callable[..., Any]] = {}
        self._kinds: dict[str, type[Message]] = {}
        self._records: dict[str, CallRecord] = {}

    def bind(self, servicer: object) -> None:
        """Carry out the calls from now on.

        Raises:
            ConfigurationError: the servicer lacks a call.
        """
        for method in self.descriptor.methods:
            bound = getattr(servicer, snake_case(method.name), None)
            if bound is None:
                raise ConfigurationError(
                    f"{type(servicer).__name__} does not carry out {self.descriptor.name}.{method.name}"
                )
            self._methods[method.name] = bound

    def handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        """Give what the server registers."""
        return grpc.method_handlers_generic_handler(
            self.descriptor.full_name,
            {method.name: self._handler(method) for method in self.descriptor.methods},
        )

    def _handler(self, method: MethodDescriptor) -> grpc.RpcMethodHandler[Any, Any]:
        name = method.name
        kind = self._kinds[name] = GetMessageClass(method.input_type)
        self._records[name] = self._gate.record(self._full_name(name))
        match method.client_streaming, method.server_streaming:
            case False, False:
                return grpc.unary_unary_rpc_method_handler(self._answers(name, kind))
            case False, True:
                return grpc.unary_stream_rpc_method_handler(self._streams(name, kind))
            case True, False:
                return grpc.stream_unary_rpc_method_handler(self._streams(name, kind))
            case _:
                return grpc.stream_stream_rpc_method_handler(self._streams(name, kind))

    async def perform(self, name: str, call: Call, raw: bytes) -> bytes:
        """Carry out a call of one request and one answer that another group let in.

        Raises:
            RouterError: it is refused.
        """
        began = perf_counter()
        code = CANCELLED
        try:
            reply = await self._carry_out(name, call, parse(self._kinds[name], raw, self._largest))
            code = OK
            return reply.SerializeToString()
        except Exception as error:
            code = code_of(error)
            raise
        finally:
            self._records[name].ended(began, code, call.request, call)

    async def _carry_out(self, name: str, call: Call, message: Message) -> Message:
        """Carry out a call of one request and one answer; what is not found may have come to be elsewhere
        just now."""
        method = self._methods[name]
        try:
            reply: Message = await method(call, message)
        except NotFound:
            if not await self._gate.catch_up():
                raise
            reply = await method(call, message)
        return reply

    async def perform_streaming(self, name: str, call: Call, raw: bytes, context: Context) -> None:
        """Carry out a call that streams and that another group let in.

        Args:
            name: of the call.
            call: let in.
            raw: the request, or the first of them.
            context: gives the others, and takes the answers.

        Raises:
            RouterError: it is refused.
        """
        began = perf_counter()
        code = CANCELLED
        try:
            await self._stream(name, call, raw, context)
            code = OK
        except Exception as error:
            code = code_of(error)
            raise
        finally:
            self._records[name].ended(began, code, call.request, call)

    async def _stream(self, name: str, call: Call, raw: object, context: Context) -> bytes | None:
        """Carry out a call that streams; gives the answer where there is one only."""
        method, kind = self._methods[name], self._kinds[name]
        described = self.descriptor.methods_by_name[name]
        if not described.client_streaming:
            assert isinstance(raw, bytes)
            # Closed at once when the caller goes away: some of them have work elsewhere to end.
            async with aclosing(method(call, parse(kind, raw, self._largest))) as messages:
                async for message in messages:
                    await context.write(message.SerializeToString())
            return None
        stream = Stream(context, kind, self._largest, raw)
        if described.server_streaming:
            await method(call, stream)
            return None
        reply: Message = await method(call, stream)
        answer = reply.SerializeToString()
        if call.forwarded:
            await context.write(answer)
        return answer

    def _answers(self, name: str, kind: type[Message]) -> Any:
        gate, largest, full = self._gate, self._largest, self._full_name(name)
        record, here = self._records[name], name in HERE

        async def handle(raw: bytes, context: Context) -> bytes:
            began = perf_counter()
            request, authorization = gate.request_id(context)
            gate.trace(full, request, context)
            call, code = None, CANCELLED
            message: Message | None = None
            owner: tuple[tuple[str, str], ...] = ()
            try:
                require_deadline(context)
                call = await gate.let_in(context, full, request, authorization)
                message = parse(kind, raw, largest)
                elsewhere = gate.elsewhere
                shard = None if elsewhere is None or here else elsewhere.away(call, message)
                if elsewhere is None or shard is None:
                    answer = (await self._carry_out(name, call, message)).SerializeToString()
                else:
                    owner = owner_metadata(elsewhere, shard)
                    answer = await elsewhere.forward(call, shard, full, raw)
                    context.set_trailing_metadata(owner)
                code = OK
                return answer
            except Exception as error:
                code = code_of(error)
                raw, message = b"", None  # gRPC keeps this frame; see `refuse`
                await refuse(context, error, full, request, call, owner)
                raise
            finally:
                record.ended(began, code, request, call)

        return handle

    def _streams(self, name: str, kind: type[Message]) -> Any:
        gate, full = self._gate, self._full_name(name)
        record, described = self._records[name], self.descriptor.methods_by_name[name]

        async def handle(raw: object, context: Context) -> bytes | None:
            began = perf_counter()
            request, authorization = gate.request_id(context)
            gate.trace(full, request, context)
            call, code = None, CANCELLED
            try:
                call = await gate.let_in(context, full, request, authorization)
                first = None if described.client_streaming else raw
                elsewhere, shard = gate.elsewhere, None
                if elsewhere is not None and name not in HERE:
                    if described.client_streaming:
                        first = await context.read()
                    if isinstance(first, bytes):
                        shard = elsewhere.away(call, _about(parse(kind, first, self._largest)))
                if elsewhere is None or shard is None:
                    answer = await self._stream(name, call, first, context)
                else:
                    assert isinstance(first, bytes)
                    await context.send_initial_metadata(owner_metadata(elsewhere, shard))
                    answer = await elsewhere.relay(call, shard, described, first, context)
                code = OK
                return answer
            except Exception as error:
                code = code_of(error)
                await refuse(context, error, full, request, call)
                raise
            finally:
                record.ended(began, code, request, call)

        return handle

    def _full_name(self, name: str) -> str:
        return f"/{self.descriptor.full_name}/{name}"


def _about(message: Message) -> Message:
    """Give what says which project a call that streams is about: its first message, or the opening in it."""
    for name in ("header", "hello"):
        if name in message.DESCRIPTOR.fields_by_name and message.HasField(name):
            opening: Message = getattr(message, name)
            return opening
    return message


def snake_case(name: str) -> str:
    """Give the method's name for a call's name."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
