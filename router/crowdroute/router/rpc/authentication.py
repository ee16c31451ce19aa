"""Who calls: bearer tokens `crd_<32 hex digits of the token id>_<43 characters of the secret>`.

The log has SHA-256 of the 32 secret bytes; a slow hash would add nothing to 256 random bits. The tenant
follows from the token alone, and a worker's identity from the session that the token is. Whatever is wrong
with a credential, the answer is the same, so that nothing can be learned by trying.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, Protocol

from crowdroute.router.errors import PermissionRefused
from crowdroute.router.machine.organisation.machine import OrganisationMachine
from crowdroute.router.model.ids import NO_ID, Id, Kind, to_text
from crowdroute.router.rpc.scopes import Scope
from crowdroute.router.rpc.status import NotAuthenticated
from crowdroute.router.state.organisation import OrganisationState, TokenFacts

SECRET_BYTES = 32
MOST_REMEMBERED = 100_000
"""Headers remembered; forgetting them all costs one hash each."""

_BEARER = re.compile(r"[Bb]earer crd_([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


class Organisations(Protocol):
    """The organisations whose tokens are looked at: those of a group."""

    def organisations(self) -> Iterable[tuple[str, OrganisationMachine]]:
        """Yield tenant and machine of every organisation that is known."""

    def organisation(self, tenant: str) -> OrganisationState:
        """Give a tenant's organisation."""

    def require_fresh(self, tenant: str) -> None:
        """Refuse to go by what is known of an organisation when that is too old."""


class Principal(NamedTuple):
    """A credential that is good, and how far it reaches."""

    tenant: str
    token: Id
    name: str
    """Text id of the token, as entries of the log name their cause."""
    scopes: frozenset[str]
    worker: Id
    vendor: Id
    pool: Id
    parent: Id
    expires_us: int

    @property
    def caller(self) -> Id:
        """Who is counted: the worker over all sessions, or the token that is no worker's."""
        return self.token if self.worker == NO_ID else self.worker

    def require(self, scope: Scope) -> None:
        """Refuse what the credential does not carry.

        Raises:
            PermissionRefused: it lacks the scope.
        """
        if scope.value not in self.scopes:
            raise PermissionRefused(
                f"this needs the scope {scope.value!r}, which {self.name} does not carry:"
                " use a token that does",
                {"scope": scope.value},
            )


class Secret(NamedTuple):
    """A fresh secret: what the caller is told once, and what the log keeps."""

    bearer: str
    digest: bytes


def new_secret(token: Id, secret: bytes = b"") -> Secret:
    """Make the secret of a token.

    Args:
        token: id of the token.
        secret: 32 random bytes; empty: fresh ones.
    """
    secret = secret or secrets.token_bytes(SECRET_BYTES)
    text = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    return Secret(f"crd_{token.hex()}_{text}", sha256(secret).digest())


class Authenticator:
    """Finds the principal behind a call's `authorization` header.

    A header that was verified once is remembered, so that the calls of a session cost a look-up and not a
    hash; whether its token is still good is asked anew each time.
    """

    def __init__(self, organisations: Organisations) -> None:
        self._organisations = organisations
        self._verified: dict[str, tuple[OrganisationMachine, TokenFacts, Principal]] = {}

    def authenticate(self, header: str | None, now_us: int) -> Principal:
        """Give the principal that a header proves.

        Args:
            header: value of `authorization`, None when the call has none.
            now_us: logged time.

        Raises:
            NotAuthenticated: there is none, or it is malformed, unknown, expired or revoked.
        """
        if header is None:
            raise NotAuthenticated("no credential: send `authorization: Bearer <token>`")
        verified = self._verified.get(header)
        if verified is None:
            verified = self._verify(header, now_us)
            if len(self._verified) >= MOST_REMEMBERED:
                self._verified.clear()
            self._verified[header] = verified
        organisation, facts, principal = verified
        if organisation.state.find_token(facts.token, now_us) is not facts:
            # Ended, or a copy of the organisation began anew.
            del self._verified[header]
            self._verify(header, now_us)
        self._organisations.require_fresh(principal.tenant)
        return principal

    def still_good(self, principal: Principal, now_us: int) -> bool:
        """Say whether a principal's credential is good at this moment (for calls that last)."""
        for tenant, organisation in self._organisations.organisations():
            if tenant == principal.tenant:
                return organisation.state.find_token(principal.token, now_us) is not None
        return False

    def _verify(self, header: str, now_us: int) -> tuple[OrganisationMachine, TokenFacts, Principal]:
        match = _BEARER.fullmatch(header)
        if match is None:
            raise _not_good()
        token = bytes.fromhex(match[1])
        digest = sha256(base64.urlsafe_b64decode(match[2] + "=")).digest()
        for tenant, organisation in self._organisations.organisations():
            facts = organisation.state.find_token(token, now_us)
            if facts is not None and hmac.compare_digest(digest, facts.secret):
                return organisation, facts, _principal(tenant, facts)
        raise _not_good()


def _principal(tenant: str, facts: TokenFacts) -> Principal:
    return Principal(
        tenant=tenant,
        token=facts.token,
        name=to_text(Kind.TOKEN, facts.token),
        scopes=frozenset(facts.scopes),
        worker=facts.worker,
        vendor=facts.vendor,
        pool=facts.pool,
        parent=facts.parent,
        expires_us=facts.expires_us,
    )


def require_worker(principal: Principal) -> Id:
    """Give the worker whose session a credential is.

    Raises:
        PermissionRefused: it is no worker's session.
    """
    if principal.worker == NO_ID:
        raise PermissionRefused(
            f"{principal.name} is no worker's session: have your back end call CreateWorkerSession and use"
            " the token that it gets",
            {"scope": Scope.ANNOTATE.value},
        )
    return principal.worker


def _not_good() -> NotAuthenticated:
    return NotAuthenticated(
        "the token is not good: it is malformed, unknown, expired or revoked; get a new one"
    )
