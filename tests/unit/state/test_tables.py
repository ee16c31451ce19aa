"""Tables keep what is put in, whatever they grow to, and ids lead to their rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.events.project import LeaseGranted
from crowdroute.router.model.states import Stage
from crowdroute.router.state.interned import Interned
from crowdroute.router.state.matrix import Matrix
from crowdroute.router.state.tables import Assignments, Items, Tasks

IDS = st.lists(st.binary(min_size=16, max_size=16).filter(any), unique=True, max_size=600)


@given(IDS)
def test_every_id_leads_to_its_row_also_after_growth_and_restore(ids: list[bytes]) -> None:
    table = Tasks()
    for identity in ids:
        table.add_id(identity)
    restored = Tasks()
    restored.unpack(table.pack())
    for row, identity in enumerate(ids):
        assert table.find(identity) == row == restored.find(identity)
        assert restored.id_of(row) == identity
    assert table.find(b"\xff" * 15 + b"\xfe") in (-1, *range(len(ids)))


def test_a_lease_is_written_in_one_go_with_everything_where_it_belongs() -> None:
    event = LeaseGranted(
        assignment=b"a" * 16,
        task=b"t" * 16,
        worker=b"w" * 16,
        stage=Stage.SENIOR,
        fence=1,
        deadline_us=2,
        price_micros=3,
        rules_version=4,
        policy="fifo",
        value=0.5,
        propensity=0.25,
    )
    table = Assignments()
    table.add_id(b"before".ljust(16))
    row = table.grant(event.assignment, 5, 6, 7, 8, 9, 10, event)
    table.add_id(b"behind".ljust(16))

    written = {
        "granted_us": 9,
        "deadline_us": 2,
        "fence": 1,
        "price_micros": 3,
        "task": 5,
        "worker": 6,
        "next_of_task": 7,
        "next_of_worker": 8,
        "rules_version": 4,
        "policy": 10,
        "value": 0.5,
        "propensity": 0.25,
        "stage": Stage.SENIOR,
    }
    for name in table.dtype.names or ():
        if name not in ("id_high", "id_low"):
            assert table.rows[name].tolist()[:3] == [0, written.get(name, 0), 0], name
    assert table.find(event.assignment) == row == table.look_up(event.assignment)
    assert table.id_of(row) == event.assignment


def test_external_ids_are_found_apart_from_ids() -> None:
    items = Items()
    row = items.add_id(b"a" * 16)
    items.set_external(row, b"b" * 16)
    items.add_id(b"c" * 16)
    assert items.find_external(b"b" * 16) == 0
    assert items.find_external(b"a" * 16) == -1


def test_a_table_refuses_bytes_that_are_no_rows() -> None:
    with pytest.raises(SnapshotUnusable):
        Tasks().unpack(b"123")


def test_a_matrix_keeps_its_cells_when_it_grows_both_ways() -> None:
    matrix = Matrix("i2", -1)
    matrix.reserve(3, 2)
    matrix.cells[2, 1] = 7
    matrix.reserve(5000, 4)
    assert matrix.cells[2, 1] == 7
    assert matrix.cells[4999, 3] == -1


def test_interned_values_keep_their_codes() -> None:
    names = Interned(["a"])
    assert [names.code("b"), names.code("a"), names.code("b")] == [1, 0, 1]
    assert names.find("z") is None
    assert len(names) == 2
