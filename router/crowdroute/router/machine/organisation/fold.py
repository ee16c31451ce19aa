"""The fold of the organisation's stream: what each event does to the rows, and nothing decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from crowdroute.router.errors import InvariantBroken, LogCorrupt
from crowdroute.router.events import Event
from crowdroute.router.events.organisation import (
    BalanceNoted,
    OrganisationCreated,
    PersonErased,
    PoolAdded,
    ProjectAwaited,
    ProjectRegistered,
    TokenIssued,
    TokenRevoked,
    VendorAdded,
    WorkerStatusChanged,
    WorkerUpserted,
)
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.states import WorkerStatus
from crowdroute.router.state.organisation import (
    AwaitedRow,
    BalanceRow,
    OrganisationState,
    PoolRow,
    ProjectRow,
    TokenFacts,
    TokenRow,
    VendorRow,
    WorkerRow,
)

KEEP_ENDED_SESSIONS_US = 86_400 * 1_000_000
"""A day: long enough to see in a list why somebody was shut out, and sessions minted by the hour do not
pile up."""

R = TypeVar("R")


def fold(state: OrganisationState, event: Event, at_us: int) -> None:
    """Change the rows as one event says.

    Raises:
        LogCorrupt: the event belongs to another kind of stream.
        InvariantBroken: the event is about something that the stream never made known.
    """
    match event:
        case OrganisationCreated():
            state.tenant = event.tenant
        case ProjectRegistered():
            state.awaited.pop(event.project, None)
            state.put_project(ProjectRow(event.project, event.name, event.shard, event.lane))
        case ProjectAwaited():
            state.awaited[event.project] = AwaitedRow(
                event.project,
                event.name,
                event.shard,
                event.lane,
                event.rules,
                event.principal,
                event.key,
                event.digest,
            )
        case VendorAdded():
            state.put_vendor(VendorRow(event.vendor, event.name))
        case PoolAdded():
            state.put_pool(PoolRow(event.pool, event.vendor, event.name))
        case WorkerUpserted():
            _upsert_worker(state, event)
        case WorkerStatusChanged():
            _change_status(state, event)
        case PersonErased():
            _erase_person(state, event)
        case TokenIssued():
            _issue_token(state, event, at_us)
        case TokenRevoked():
            state.put_token(replace(_known(state.tokens, event.token, event), revoked=True))
        case BalanceNoted():
            state.put_balance(
                BalanceRow(event.project, event.worker, event.version, event.micros, event.currency)
            )
        case _:
            raise LogCorrupt(
                f"{type(event).__name__} stands in an organisation's stream, where it cannot happen",
                {"event": type(event).__name__},
            )


def _upsert_worker(state: OrganisationState, event: WorkerUpserted) -> None:
    old = state.workers.get(event.facts.worker)
    if old is None:
        state.put_worker(WorkerRow(event.facts, event.external))
    else:
        state.put_worker(replace(old, facts=event.facts, external=event.external))


def _change_status(state: OrganisationState, event: WorkerStatusChanged) -> None:
    row = _known(state.workers, event.worker, event)
    rank = row.rank if event.status is WorkerStatus.PAUSED else event.status
    facts = replace(row.facts, status=event.status, version=event.version)
    state.put_worker(replace(row, facts=facts, rank=rank, until_us=event.until_us))


def _erase_person(state: OrganisationState, event: PersonErased) -> None:
    for worker in event.workers:
        row = _known(state.workers, worker, event)
        facts = replace(row.facts, person=NO_ID, version=row.facts.version + 1)
        # A pause of somebody who will not come back has nothing to wait for.
        state.put_worker(replace(row, facts=facts, external=NO_ID, until_us=0, erased=True))
    state.erased.add(event.person)


def _issue_token(state: OrganisationState, event: TokenIssued, at_us: int) -> None:
    state.drop_sessions(at_us - KEEP_ENDED_SESSIONS_US)
    facts = TokenFacts(
        event.token,
        event.secret,
        event.name,
        event.scopes,
        event.expires_us,
        event.vendor,
        event.pool,
        event.worker,
        event.parent,
    )
    state.put_token(TokenRow(facts))


def _known(rows: Mapping[Id, R], identity: Id, event: Event) -> R:
    row = rows.get(identity)
    if row is None:
        raise InvariantBroken(
            f"{type(event).__name__} is about {identity.hex()}, which the stream never made known"
        )
    return row
