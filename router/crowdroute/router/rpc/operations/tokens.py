"""Credentials: service tokens, and the short sessions of workers."""

from __future__ import annotations

from crowdroute.api.v1 import tokens_pb2 as wire
from crowdroute.router.commands.organisation import IssueToken, RevokeToken
from crowdroute.router.commands.replies import Created
from crowdroute.router.errors import InvalidCommand, PermissionRefused, Refusal
from crowdroute.router.model.ids import NO_ID, Id, Kind
from crowdroute.router.rpc.actions import expect
from crowdroute.router.rpc.authentication import Principal, new_secret
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.convert.ids import id_of, optional_id_of
from crowdroute.router.rpc.convert.times import length_of, moment_of, timestamp
from crowdroute.router.rpc.convert.tokens import token_message
from crowdroute.router.rpc.operations.office import organisation_of
from crowdroute.router.rpc.operations.workers import Workers
from crowdroute.router.rpc.pages import page_of
from crowdroute.router.rpc.scopes import SESSION_SCOPES, Scope
from crowdroute.router.rpc.upserts import find_reachable, read_upsert

SESSION_US = 3_600_000_000
"""An hour: a front-end that lives longer asks its back end for another session."""

LONGEST_SESSION_US = 24 * SESSION_US

SESSION_NAME = "worker session"

VENDOR_NEEDS = (Scope.PROJECTS_READ, Scope.WORKERS_READ, Scope.WORKERS_WRITE, Scope.LEDGER_READ)
"""What `vendor` lets its bearer do for one vendor; whoever issues it must be able to do that for all."""

WITHIN_BOUNDS = frozenset(
    {
        Scope.VENDOR,
        Scope.SESSIONS_CREATE,
        Scope.WORKERS_READ,
        Scope.WORKERS_WRITE,
        Scope.LEDGER_READ,
    }
)
"""Scopes that mean something to a token that is bound to a vendor or pool; every call that they open looks at
the bound, and all other calls refuse such a token."""


class Tokens(Workers):
    """The calls that concern credentials."""

    async def issue_token(self, call: Call, message: wire.IssueTokenRequest) -> wire.IssueTokenResponse:
        """Create a service token that may do no more than the caller."""
        organisation = self.tenant(call)
        vendor = optional_id_of(Kind.VENDOR, message.vendor_id, "vendor_id")
        pool = optional_id_of(Kind.POOL, message.pool_id, "pool_id")
        scopes = tuple(message.scopes)
        _require_scopes(call.principal, scopes, bound=vendor != NO_ID or pool != NO_ID)
        expires_us = moment_of(message.expires_at, "expires_at") if message.HasField("expires_at") else 0
        if call.principal.expires_us and not 0 < expires_us <= call.principal.expires_us:
            raise InvalidCommand(
                "the token would outlive the one that issues it: let it end no later",
                {"field": "expires_at"},
            )
        token = self._group.new_id()
        secret = new_secret(token)
        command = IssueToken(token, secret.digest, message.name, scopes, expires_us, vendor, pool)
        await self.act(call, organisation_of(call), command, message)
        return wire.IssueTokenResponse(token=token_message(organisation.tokens[token]), bearer=secret.bearer)

    async def list_tokens(self, call: Call, message: wire.ListTokensRequest) -> wire.ListTokensResponse:
        """Give a page of service tokens, in the order of their ids."""
        organisation = self.tenant(call)
        page = page_of(message, Id)
        rows = [row for row in organisation.list_tokens() if row.facts.token > (page.after or NO_ID)]
        some = rows[: page.rows]
        response = wire.ListTokensResponse(
            tokens=[token_message(row) for row in some],
            next_page_token=page.token(some[-1].facts.token) if len(rows) > len(some) else "",
        )
        await self.observe()
        return response

    async def revoke_token(self, call: Call, message: wire.RevokeTokenRequest) -> wire.RevokeTokenResponse:
        """End a token and the sessions it minted."""
        self.tenant(call)
        token = id_of(Kind.TOKEN, message.token_id, "token_id")
        await self.act(call, organisation_of(call), RevokeToken(token, message.reason), message)
        return wire.RevokeTokenResponse()

    async def create_worker_session(
        self, call: Call, message: wire.CreateWorkerSessionRequest
    ) -> wire.CreateWorkerSessionResponse:
        """Mint a session for one worker's front-end; it ends no later than the token that mints it.

        The worker, when they are made known first, and the session are decided in one step.
        """
        lifetime_us = SESSION_US
        if message.HasField("lifetime"):
            lifetime_us = length_of(message.lifetime, "lifetime", LONGEST_SESSION_US)
        if not lifetime_us:
            raise InvalidCommand(
                "a session of no length: leave lifetime out for one hour", {"field": "lifetime"}
            )
        try:
            worker = self._session_worker(call, message)
            token = self._group.new_id()
            secret = new_secret(token)
            expires_us = self._group.now_us() + lifetime_us
            if call.principal.expires_us:
                expires_us = min(expires_us, call.principal.expires_us)
            command = IssueToken(
                token,
                secret.digest,
                SESSION_NAME,
                SESSION_SCOPES,
                expires_us,
                worker=worker,
                parent=call.principal.token,
            )
            self.decide(call, organisation_of(call), command)
        except Refusal:
            await self.observe()
            raise
        session = wire.CreateWorkerSessionResponse(
            worker_id=f"{Kind.WORKER.value}_{worker.hex()}",
            bearer=secret.bearer,
            expires_at=timestamp(expires_us),
        )
        await self.observe()
        return session

    def _session_worker(self, call: Call, message: wire.CreateWorkerSessionRequest) -> Id:
        organisation, reach = self.reachable(call)
        match message.WhichOneof("worker"):
            case "worker_id":
                worker = id_of(Kind.WORKER, message.worker_id, "worker_id")
                return find_reachable(organisation, reach, worker).facts.worker
            case "external_id":
                return self.worker_named(call, organisation, reach, message.external_id).facts.worker
            case "upsert":
                call.principal.require(Scope.WORKERS_WRITE)
                upsert = read_upsert(
                    self.home(call), call.principal.tenant, organisation, reach, message.upsert
                )
                reply = self.decide(call, organisation_of(call), upsert.command, upsert.contents)
                return expect(Created, reply).id
        raise InvalidCommand("give worker_id, external_id or upsert", {"field": "worker"})


def _require_scopes(principal: Principal, scopes: tuple[str, ...], bound: bool) -> None:
    """Refuse scopes that the caller cannot give, or that such a token could not use.

    Raises:
        InvalidCommand: one is unknown, or does not go with the token's bound.
        PermissionRefused: the caller does not carry it.
    """
    where = {"field": "scopes"}
    for text in scopes:
        try:
            scope = Scope(text)
        except ValueError:
            known = ", ".join(scope for scope in Scope if scope != Scope.ANNOTATE)
            raise InvalidCommand(f"there is no scope {text[:64]!r}; the scopes are: {known}", where) from None
        if scope is Scope.ANNOTATE:
            raise InvalidCommand("only a worker's session may annotate: use CreateWorkerSession", where)
        if bound and scope not in WITHIN_BOUNDS:
            allowed = ", ".join(sorted(WITHIN_BOUNDS))
            raise InvalidCommand(
                f"{text!r} concerns the whole organisation, and the token is bound to a vendor or pool;"
                f" such a token may carry: {allowed}",
                where,
            )
        if scope is Scope.VENDOR and not bound:
            raise InvalidCommand("a token with the scope 'vendor' must name its vendor or pool", where)
        for needed in VENDOR_NEEDS if scope is Scope.VENDOR else (scope,):
            if needed not in principal.scopes:
                raise PermissionRefused(
                    f"{principal.name} does not carry {needed.value!r}, so it cannot give {text!r} away:"
                    " use a token that carries it",
                    {"scope": needed.value},
                )
