"""Rows stay what they were while their table grows, is saved and restored."""

from __future__ import annotations

import pytest

from crowdroute.router.errors import SnapshotUnusable
from crowdroute.router.state.matrix import Matrix
from crowdroute.router.state.table import FIRST_CAPACITY, Float32, Int8, Int64, Table


class Pairs(Table):
    """Two columns of different widths, and a real one."""

    large: Int64
    small: Int8
    real: Float32


def filled(count: int) -> Pairs:
    """Give a table with so many rows."""
    table = Pairs()
    for number in range(count):
        row = table.add()
        table.large[row], table.small[row], table.real[row] = number << 40, number % 100, number / 4
    return table


@pytest.mark.parametrize("count", [0, 1, FIRST_CAPACITY, FIRST_CAPACITY + 1, 5 * FIRST_CAPACITY])
def test_rows_are_kept_by_growth_and_by_saving(count: int) -> None:
    table = filled(count)
    restored = Pairs()
    restored.unpack(table.pack())
    for one in (table, restored):
        assert one.count == count
        assert one.large.tolist()[:count] == [number << 40 for number in range(count)]
        assert one.small.tolist()[:count] == [number % 100 for number in range(count)]
        assert one.real.tolist()[:count] == [number / 4 for number in range(count)]
    assert restored.pack() == table.pack()


def test_a_new_row_is_empty_even_where_a_restored_table_has_room() -> None:
    restored = Pairs()
    restored.unpack(filled(3).pack())
    row = restored.add()
    assert (row, restored.large[row], restored.small[row], restored.real[row]) == (3, 0, 0, 0.0)


def test_room_is_made_at_once_for_as_many_rows_as_are_asked_for() -> None:
    table = Pairs()
    table.reserve(10_000)
    assert len(table.rows) >= 10_000
    assert table.count == 0


@pytest.mark.parametrize("cut", [1, 7])
def test_bytes_that_are_no_whole_rows_are_refused(cut: int) -> None:
    with pytest.raises(SnapshotUnusable, match="Pairs"):
        Pairs().unpack(filled(3).pack()[:-cut])


@pytest.mark.parametrize(("rows", "width"), [(0, 0), (0, 3), (1, 1), (300, 2)])
def test_a_matrix_is_saved_and_restored_whatever_its_shape(rows: int, width: int) -> None:
    matrix = Matrix("i2", -1)
    matrix.reserve(max(rows, 1), width)
    for row in range(rows):
        for column in range(width):
            matrix.cells[row, column] = row + column
    restored = Matrix("i2", -1)
    restored.unpack(matrix.pack(rows), rows)
    assert restored.pack(rows) == matrix.pack(rows)
    assert restored.width == width
    restored.reserve(rows + 1, width + 1)
    assert restored.cells[rows, width] == -1


def test_a_matrix_refuses_bytes_of_another_number_of_rows() -> None:
    matrix = Matrix("f8", 0.0, width=2)
    with pytest.raises(SnapshotUnusable, match="3 rows"):
        Matrix("f8", 0.0).unpack(matrix.pack(4), 3)
