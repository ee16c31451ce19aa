"""Going through a table in blocks finds what going through it at once finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.rpc.operations import scanning
from crowdroute.router.rpc.operations.scanning import scan_all, scan_down, scan_up
from crowdroute.router.state.table import Int32, Table


class Numbers(Table):
    """One number per row."""

    number: Int32


def table(numbers: list[int]) -> Numbers:
    made = Numbers()
    for number in numbers:
        made.number[made.add()] = number
    return made


def odd(rows: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    return rows["number"] % 2 == 1


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "BLOCK", 3)


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(0, 25), st.integers(1, 6))
async def test_blocks_make_no_difference(numbers: list[int], place: int, wanted: int) -> None:
    rows = table(numbers)
    all_odd = [row for row, number in enumerate(numbers) if number % 2]

    assert await scan_up(rows, place, wanted, odd) == [row for row in all_odd if row >= place][:wanted]
    place = min(place, len(numbers))
    below = [row for row in reversed(all_odd) if row < place]
    assert await scan_down(rows, place, wanted, odd) == below[:wanted]
    assert [row async for some in scan_all(rows, odd) for row in some] == all_odd


async def test_rows_that_come_meanwhile_are_found_too() -> None:
    rows = table([1, 1, 1])
    found = []
    async for some in scan_all(rows, odd):
        found += some
        if len(found) == 3:
            rows.number[rows.add()] = 1

    assert found == [0, 1, 2, 3]
