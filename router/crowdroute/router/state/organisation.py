"""What an organisation's events are folded into: rows by id, and the indexes that find them otherwise.

Rows never change in place; a change is another row under the same id. Only the fold calls the methods that
write. Indexes and deadlines follow from the rows and are not saved.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Mapping
from typing import dataclass_transform

import msgspec

from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import ID_BYTES, NO_ID, Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.timers import Deadlines


@dataclass_transform(frozen_default=True)
class _Row(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Common settings: immutable, saved as an array, and nothing for the cyclic collector, which would hold
    the loop while it looks through the rows of a copy that is being read; no row can lead to itself."""


class ProjectRow(_Row):
    """A registered project and the place of its stream."""

    project: Id
    name: str
    shard: int
    lane: int


class AwaitedRow(_Row):
    """A project whose stream is placed in another shard and may not have begun there."""

    project: Id
    name: str
    shard: int
    lane: int
    rules: ProjectRules
    principal: str
    """Text id of the token that asked for it."""
    key: str
    """Idempotency key of that request; empty for none."""
    digest: bytes
    """Hash of that request."""


class VendorRow(_Row):
    """A supplier of workers."""

    vendor: Id
    name: str


class PoolRow(_Row):
    """A group of workers, of one vendor or (NO_ID) of the tenant itself."""

    pool: Id
    vendor: Id
    name: str


class WorkerRow(_Row):
    """What is known of a worker."""

    facts: WorkerFacts
    external: Id
    """Keyed digest of the external id; NO_ID when there is none or it was severed."""
    rank: WorkerStatus = WorkerStatus.NEW
    """The status without the pause, which is what the end of a pause gives back; never PAUSED."""
    until_us: int = 0
    """The moment a pause ends by itself, in microseconds; 0: it does not."""
    erased: bool = False
    """The person was erased: no link to them is left, and the worker never changes again."""


class TokenFacts(_Row):
    """A credential as the shells need it to check one; the secret itself is nowhere."""

    token: Id
    secret: bytes
    """SHA-256 of the secret."""
    name: str
    scopes: tuple[str, ...]
    expires_us: int
    """The moment it ends, in microseconds; 0: it does not."""
    vendor: Id
    pool: Id
    worker: Id
    parent: Id
    """The service token that minted this session; NO_ID for a service token."""


class TokenRow(_Row):
    """A credential and whether it was taken back."""

    facts: TokenFacts
    revoked: bool = False


class BalanceRow(_Row):
    """What a project owes a worker in total, in one currency."""

    project: Id
    worker: Id
    version: int
    micros: int
    currency: str


class OrganisationState:
    """One tenant's persons, workers, suppliers, credentials, projects and balances."""

    def __init__(self) -> None:
        """Begin with nothing; `tenant` stays empty until the organisation is created."""
        self.tenant = ""
        self.projects: dict[Id, ProjectRow] = {}
        self.awaited: dict[Id, AwaitedRow] = {}
        """Projects that another shard is asked to begin; their names are taken."""
        self.vendors: dict[Id, VendorRow] = {}
        self.pools: dict[Id, PoolRow] = {}
        self.workers: dict[Id, WorkerRow] = {}
        self.tokens: dict[Id, TokenRow] = {}
        self.balances: dict[Id, dict[tuple[Id, str], BalanceRow]] = {}
        """By worker, then by project and currency; the inner mappings never change in place either."""
        self.balance_count = 0
        """How many balances there are."""
        self.erased: set[Id] = set()
        """Persons who were erased; their ids are never used again."""
        self.project_names: dict[str, Id] = {}
        self.vendor_names: dict[str, Id] = {}
        self.pool_names: dict[str, Id] = {}
        self.externals: dict[Id, Id] = {}
        self.persons: dict[Id, tuple[Id, ...]] = {}
        """The workers of each person, ascending."""
        self.worker_order: list[Id] = []
        # `Deadlines` names its rows by integers, so an id stands there as the number it spells. It looks at a
        # table and not at this object: a state that leads to itself stays until the cyclic collector looks.
        self.pauses = Deadlines(_pause_ends(self.workers))
        self.sessions = Deadlines(_session_ends(self.tokens))

    # Writing, for the fold alone.

    def put_project(self, row: ProjectRow) -> None:
        """Add a project."""
        self.projects[row.project] = row
        self.project_names[row.name] = row.project

    def put_vendor(self, row: VendorRow) -> None:
        """Add a vendor."""
        self.vendors[row.vendor] = row
        self.vendor_names[row.name] = row.vendor

    def put_pool(self, row: PoolRow) -> None:
        """Add a pool."""
        self.pools[row.pool] = row
        self.pool_names[row.name] = row.pool

    def put_worker(self, row: WorkerRow) -> None:
        """Add a worker, or put this row in the place of the one before."""
        worker, person = row.facts.worker, row.facts.person
        old = self.workers.get(worker)
        if old is None:
            insort(self.worker_order, worker)
        else:
            self.externals.pop(old.external, None)
            if old.facts.person != person:
                self._leave_person(old.facts.person, worker)
        self.workers[worker] = row
        if row.external != NO_ID:
            self.externals[row.external] = worker
        if person != NO_ID:
            known = self.persons.get(person, ())
            if worker not in known:
                self.persons[person] = tuple(sorted((*known, worker)))
        if row.until_us:
            self.pauses.arm(_number(worker), row.until_us)

    def put_token(self, row: TokenRow) -> None:
        """Add a credential, or put this row in the place of the one before."""
        self.tokens[row.facts.token] = row
        if row.facts.parent != NO_ID and row.facts.expires_us:
            self.sessions.arm(_number(row.facts.token), row.facts.expires_us)

    def drop_sessions(self, ended_by_us: int) -> None:
        """Forget every session that ended at that moment or before."""
        while (number := self.sessions.pop_due(ended_by_us)) is not None:
            del self.tokens[_identity(number)]

    def put_balance(self, row: BalanceRow) -> None:
        """Note a balance in the place of the one before."""
        known, key = self.balances.get(row.worker, {}), (row.project, row.currency)
        self.balance_count += key not in known
        self.balances[row.worker] = {**known, key: row}

    # Reading.

    def find_project(self, name: str) -> ProjectRow | None:
        """Give the project of that name, or None."""
        project = self.project_names.get(name)
        return None if project is None else self.projects[project]

    def list_projects(self) -> list[ProjectRow]:
        """Give all projects in the order of their names."""
        return [self.projects[self.project_names[name]] for name in sorted(self.project_names)]

    def list_vendors(self) -> list[VendorRow]:
        """Give all vendors in the order of their names."""
        return [self.vendors[self.vendor_names[name]] for name in sorted(self.vendor_names)]

    def list_pools(self) -> list[PoolRow]:
        """Give all pools in the order of their names."""
        return [self.pools[self.pool_names[name]] for name in sorted(self.pool_names)]

    def find_worker(self, external: Id) -> WorkerRow | None:
        """Give the worker with that digest of an external id, or None."""
        worker = self.externals.get(external)
        return None if worker is None else self.workers[worker]

    def list_workers(
        self, after: Id = NO_ID, limit: int = 100, vendor: Id = NO_ID, pool: Id = NO_ID
    ) -> list[WorkerRow]:
        """Give up to `limit` workers whose ids come after `after`, in the order of ids.

        A vendor or pool that is not NO_ID leaves only its workers. An erased worker is listed like any other.
        """
        found: list[WorkerRow] = []
        for position in range(bisect_right(self.worker_order, after), len(self.worker_order)):
            if len(found) == limit:
                break
            row = self.workers[self.worker_order[position]]
            if vendor in (NO_ID, row.facts.vendor) and pool in (NO_ID, row.facts.pool):
                found.append(row)
        return found

    def find_token(self, token: Id, now_us: int) -> TokenFacts | None:
        """Give a credential that is good at this moment, or None whatever the reason.

        A session is good only while its parent is, and while its worker's person is not erased.
        """
        row = self.tokens.get(token)
        if row is None or not _is_good(row, now_us):
            return None
        parent = row.facts.parent
        if parent != NO_ID:
            minted_by = self.tokens.get(parent)
            if minted_by is None or not _is_good(minted_by, now_us):
                return None
        worker = row.facts.worker
        return None if worker != NO_ID and self.workers[worker].erased else row.facts

    def list_tokens(self) -> list[TokenRow]:
        """Give all service tokens in the order of ids, revoked and expired ones too."""
        return [row for _, row in sorted(self.tokens.items()) if row.facts.parent == NO_ID]

    def list_sessions(self, parent: Id) -> list[TokenRow]:
        """Give the sessions that a service token minted, as far as remembered, in the order of ids."""
        return [row for _, row in sorted(self.tokens.items()) if row.facts.parent == parent != NO_ID]

    def list_balances(self, worker: Id) -> list[BalanceRow]:
        """Give what each project owes a worker, in the order of projects and currencies."""
        return [row for _, row in sorted(self.balances.get(worker, {}).items())]

    def ended_pause(self, now_us: int) -> WorkerRow | None:
        """Give a worker whose pause is over, the earliest first, or None."""
        number = self.pauses.pop_due(now_us)
        return None if number is None else self.workers[_identity(number)]

    # Indexes.

    def _leave_person(self, person: Id, worker: Id) -> None:
        left = tuple(other for other in self.persons.pop(person, ()) if other != worker)
        if left:
            self.persons[person] = left


def _pause_ends(workers: Mapping[Id, WorkerRow]) -> Callable[[int], int]:
    return lambda number: workers[_identity(number)].until_us or -1


def _session_ends(tokens: Mapping[Id, TokenRow]) -> Callable[[int], int]:
    def end(number: int) -> int:
        row = tokens.get(_identity(number))
        return -1 if row is None else row.facts.expires_us

    return end


def _is_good(row: TokenRow, now_us: int) -> bool:
    return not row.revoked and (row.facts.expires_us == 0 or now_us < row.facts.expires_us)


def _number(identity: Id) -> int:
    return int.from_bytes(identity, "big")


def _identity(number: int) -> Id:
    return number.to_bytes(ID_BYTES, "big")
