"""Facts of the organisation's stream (tags 100 to 199)."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import WorkerStatus


class OrganisationCreated(Fact, tag=100):
    """The tenant's stream begins."""

    tenant: str


class ProjectRegistered(Fact, tag=101):
    """A project exists, and its stream is placed for good."""

    project: Id
    name: str
    """Unique in the tenant."""
    shard: int
    lane: int
    """0 until a project outgrows one shard."""


class VendorAdded(Fact, tag=102):
    """An organisation supplies workers."""

    vendor: Id
    name: str


class PoolAdded(Fact, tag=103):
    """A group of one vendor's workers (or of the tenant's own, without a vendor)."""

    pool: Id
    vendor: Id
    name: str


class WorkerUpserted(Fact, tag=104):
    """A worker is known, or known differently, from this version on."""

    facts: WorkerFacts
    external: Id
    """Keyed digest of the external id, unique in the tenant; the text lies in the content store."""


class WorkerStatusChanged(Fact, tag=105):
    """A worker's standing changed, by whom and why; the facts' version rises with it."""

    worker: Id
    status: WorkerStatus
    version: int
    reason: str
    until_us: int = 0
    """Moment at which a pause ends by itself; 0 for never."""


class PersonErased(Fact, tag=106):
    """A person's names and contacts are deleted and no worker leads to them any more."""

    person: Id
    workers: tuple[Id, ...]
    reason: str


class TokenIssued(Fact, tag=107):
    """A credential exists; the log has its hash only."""

    token: Id
    secret: bytes
    """SHA-256 of the 32 random secret bytes."""
    name: str
    scopes: tuple[str, ...]
    expires_us: int
    """0 for never."""
    vendor: Id = NO_ID
    pool: Id = NO_ID
    worker: Id = NO_ID
    """The worker whose session this is; NO_ID for service tokens."""
    parent: Id = NO_ID
    """The token that minted this session; revoking it revokes the session."""


class TokenRevoked(Fact, tag=108):
    """A credential is no longer good, nor are the sessions it minted."""

    token: Id
    reason: str


class BalanceNoted(Fact, tag=109):
    """A project told how much it owes a worker in total; the highest version counts."""

    project: Id
    worker: Id
    version: int
    micros: int
    currency: str


class ProjectAwaited(Fact, tag=110):
    """A project's name is taken and its stream placed in another shard, which is asked to begin it until it
    has; `ProjectRegistered` follows."""

    project: Id
    name: str
    shard: int
    lane: int
    rules: ProjectRules
    principal: str = ""
    """Text id of the token that asked."""
    key: str = ""
    """Idempotency key of the request, which the project's stream remembers; empty for none."""
    digest: bytes = b""
    """Hash of the request that came under the key."""


OrganisationEvent = (
    OrganisationCreated
    | ProjectRegistered
    | VendorAdded
    | PoolAdded
    | WorkerUpserted
    | WorkerStatusChanged
    | PersonErased
    | TokenIssued
    | TokenRevoked
    | BalanceNoted
    | ProjectAwaited
)

ORGANISATION_EVENTS: tuple[type[Fact], ...] = OrganisationEvent.__args__
