"""What must hold of the organisation's rows after every event."""

from __future__ import annotations

from crowdroute.router.errors import InvariantBroken
from crowdroute.router.machine.organisation.saving import SECTION, pack, unpack
from crowdroute.router.machine.organisation.standing import standing_of
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.state.organisation import OrganisationState, TokenRow, WorkerRow
from crowdroute.workers.errors import TransitionRefused

_INDEXES = (
    "project_names",
    "vendor_names",
    "pool_names",
    "externals",
    "persons",
    "worker_order",
)


def check(state: OrganisationState) -> None:
    """Verify every invariant.

    Raises:
        InvariantBroken: with the first thing that does not hold.
    """
    if not state.tenant and (state.projects or state.vendors or state.pools or state.workers or state.tokens):
        raise InvariantBroken("there are rows before the organisation was created")
    _check_indexes(state)
    for project, awaited in state.awaited.items():
        _require(project not in state.projects, "project", project, "is both awaited and registered")
        _require(awaited.name not in state.project_names, "awaited project", project, "has another's name")
    for pool in state.pools.values():
        _require(pool.vendor in (NO_ID, *state.vendors), "pool", pool.pool, "is of an unknown vendor")
    for worker, row in state.workers.items():
        _check_worker(state, worker, row)
    for token, issued in state.tokens.items():
        _check_token(state, token, issued)
    if state.balance_count != sum(map(len, state.balances.values())):
        raise InvariantBroken("the count of balances does not agree with the rows")
    for worker in state.balances:
        _require(worker in state.workers, "balance of", worker, "is of an unknown worker")
        for balance in state.list_balances(worker):
            _require(balance.project in state.projects, "balance of", worker, "is by an unknown project")


def _check_indexes(state: OrganisationState) -> None:
    """Compare the indexes kept event by event with those that the rows alone give."""
    rebuilt = unpack({SECTION: pack(state)})
    for name in _INDEXES:
        if getattr(state, name) != getattr(rebuilt, name):
            raise InvariantBroken(f"the index {name} does not agree with the rows")
    if state.pauses.earliest() != rebuilt.pauses.earliest():
        raise InvariantBroken("the next end of a pause does not agree with the rows")
    if state.sessions.earliest() != rebuilt.sessions.earliest():
        raise InvariantBroken("the next end of a session does not agree with the rows")
    if not (
        len(state.projects) == len(state.project_names)
        and len(state.vendors) == len(state.vendor_names)
        and len(state.pools) == len(state.pool_names)
    ):
        raise InvariantBroken("two projects, vendors or pools have one name")
    if not state.erased.isdisjoint(state.persons):
        raise InvariantBroken("a person is both erased and known")


def _check_worker(state: OrganisationState, worker: Id, row: WorkerRow) -> None:
    facts = row.facts
    _require(facts.worker == worker, "worker", worker, "stands under another id")
    _require(facts.version >= 1, "worker", worker, "has no version")
    _require(facts.vendor in (NO_ID, *state.vendors), "worker", worker, "is of an unknown vendor")
    if facts.pool != NO_ID:
        pool = state.pools.get(facts.pool)
        _require(
            pool is not None and pool.vendor == facts.vendor,
            "worker",
            worker,
            "is in a pool of another vendor",
        )
    if row.erased:
        _require(facts.person == NO_ID, "erased worker", worker, "leads to a person")
        _require(row.external == NO_ID, "erased worker", worker, "has an external id")
        _require(row.until_us == 0, "erased worker", worker, "waits for the end of a pause")
    else:
        _require(facts.person != NO_ID, "worker", worker, "is nobody's working identity")
        _require(
            row.external == NO_ID or state.externals.get(row.external) == worker,
            "worker",
            worker,
            "shares an external id",
        )
    _require(facts.status in (row.rank, WorkerStatus.PAUSED), "worker", worker, "has two statuses")
    try:
        standing_of(row)
    except TransitionRefused as error:
        raise InvariantBroken(f"worker {worker.hex()}: {error.message}") from error


def _check_token(state: OrganisationState, token: Id, row: TokenRow) -> None:
    facts = row.facts
    _require(facts.token == token, "token", token, "stands under another id")
    _require(bool(facts.scopes), "token", token, "grants nothing")
    _require(facts.worker in (NO_ID, *state.workers), "token", token, "is of an unknown worker")
    if facts.parent == NO_ID:
        return
    parent = state.tokens.get(facts.parent)
    if parent is None or parent.facts.parent != NO_ID:
        raise InvariantBroken(f"token {token.hex()} was not minted by a service token")
    until = parent.facts.expires_us
    _require(until == 0 or 0 < facts.expires_us <= until, "token", token, "outlives its parent")
    _require(
        parent.facts.vendor in (NO_ID, facts.vendor), "token", token, "reaches beyond its parent's vendor"
    )
    _require(parent.facts.pool in (NO_ID, facts.pool), "token", token, "reaches beyond its parent's pool")


def _require(holds: bool, what: str, identity: Id, but: str) -> None:
    if not holds:
        raise InvariantBroken(f"{what} {identity.hex()} {but}")
