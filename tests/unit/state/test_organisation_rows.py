"""Rows are held as they are at one moment, whatever is put in their place before they are read."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from tests.support.wire import make_rules

from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.state import organisation_rows
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
from crowdroute.router.state.organisation_rows import HeldRows, Piece, put_rows

PROJECT, PERSON = b"P" * 16, b"h" * 16


def identity(number: int) -> bytes:
    return number.to_bytes(16, "big")


def worker(number: int, version: int = 1) -> WorkerRow:
    return WorkerRow(WorkerFacts(identity(number), PERSON, version), NO_ID)


def token(number: int, *, revoked: bool = False) -> TokenRow:
    facts = TokenFacts(identity(number), b"s" * 32, "a token", ("work",), 0, NO_ID, NO_ID, NO_ID, NO_ID)
    return TokenRow(facts, revoked)


def awaited(number: int) -> AwaitedRow:
    return AwaitedRow(identity(number), f"awaited {number}", 1, 0, make_rules(), "", "", b"")


def fill(state: OrganisationState, first: int, last: int, version: int) -> None:
    """Put rows of every table, of so many numbers."""
    for number in range(first, last):
        state.put_project(ProjectRow(identity(number), f"project {number} {version}", version, 0))
        state.put_vendor(VendorRow(identity(number), f"vendor {number} {version}"))
        state.put_pool(PoolRow(identity(number), NO_ID, f"pool {number} {version}"))
        state.put_worker(worker(number, version))
        state.put_token(token(number, revoked=version > 1))
        state.put_balance(BalanceRow(PROJECT, identity(number), version, 1, "USD"))
        state.put_balance(BalanceRow(PROJECT, identity(number), version, 1, f"{version}"))
        state.erased.add(identity(1000 * version + number))
        state.awaited[identity(number)] = awaited(number)


@pytest.fixture
def state() -> OrganisationState:
    state = OrganisationState()
    state.tenant = "acme"
    fill(state, 1, 6, version=1)
    return state


def read(pieces: list[Piece]) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = defaultdict(list)
    for piece in pieces:
        rows[piece.table] += piece.rows
    return rows


def test_what_is_put_after_rows_were_held_is_not_in_any_piece(state: OrganisationState) -> None:
    expected = read(list(HeldRows(state).pieces()))
    pieces = HeldRows(state).pieces()
    first = next(pieces)
    state.tenant = "another"
    fill(state, 3, 9, version=2)
    state.awaited.clear()
    state.tokens.clear()
    assert read([first, *pieces]) == expected


def test_pieces_have_so_many_rows_and_say_how_many_there_are(
    state: OrganisationState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation_rows, "PIECE_ROWS", 2)
    monkeypatch.setattr(organisation_rows, "LARGE_PIECE_ROWS", 1)
    pieces = list(HeldRows(state).pieces())
    sizes = {
        table: [len(piece.rows) for piece in pieces if piece.table == table]
        for table in ("tenant", "workers", "balances", "awaited")
    }
    assert sizes == {
        "tenant": [1],
        "workers": [2, 2, 1],
        "balances": [2, 2, 2, 2, 2],
        "awaited": [1, 1, 1, 1, 1],
    }
    assert all(piece.total == sum(sizes[piece.table]) for piece in pieces if piece.table in sizes)


def test_a_table_without_rows_has_one_piece() -> None:
    pieces = list(HeldRows(OrganisationState()).pieces())
    assert all(piece.first for piece in pieces)
    assert [piece.table for piece in pieces if piece.rows] == ["tenant"]


def test_workers_come_in_the_order_of_their_ids_whatever_order_they_were_made_known_in() -> None:
    state = OrganisationState()
    for number in (5, 2, 9, 1):
        state.put_worker(worker(number))
    rows = read(list(HeldRows(state).pieces()))["workers"]
    assert [row.facts.worker for row in rows] == [identity(number) for number in (1, 2, 5, 9)]


def test_rows_that_are_put_into_another_state_are_found_there(state: OrganisationState) -> None:
    other = OrganisationState()
    for piece in HeldRows(state).pieces():
        put_rows(other, piece.table, piece.rows)
    assert read(list(HeldRows(other).pieces())) == read(list(HeldRows(state).pieces()))
    assert other.worker_order == state.worker_order
    assert other.balance_count == state.balance_count == 10
    assert other.find_project("project 3 1") == state.find_project("project 3 1")
