"""From ids to rows, whatever the ids look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.model.ids import NO_ID, halves
from crowdroute.router.state.id_index import FIRST_SLOTS, IdIndex
from crowdroute.router.state.tables import Items, Tasks


def columns(ids: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Give the two columns that a table keeps ids in."""
    pairs = [halves(identity) for identity in ids]
    return tuple(np.array([pair[half] for pair in pairs], np.int64) for half in (0, 1))


@given(st.lists(st.integers(1, 40).map(lambda number: bytes(15) + bytes([number])), unique=True))
def test_ids_that_crowd_into_neighbouring_slots_are_told_apart(ids: list[bytes]) -> None:
    index = IdIndex()
    high, low = columns(ids)
    index.extend(high, low, len(ids))
    assert [index.find(identity, high, low) for identity in ids] == list(range(len(ids)))
    assert index.find(bytes(15) + b"\xff", high, low) == -1


def test_ids_whose_hashes_are_equal_are_told_apart() -> None:
    ids = [number.to_bytes(8, "big") + b"the same" for number in range(300)]
    index = IdIndex()
    high, low = columns(ids)
    index.extend(high, low, len(ids))
    assert [index.find(identity, high, low) for identity in ids] == list(range(len(ids)))


def test_the_index_grows_before_it_is_full_and_a_rebuilt_one_finds_the_same() -> None:
    ids = [np.random.default_rng(number).bytes(16) for number in range(2 * FIRST_SLOTS)]
    high, low = columns(ids)
    index, rebuilt = IdIndex(), IdIndex()
    for count in range(1, len(ids) + 1, 7):
        index.extend(high, low, count)
        assert index.find(ids[count - 1], high, low) == count - 1
    rebuilt.rebuild(high, low, len(ids))
    assert [rebuilt.find(identity, high, low) for identity in ids] == list(range(len(ids)))


@pytest.mark.parametrize("unknown", [NO_ID, b"", b"short", bytes(17), b"x" * 16])
def test_what_is_no_id_or_nobodys_has_no_row(unknown: bytes) -> None:
    tasks = Tasks()
    tasks.add_id(b"a" * 16)
    assert tasks.find(unknown) == -1


def test_items_without_an_external_id_are_not_found_by_none() -> None:
    items = Items()
    items.add_id(b"a" * 16)
    row = items.add_id(b"b" * 16)
    items.set_external(row, b"e" * 16)
    restored = Items()
    restored.unpack(items.pack())
    for table in (items, restored):
        assert (table.find_external(b"e" * 16), table.find_external(NO_ID)) == (row, -1)
