"""What compiled code makes of addresses is what was handed over, and nothing else is handed over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from crowdroute.router.policy.held import KINDS, hold, opened


def arrays() -> list[np.ndarray]:
    """Give one array of each kind, all of different lengths."""
    return [
        np.zeros((number + 3, columns) if columns > 1 or name == "listed" else number + 3, dtype)
        for number, (name, dtype, columns) in enumerate(KINDS)
    ]


@njit
def _marked(held: Any) -> Any:
    made = opened(held)
    made[0][1].state = 3
    made[1][2].worker = 4
    made[2][0].live = 5
    made[3][1, 0] = 6
    made[4][1].cell = 7
    made[5][2].turn = 8
    made[6][1, 1] = 9
    made[7][2] = 10
    made[8][3] = 11
    made[9][1, 2] = 12
    made[10][4] = 13
    made[11][2, 1] = 14
    made[12][5] = 15
    made[13][1].next = 16
    made[14][2, 0] = 17
    made[15][6] = 18
    return (
        len(made[0]), len(made[1]), len(made[2]), len(made[3]), len(made[4]), len(made[5]), len(made[6]),
        len(made[7]), len(made[8]), len(made[9]), len(made[10]), len(made[11]), len(made[12]), len(made[13]),
        len(made[14]), len(made[15]),
    )  # fmt: skip


def test_compiled_code_reads_and_writes_each_array_in_its_place() -> None:
    own = arrays()
    assert list(_marked(hold(tuple(own)))) == [len(array) for array in own]
    tasks, assignments, workers, listed, cards, crowd, crowd_ends, occupied = own[:8]
    under_way, pool_table, pool, set_table, sets, upper, upper_ends, counters = own[8:]
    assert (tasks["state"][1], assignments["worker"][2], workers["live"][0], listed[1, 0]) == (3, 4, 5, 6)
    assert (cards["cell"][1], crowd["turn"][2], crowd_ends[1, 1], occupied[2]) == (7, 8, 9, 10)
    assert (under_way[3], pool_table[1, 2], pool[4], set_table[2, 1], sets[5]) == (11, 12, 13, 14, 15)
    assert (upper["next"][1], upper_ends[2, 0], counters[6]) == (16, 17, 18)


@pytest.mark.parametrize("place", range(len(KINDS)), ids=[name for name, _, _ in KINDS])
def test_an_array_of_another_type_is_not_handed_over(place: int) -> None:
    own = arrays()
    own[place] = np.zeros(own[place].shape, np.float32)
    with pytest.raises(TypeError, match=KINDS[place][0]):
        hold(tuple(own))


def test_an_array_of_another_width_or_with_gaps_is_not_handed_over() -> None:
    own = arrays()
    own[9] = np.zeros((4, 2), np.int32)
    with pytest.raises(TypeError, match="pool_table"):
        hold(tuple(own))
    own = arrays()
    own[10] = np.zeros(8, np.int32)[::2]
    with pytest.raises(TypeError, match="pool"):
        hold(tuple(own))
