"""Packed pieces of an organisation: each is read by itself, and together they are what a snapshot holds."""

from __future__ import annotations

import pytest
from tests.support.wire import make_rules
from tests.unit.machine.organisation.driver import (
    PROJECT,
    WORKER,
    Organisation,
    a_session,
    a_token,
    begun,
)

from crowdroute.router.commands.organisation import AwaitProject, NoteBalance, UpsertWorker
from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.machine.organisation import OrganisationMachine, saving
from crowdroute.router.machine.organisation.pieces import PackedRows, ReadInPieces, pack_in_pieces
from crowdroute.router.model.ids import NO_ID
from crowdroute.router.state import organisation_rows
from crowdroute.router.state.organisation_rows import HeldRows

SIZES = [0, 1, 14, 15, 16, 17, 40]
"""Of a table, on both sides of where MessagePack writes arrays otherwise."""


@pytest.fixture
def full() -> Organisation:
    organisation = begun()
    organisation.send(a_token())
    organisation.send(a_session())
    organisation.send(NoteBalance(PROJECT, WORKER, 1, 5, "USD"))
    organisation.send(AwaitProject(b"N" * 16, "next", 1, make_rules()))
    return organisation


def packed(organisation: Organisation) -> list[PackedRows]:
    return list(pack_in_pieces(HeldRows(organisation.state)))


def digest_of(pieces: list[PackedRows]) -> str:
    machine, reading = OrganisationMachine(), ReadInPieces()
    for piece in pieces:
        reading.take(piece)
    machine.state = reading.state
    return machine.digest()


@pytest.mark.parametrize("rows", [1, 3, 1000])
@pytest.mark.parametrize("workers", SIZES)
def test_pieces_are_read_by_themselves_and_are_a_snapshot_together(
    full: Organisation, workers: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organisation_rows, "PIECE_ROWS", rows)
    for number in range(1, workers + 1):
        full.send(UpsertWorker(number.to_bytes(16, "big")[::-1], NO_ID, NO_ID))
    pieces = packed(full)
    assert digest_of(pieces) == full.machine.digest()
    together = OrganisationMachine()
    together.unpack({saving.SECTION: b"".join(piece.body for piece in pieces)})
    assert together.digest() == full.machine.digest()


def test_more_rows_than_a_short_array_has_are_read() -> None:
    organisation = Organisation()
    organisation.machine.state.tenant = "acme"
    erased = {number.to_bytes(16, "big") for number in range(1, (1 << 16) + 2)}
    organisation.machine.state.erased.update(erased)
    pieces = packed(organisation)
    assert digest_of(pieces) == organisation.machine.digest()
    together = saving.unpack({saving.SECTION: b"".join(piece.body for piece in pieces)})
    assert together.erased == erased


def test_every_table_is_told(full: Organisation) -> None:
    assert [piece.table for piece in packed(full)] == list(saving.TABLES)


@pytest.mark.parametrize(
    "damaged",
    [
        PackedRows("tenant", 1, 3, b"\x92\x01\x99\xa4acme"),
        PackedRows("workers", 1, 0, b"\xc1"),
        PackedRows("workers", 2, 0, b""),
        PackedRows("erased", 0, 0, b"\x00"),
        PackedRows("elsewhere", 0, 0, b""),
    ],
)
def test_a_piece_that_cannot_be_read_is_refused(damaged: PackedRows) -> None:
    with pytest.raises(SnapshotUnusable):
        ReadInPieces().take(damaged)
