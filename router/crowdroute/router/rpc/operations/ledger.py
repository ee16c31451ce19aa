"""What is owed: totals per worker, and the entries behind them."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from crowdroute.api.v1 import ledger_pb2 as wire
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.ids import NO_ID, Id, Kind
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.convert.ids import optional_id_of
from crowdroute.router.rpc.convert.ledger import balance_message, entry_message
from crowdroute.router.rpc.operations.entries import Spot, read_entries
from crowdroute.router.rpc.operations.office import Office
from crowdroute.router.rpc.pages import page_of
from crowdroute.router.rpc.reach import Reach
from crowdroute.router.rpc.upserts import find_reachable
from crowdroute.router.state.organisation import BalanceRow, OrganisationState
from crowdroute.router.state.project import Project


class BalancePlace(NamedTuple):
    """Where a page of balances ended."""

    worker: Id
    project: Id
    currency: str


class Ledger(Office):
    """The calls that concern money."""

    async def list_balances(self, call: Call, message: wire.ListBalancesRequest) -> wire.ListBalancesResponse:
        """Give a page of what is owed, in the order of workers.

        The totals of one project are its own and fresh; over all projects they are those that the
        organisation was told, up to a minute ago.
        """
        organisation, reach = self.reachable(call)
        page = page_of(message, tuple[Id, Id, str])
        worker = optional_id_of(Kind.WORKER, message.worker_id, "worker_id")
        if worker != NO_ID:
            find_reachable(organisation, reach, worker)
        if message.project_id:
            state = self.reachable_place(call, message.project_id)[0].state
            rows = _of_project(state, worker, page.after, page.rows + 1, organisation, reach)
        else:
            rows = balances_after(organisation, reach, worker, page.after, page.rows + 1)
        more = len(rows) > page.rows
        rows = rows[: page.rows]
        response = wire.ListBalancesResponse(
            balances=[balance_message(row) for row in rows],
            next_page_token=page.token(place_of(rows[-1])) if more else "",
        )
        await self.observe()
        return response

    async def list_entries(self, call: Call, message: wire.ListEntriesRequest) -> wire.ListEntriesResponse:
        """Give a page of a project's ledger, in the order in which its entries were posted.

        They are read from the log itself. A page may hold fewer than were asked for, or none, although more
        follow: reading stops after a while.
        """
        place = self.place(call, message.project_id)
        page = page_of(message, tuple[int, int, int])
        worker = optional_id_of(Kind.WORKER, message.worker_id, "worker_id")
        if worker != NO_ID:
            find_reachable(self.tenant(call), Reach(NO_ID, NO_ID), worker)
        await self.observe()
        begin = Spot(0, 0, 0) if page.after is None else Spot(*page.after)
        if min(begin) < 0 or begin.batch > place.engine.log.head()[0]:
            raise InvalidCommand("the page token does not belong to this list", {"field": "page_token"})
        found, end = await read_entries(place.engine, place.stream, worker, begin, page.rows)
        return wire.ListEntriesResponse(
            entries=[entry_message(place.state.project, at_us, event) for at_us, event in found],
            next_page_token=page.token(end) if end is not None else "",
        )


def balances_after(
    organisation: OrganisationState, reach: Reach, worker: Id, after: BalancePlace | None, wanted: int
) -> list[BalanceRow]:
    """Give the balances that follow a place, in the order of workers, projects and currencies.

    Args:
        organisation: which was told them.
        reach: whose workers are looked at.
        worker: only this one's; NO_ID: everybody's.
        after: where the page before ended.
        wanted: most rows.
    """
    place = BalancePlace(NO_ID, NO_ID, "") if after is None else BalancePlace(*after)
    order = organisation.worker_order if worker == NO_ID else [worker]
    rows: list[BalanceRow] = []
    for number in range(bisect_left(order, place.worker), len(order)):
        if not reach.covers(organisation.workers[order[number]].facts):
            continue
        rows += [row for row in organisation.list_balances(order[number]) if place_of(row) > place]
        if len(rows) >= wanted:
            break
    return rows[:wanted]


def place_of(row: BalanceRow) -> BalancePlace:
    """Give a balance's place in the list."""
    return BalancePlace(row.worker, row.project, row.currency)


def _of_project(
    state: Project,
    worker: Id,
    after: BalancePlace | None,
    wanted: int,
    organisation: OrganisationState,
    reach: Reach,
) -> list[BalanceRow]:
    """Give the balances of one project that follow a place."""
    place = BalancePlace(NO_ID, NO_ID, "") if after is None else BalancePlace(*after)
    workers = state.workers
    if worker == NO_ID:
        owed = sorted((workers.id_of(row), row) for row in range(workers.count) if workers.entries[row])
    else:
        row = workers.find(worker)
        owed = [(worker, row)] if row >= 0 and workers.entries[row] else []
    rows = [
        BalanceRow(
            project=state.project,
            worker=identity,
            version=workers.entries[row],
            micros=workers.earned_micros[row],
            currency=state.rules.prices.currency,
        )
        for identity, row in owed
        if identity > place.worker and (reach.whole or reach.covers(organisation.workers[identity].facts))
    ]
    return rows[:wanted]
