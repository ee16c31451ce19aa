"""What every call goes through: parse, authenticate, deadline, rate, scope, errors as statuses.

This is a thin function around each handler and no gRPC interceptor, which would cost a quarter of the
throughput. Messages are parsed here rather than by gRPC, so that bytes that are no message are the caller's
error and not ours.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from time import perf_counter
from typing import Any, Generic, Protocol, TypeVar, cast

import grpc
import structlog
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.errors import ConfigurationError, InvalidCommand, NotFound, RouterError, ShuttingDown
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.ports import Directory, Span, Tracer
from crowdroute.router.rpc.authentication import Authenticator, Principal
from crowdroute.router.rpc.call_record import CANCELLED, OK, CallRecord, code_of, who
from crowdroute.router.rpc.limits import RateLimiter
from crowdroute.router.rpc.scopes import SCOPES, Scope
from crowdroute.router.rpc.status import (
    DETAILS_KEY,
    DeadlineExceeded,
    DeadlineMissing,
    MalformedMessage,
    MessageTooLarge,
    NotAuthenticated,
    status_code,
    status_message,
    told,
)
from crowdroute.router.runtime.directory.keepers import Keepers
from crowdroute.router.runtime.directory.presence import Presence
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.tracing import TRACEPARENT, current

LONGEST_DEADLINE = 60.0
"""Seconds that a call answered with one message may ask for: what waits longer is better asked again."""

BATCH_DEADLINE = 3600.0
"""Seconds that a call may ask for whose work is a job: a refit of millions of answers takes minutes, and
others may go before it."""

BATCH_CALLS = frozenset({"RefitProject"})
"""Calls whose work is a job."""

DEADLINE_TOLERANCE = 1.0
"""Seconds by which clocks and rounding may lengthen a deadline on its way."""

HERE = frozenset({"VerifyLog", "BackupLog"})
"""Calls that concern the process which they reach."""

OWNER = "crowdroute-owner"
"""Metadata of a call that was forwarded, trailing or, of one that streams, initial: where it is carried out
without a detour."""

LONGEST_KEY = 128
LONGEST_REQUEST_ID = 64

_log = structlog.get_logger("crowdroute.rpc")
_instance = secrets.token_hex(4)

END: object = vars(grpc.aio)["EOF"]  # the stubs leave it out
AnyMessage = TypeVar("AnyMessage", bound=Message)
Context = grpc.aio.ServicerContext[bytes, bytes]


class Call:
    """One call that was let in."""

    __slots__ = ("_context", "forwarded", "name", "part", "principal", "request")

    def __init__(
        self,
        context: Context,
        name: str,
        principal: Principal,
        request: str,
        *,
        forwarded: bool = False,
        part: bool = False,
    ) -> None:
        self._context = context
        self.name = name
        self.principal = principal
        self.request = request
        """Request id: the caller's `x-request-id`, or one of ours."""
        self.forwarded = forwarded
        """Whether another group forwarded it; such a call goes no further."""
        self.part = part
        """Whether only what lives here is asked for, because another group adds up."""

    def seconds_left(self) -> float:
        """Give how much of the call's time is left; a minute for a call without a deadline."""
        left = _time_left(self._context)
        return LONGEST_DEADLINE if left is None else left


class Stream(Generic[AnyMessage]):
    """The messages of a call that may send any number."""

    def __init__(self, context: Context, kind: type[AnyMessage], largest: int, first: object = None) -> None:
        self._context = context
        self._first = first
        """What was read of the call already, to find out where it goes."""
        self._kind = kind
        self._largest = largest

    async def read(self) -> AnyMessage | None:
        """Give the next message, or None when there are no more.

        Raises:
            MalformedMessage, MessageTooLarge: it cannot be read.
        """
        raw: Any = self._first
        self._first = None
        if raw is None:
            raw = await self._context.read()
        if raw is END:
            return None
        return parse(self._kind, raw, self._largest)

    async def __aiter__(self) -> AsyncIterator[AnyMessage]:
        """Yield the messages that are left."""
        while (message := await self.read()) is not None:
            yield message

    async def write(self, message: Message) -> None:
        """Send a message."""
        await self._context.write(message.SerializeToString())


class Elsewhere(Protocol):
    """The other groups; see `rpc.group.forwarding`."""

    def away(self, call: Call, message: Message) -> int | None:
        """Give the shard that a call is for, when another group serves it."""

    def owner(self, shard: int) -> str:
        """Give where clients reach a shard."""

    async def forward(self, call: Call, shard: int, method: str, raw: bytes) -> bytes:
        """Have a call of one request and one answer carried out where its shard is served."""

    async def gather(self, call: Call, method: str, raw: bytes) -> Sequence[bytes]:
        """Have every other group answer a call from what lives with it alone."""

    async def relay(
        self, call: Call, shard: int, described: MethodDescriptor, raw: bytes, context: Context
    ) -> bytes | None:
        """Have a call that streams carried out where its shard is served; gives the answer where there is one
        only."""

    async def catch_up(self) -> bool:
        """Return when everything durable of the organisations is known here; false: they live here."""


class Gate:
    """Lets calls in."""

    def __init__(
        self,
        limiter: RateLimiter,
        scopes: dict[str, Scope] | None = None,
        *,
        log_calls: bool = False,
        tracer: Tracer | None = None,
    ) -> None:
        """Let nobody in before `open`.

        Args:
            limiter: counts calls.
            scopes: what each call needs; None: what the product says.
            log_calls: write a line for each call that ends.
            tracer: is told of the calls; None: nobody is.
        """
        self.group: ShardGroup | None = None
        """Set once it serves; until then every call is sent away."""
        self.elsewhere: Elsewhere | None = None
        """The other groups, where there are any."""
        self._authenticator: Authenticator | None = None
        self.directory: Directory = MemoryDirectory()
        """What processes tell each other; in this process alone until another is opened."""
        self.keepers: Keepers | None = None
        """What keeps this process' rows in it, where others read them."""
        self.presence = Presence()
        """When each worker called last."""
        self.limiter = limiter
        """How often each caller called."""
        self._scopes = SCOPES if scopes is None else scopes
        self._number = 0
        self._log_calls = log_calls
        self._tracer = tracer
        self.records: list[CallRecord] = []
        """How the calls ended, for every call that is served."""

    def open(self, group: ShardGroup) -> None:
        """Begin to let calls in."""
        self._authenticator = Authenticator(group)
        self.group = group

    def record(self, path: str) -> CallRecord:
        """Begin the record of a call."""
        record = CallRecord(path, lines=self._log_calls)
        self.records.append(record)
        return record

    def request_id(self, context: Context) -> tuple[str, str | None]:
        """Give a call's request id and its credential."""
        authorization, request = None, ""
        for name, value in context.invocation_metadata() or ():
            if name == "authorization":
                authorization = value if isinstance(value, str) else None
            elif name == "x-request-id" and isinstance(value, str):
                request = value[:LONGEST_REQUEST_ID]
        if not request:
            self._number += 1
            request = f"{_instance}-{self._number:x}"
        return request, authorization

    def trace(self, name: str, request: str, context: Context) -> None:
        """Begin the span of a call that a client made, when calls are traced; its `CallRecord` ends it."""
        if self._tracer is not None:
            found = [
                value
                for key, value in context.invocation_metadata() or ()
                if key == TRACEPARENT and isinstance(value, str)
            ]
            current.set(_server_span(self._tracer, name, request, found[:1]))

    def go_on(self, name: str, request: str, traceparent: str) -> None:
        """Go on with the trace of a call that another group forwarded; its `CallRecord` ends it."""
        current.set(self.forwarded_span(name, request, traceparent))

    def forwarded_span(self, name: str, request: str, traceparent: str) -> Span | None:
        """Give the span of what another group asks for; None when it is not traced there."""
        if self._tracer is None or not traceparent:
            return None
        return _server_span(self._tracer, name, request, [traceparent])

    def admit(self, context: Context, name: str, request: str, authorization: str | None) -> Call:
        """Let one call in.

        Raises:
            ShuttingDown: the engine does not serve yet, or no longer.
            NotAuthenticated, PermissionRefused, TooManyCalls: the credential does not do.
        """
        if self.group is None or self._authenticator is None:
            raise ShuttingDown("this process is starting: call again")
        principal = self._authenticator.authenticate(authorization, self.group.now_us())
        self.limiter.take(principal.caller)
        principal.require(self._scopes[name])
        self._saw(principal)
        return Call(context, name, principal, request)

    async def let_in(self, context: Context, name: str, request: str, authorization: str | None) -> Call:
        """Let one call in; a credential that is not known here may have become good elsewhere just now.

        Raises:
            NotReady: it cannot be told.
            ShuttingDown, NotAuthenticated, PermissionRefused, TooManyCalls: as `admit`.
        """
        try:
            return self.admit(context, name, request, authorization)
        except NotAuthenticated:
            if authorization is None or not await self.catch_up():
                raise
        return self.admit(context, name, request, authorization)

    async def catch_up(self) -> bool:
        """Return when everything that is durable of the organisations is known here; false: it always is.

        Raises:
            NotReady: it cannot be told.
        """
        return self.elsewhere is not None and await self.elsewhere.catch_up()

    async def let_through(self, principal: Principal, name: str) -> None:
        """Let in what another group let in, which may know more of the caller than this one does so far.

        Raises:
            PermissionRefused: the credential does not carry the scope.
            NotAuthenticated: it is not good.
            NotReady: whether it is cannot be told.
        """
        assert self.group is not None
        principal.require(self._scopes[name])
        if not self._is_good(principal) and not (await self.catch_up() and self._is_good(principal)):
            raise NotAuthenticated(f"{principal.name} is not good here: it was revoked or has expired")
        self.group.require_fresh(principal.tenant)

    def _is_good(self, principal: Principal) -> bool:
        assert self._authenticator is not None
        assert self.group is not None
        return self._authenticator.still_good(principal, self.group.now_us())

    def still_good(self, call: Call) -> bool:
        """Say whether the credential of a call that lasts is still good."""
        return self._is_good(call.principal)

    def require_fresh(self, call: Call) -> None:
        """Refuse to go on with a call that lasts when what is known of its caller is too old.

        Raises:
            NotReady: it is.
        """
        assert self.group is not None
        self.group.require_fresh(call.principal.tenant)

    def take(self, call: Call) -> None:
        """Count one action of a call that does many.

        Raises:
            NotReady: what is known of the caller is too old.
            TooManyCalls: the credential is used too often.
        """
        self.require_fresh(call)
        self.limiter.take(call.principal.caller)
        self._saw(call.principal)

    def _saw(self, principal: Principal) -> None:
        if principal.worker != NO_ID:
            self.presence.saw(principal.tenant, principal.worker)


def _server_span(tracer: Tracer, name: str, request: str, traceparents: Sequence[str]) -> Span | None:
    method = name.removeprefix("/")
    told = {"rpc.system.name": "grpc", "rpc.method": method, "crowdroute.request": request}
    return tracer.begin("server", method, traceparents, told)


def parse(kind: type[AnyMessage], raw: bytes, largest: int) -> AnyMessage:
    """Read a message.

    Raises:
        MessageTooLarge: it has more bytes than the call allows.
        MalformedMessage: the bytes are no message of this kind (a text that is not UTF-8, for example).
    """
    if len(raw) > largest:
        raise MessageTooLarge(f"the message has {len(raw)} bytes; this call takes at most {largest}")
    try:
        return kind.FromString(raw)
    except DecodeError:
        raise MalformedMessage(
            f"the bytes are no {kind.DESCRIPTOR.name}: are client and server of the same release?"
        ) from None


def require_deadline(context: Context, longest: float) -> None:
    """Refuse a call that may be waited for without end, or for more than `longest` seconds.

    Raises:
        DeadlineMissing: it has no deadline, or a distant one.
        DeadlineExceeded: its time is over already.
    """
    left = _time_left(context)
    if left is None:
        raise DeadlineMissing(
            f"the call has no deadline: set one of at most {longest:g} seconds",
            {"field": "deadline"},
        )
    if left > longest + DEADLINE_TOLERANCE:
        raise DeadlineMissing(
            f"the deadline is {left:.0f} seconds away: set one of at most {longest:g} seconds",
            {"field": "deadline"},
        )
    if left <= 0:
        raise DeadlineExceeded("the call's time was over when it arrived")


def _time_left(context: Context) -> float | None:
    return cast("float | None", context.time_remaining())  # the stubs leave out that there may be none


def _about(message: Message) -> Message:
    """Give what says which project a call that streams is about: its first message, or the opening in it."""
    for name in ("header", "hello"):
        if name in message.DESCRIPTOR.fields_by_name and message.HasField(name):
            opening: Message = getattr(message, name)
            return opening
    return message


def checked_key(key: str) -> str:
    """Give an idempotency key back if it may be one.

    Raises:
        InvalidCommand: it is too long.
    """
    if len(key) > LONGEST_KEY:
        raise InvalidCommand(
            f"the idempotency key has {len(key)} characters; at most {LONGEST_KEY}",
            {"field": "idempotency_key"},
        )
    return key


async def refuse(
    context: Context,
    error: BaseException,
    name: str,
    request: str,
    call: Call | None = None,
    metadata: Sequence[tuple[str, str]] = (),
) -> None:
    """End a call with an error's status, and more metadata; it does not return."""
    if not isinstance(error, RouterError):
        _log.error("call failed", call=name, request=request, **who(call), exc_info=error)
        error = RouterError(f"the call failed by a defect of the engine; its log tells more under {request}")
        error.code = "INTERNAL"
        code = grpc.StatusCode.INTERNAL
    else:
        code = status_code(error)
    status = status_message(error, request)
    status.code = code.value[0]
    await context.abort(code, told(error), ((DETAILS_KEY, status.SerializeToString()), *metadata))


def _owner(elsewhere: Elsewhere, shard: int) -> tuple[tuple[str, str], ...]:
    """Give the metadata that names who serves a shard; none when clients are not to be told."""
    owner = elsewhere.owner(shard)
    return ((OWNER, owner),) if owner else ()


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
            async for message in method(call, parse(kind, raw, self._largest)):
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
        longest = BATCH_DEADLINE if name in BATCH_CALLS else LONGEST_DEADLINE

        async def handle(raw: bytes, context: Context) -> bytes:
            began = perf_counter()
            request, authorization = gate.request_id(context)
            gate.trace(full, request, context)
            call, code = None, CANCELLED
            owner: tuple[tuple[str, str], ...] = ()
            try:
                require_deadline(context, longest)
                call = await gate.let_in(context, full, request, authorization)
                message = parse(kind, raw, largest)
                elsewhere = gate.elsewhere
                shard = None if elsewhere is None or here else elsewhere.away(call, message)
                if elsewhere is None or shard is None:
                    answer = (await self._carry_out(name, call, message)).SerializeToString()
                else:
                    owner = _owner(elsewhere, shard)
                    answer = await elsewhere.forward(call, shard, full, raw)
                    context.set_trailing_metadata(owner)
                code = OK
                return answer
            except Exception as error:
                code = code_of(error)
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
                    await context.send_initial_metadata(_owner(elsewhere, shard))
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


def snake_case(name: str) -> str:
    """Give the method's name for a call's name."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
