"""Who may call: credential, rate and scope of each call, and the record of how it ends."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from crowdroute.router.adapters.memory_directory import MemoryDirectory
from crowdroute.router.errors import ShuttingDown
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.ports import Directory, Span, Tracer
from crowdroute.router.rpc.authentication import Authenticator, Principal
from crowdroute.router.rpc.call_record import CallRecord
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.deadlines import Context
from crowdroute.router.rpc.elsewhere import Elsewhere
from crowdroute.router.rpc.limits import RateLimiter
from crowdroute.router.rpc.scopes import SCOPES, Scope
from crowdroute.router.rpc.status import NotAuthenticated
from crowdroute.router.runtime.directory.keepers import Keepers
from crowdroute.router.runtime.directory.presence import Presence
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.tracing import TRACEPARENT, current

LONGEST_REQUEST_ID = 64

_instance = secrets.token_hex(4)


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
        self._authenticator = Authenticator(group.where)
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
        self.group.where.require_fresh(principal.tenant)

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
        self.group.where.require_fresh(call.principal.tenant)

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
