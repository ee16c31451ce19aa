"""Requests to the organisation's stream."""

from __future__ import annotations

from crowdroute.router.commands.base import Wish
from crowdroute.router.model.facts import SkillFact
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import Stage, WorkerKind, WorkerStatus


class CreateOrganisation(Wish, tag="CreateOrganisation"):
    """Begin a tenant's stream."""

    tenant: str


class RegisterProject(Wish, tag="RegisterProject"):
    """Reserve a project's name and place its stream."""

    project: Id
    name: str
    shard: int
    lane: int = 0


class AwaitProject(Wish, tag="AwaitProject"):
    """Reserve a project's name and place its stream in another shard; known already, it changes nothing."""

    project: Id
    name: str
    shard: int
    rules: ProjectRules
    key: str = ""
    """Idempotency key of the request to create the project."""
    digest: bytes = b""
    lane: int = 0


class ConfirmProject(Wish, tag="ConfirmProject"):
    """Register a project that was awaited, because its stream has begun; a second time changes nothing."""

    project: Id


class AddVendor(Wish, tag="AddVendor"):
    """Make a supplier of workers known."""

    vendor: Id
    name: str


class AddPool(Wish, tag="AddPool"):
    """Make a group of workers known."""

    pool: Id
    vendor: Id
    name: str


class UpsertWorker(Wish, tag="UpsertWorker"):
    """Make a worker known, or change what is known; found by external id when the worker exists."""

    worker: Id
    person: Id
    external: Id
    kind: WorkerKind = WorkerKind.HUMAN
    vendor: Id = NO_ID
    pool: Id = NO_ID
    stages: tuple[Stage, ...] = (Stage.CROWD,)
    skills: tuple[SkillFact, ...] = ()
    languages: tuple[str, ...] = ()
    capacity: int = 0


class ChangeWorkerStatus(Wish, tag="ChangeWorkerStatus"):
    """Promote, pause, resume or ban a worker, with a reason."""

    worker: Id
    status: WorkerStatus
    reason: str
    until_us: int = 0


class ErasePerson(Wish, tag="ErasePerson"):
    """Delete a person's names and contacts and sever every worker from them."""

    person: Id
    reason: str


class IssueToken(Wish, tag="IssueToken"):
    """Create a credential from the hash of a secret that the caller alone holds."""

    token: Id
    secret: bytes
    name: str
    scopes: tuple[str, ...]
    expires_us: int = 0
    vendor: Id = NO_ID
    pool: Id = NO_ID
    worker: Id = NO_ID
    parent: Id = NO_ID


class RevokeToken(Wish, tag="RevokeToken"):
    """End a credential and the sessions it minted."""

    token: Id
    reason: str


class NoteBalance(Wish, tag="NoteBalance"):
    """Take over a project's running total for a worker; an older version than known changes nothing."""

    project: Id
    worker: Id
    version: int
    micros: int
    currency: str


class NoteBalances(Wish, tag="NoteBalances"):
    """Take over several running totals, each as it would be by itself; those of unknown projects and workers
    are left out, and the reply says which they are."""

    balances: tuple[NoteBalance, ...]


OrganisationCommand = (
    CreateOrganisation
    | RegisterProject
    | AwaitProject
    | ConfirmProject
    | AddVendor
    | AddPool
    | UpsertWorker
    | ChangeWorkerStatus
    | ErasePerson
    | IssueToken
    | RevokeToken
    | NoteBalance
    | NoteBalances
)

ORGANISATION_COMMANDS: tuple[type[Wish], ...] = OrganisationCommand.__args__
