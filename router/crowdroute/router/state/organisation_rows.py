"""An organisation's rows piece by piece: held as they are at one moment, and put into another state.

Rows never change in place, so to hold them all is to copy the references to them, in one step that is short
beside packing them. The organisation goes on meanwhile; what is put in the place of a row later is not in the
pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

from crowdroute.router.state.organisation import OrganisationState

PIECE_ROWS = 1_000
"""Most rows of a piece: some milliseconds of packing or reading, after which others have their turn."""

LARGE_PIECE_ROWS = 20
"""The same of projects that are awaited, each of which holds its rules."""


class Piece(NamedTuple):
    """Some rows of one table."""

    table: str
    total: int
    """How many rows all pieces of the table have."""
    first: bool
    """Whether it is the first of its table; each table has one, be it without rows."""
    rows: list[Any]


class HeldRows:
    """All rows of an organisation as they are now, to be read once, in pieces."""

    def __init__(self, state: OrganisationState) -> None:
        """Hold a state's rows."""
        workers = state.workers.copy()
        of_workers = list(state.balances.values())
        self._tables: tuple[tuple[str, int, Iterable[Any]], ...] = (
            ("tenant", 1, [state.tenant]),
            ("projects", len(state.projects), list(state.projects.values())),
            ("vendors", len(state.vendors), list(state.vendors.values())),
            ("pools", len(state.pools), list(state.pools.values())),
            # In order, because that is cheap to put; taken out, so that memory is given back bit by bit.
            ("workers", len(workers), map(workers.pop, state.worker_order.copy())),
            ("tokens", len(state.tokens), list(state.tokens.values())),
            (
                "balances",
                state.balance_count,
                chain.from_iterable(held.values() for held in of_workers),
            ),
            ("erased", len(state.erased), list(state.erased)),
            ("awaited", len(state.awaited), list(state.awaited.values())),
        )

    def pieces(self) -> Iterator[Piece]:
        """Yield the rows, table by table in the order in which they may be put."""
        for table, total, rows in self._tables:
            most = LARGE_PIECE_ROWS if table == "awaited" else PIECE_ROWS
            left = iter(rows)
            some = list(islice(left, most))
            yield Piece(table, total, True, some)
            while some := list(islice(left, most)):
                yield Piece(table, total, False, some)


def put_rows(state: OrganisationState, table: str, rows: Iterable[Any]) -> None:
    """Put rows of one table into a state."""
    match table:
        case "tenant":
            (state.tenant,) = rows
        case "erased":
            state.erased.update(rows)
        case "awaited":
            state.awaited.update((row.project, row) for row in rows)
        case _:
            put = {
                "projects": state.put_project,
                "vendors": state.put_vendor,
                "pools": state.put_pool,
                "workers": state.put_worker,
                "tokens": state.put_token,
                "balances": state.put_balance,
            }[table]
            for row in rows:
                put(row)  # type: ignore[operator]
