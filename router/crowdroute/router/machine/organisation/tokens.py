"""Decisions on credentials: service tokens, and the sessions that they mint."""

from __future__ import annotations

from crowdroute.router.commands.organisation import IssueToken, RevokeToken
from crowdroute.router.commands.replies import Created, Done
from crowdroute.router.errors import AlreadyExists, InvalidCommand, NotFound, WrongState
from crowdroute.router.events.organisation import TokenIssued, TokenRevoked
from crowdroute.router.machine.organisation.fields import (
    allow_id,
    require_id,
    require_name,
    require_reason,
    require_scopes,
)
from crowdroute.router.machine.organisation.people import require_worker
from crowdroute.router.machine.organisation.suppliers import require_supplier
from crowdroute.router.machine.stream import Decision
from crowdroute.router.model.ids import NO_ID, Kind, to_text
from crowdroute.router.state.organisation import OrganisationState, TokenFacts

SECRET_BYTES = 32
"""A SHA-256; anything else would be a secret kept in the clear or cut short."""


def issue_token(state: OrganisationState, command: IssueToken, now_us: int) -> Decision:
    """Create a credential; one with a parent is a session and reaches no further than the parent does."""
    require_id("token", command.token)
    allow_id("worker", command.worker)
    allow_id("parent", command.parent)
    require_name("name", command.name)
    require_scopes(command.scopes)
    if len(command.secret) != SECRET_BYTES:
        raise InvalidCommand(f"secret must be a hash of {SECRET_BYTES} bytes", {"field": "secret"})
    if command.expires_us and command.expires_us <= now_us:
        raise InvalidCommand(
            "expires_us lies in the past: give a later moment, or 0 for never", {"field": "expires_us"}
        )
    if command.token in state.tokens:
        raise AlreadyExists(
            f"{to_text(Kind.TOKEN, command.token)} exists already: use a new id", {"field": "token"}
        )
    vendor, pool = command.vendor, command.pool
    if command.parent != NO_ID:
        parent = _require_parent(state, command, now_us)
        vendor = parent.vendor if vendor == NO_ID else vendor
        pool = parent.pool if pool == NO_ID else pool
        if parent.vendor not in (NO_ID, vendor) or parent.pool not in (NO_ID, pool):
            raise NotFound("the parent token does not reach this vendor or pool", {"field": "vendor"})
    require_supplier(state, vendor, pool)
    if command.worker != NO_ID:
        facts = require_worker(state, command.worker).facts
        if vendor not in (NO_ID, facts.vendor) or pool not in (NO_ID, facts.pool):
            # The same words as for a worker who does not exist: a vendor must not learn of another's.
            raise NotFound(
                f"no worker {to_text(Kind.WORKER, command.worker)}: add them first", {"field": "worker"}
            )
    yield TokenIssued(
        command.token,
        command.secret,
        command.name,
        tuple(sorted(command.scopes)),
        command.expires_us,
        vendor,
        pool,
        command.worker,
        command.parent,
    )
    return Created(command.token)


def revoke_token(state: OrganisationState, command: RevokeToken) -> Decision:
    """End a credential and the sessions it minted; a repetition changes nothing."""
    require_id("token", command.token)
    require_reason(command.reason)
    row = state.tokens.get(command.token)
    if row is None:
        raise NotFound(f"no token {to_text(Kind.TOKEN, command.token)}", {"field": "token"})
    if not row.revoked:
        yield TokenRevoked(command.token, command.reason)
    return Done()


def _require_parent(state: OrganisationState, command: IssueToken, now_us: int) -> TokenFacts:
    parent = state.find_token(command.parent, now_us)
    if parent is None:
        raise WrongState(
            "the parent token is unknown, revoked or expired: mint the session with one that is good",
            {"field": "parent", "state": "not good"},
        )
    if parent.parent != NO_ID:
        raise WrongState(
            "the parent token is a session itself, and a session mints none: use the service token",
            {"field": "parent", "state": "session"},
        )
    if parent.expires_us and not 0 < command.expires_us <= parent.expires_us:
        raise InvalidCommand(
            f"the session would outlive its parent: let it end at {parent.expires_us} or before",
            {"field": "expires_us"},
        )
    return parent
