"""Deadlines come up in order, once, and only while they hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crowdroute.router.timers import Deadlines


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 100)), max_size=60), st.integers(0, 100))
def test_exactly_the_rows_whose_newest_deadline_has_come_are_given_out(
    armed: list[tuple[int, int]], now_us: int
) -> None:
    current: dict[int, int] = {}
    deadlines = Deadlines(lambda row: current.get(row, -1))
    for row, at_us in armed:
        current[row] = at_us
        deadlines.arm(row, at_us)
    expected = {row for row, at_us in current.items() if at_us <= now_us}
    due = []
    while (row := deadlines.pop_due(now_us)) is not None:
        due.append(row)
        current[row] = -1
    assert sorted(due) == sorted(expected)
    assert deadlines.earliest() == min((at for at in current.values() if at >= 0), default=None)
