"""Half-wins kept in the rows of both items."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crowdroute.aggregation.half_wins import HalfWins

ITEMS = 8

steps = st.lists(
    st.tuples(st.permutations(range(ITEMS)).map(lambda items: tuple(items[:2])), st.integers(0, 2)),
    max_size=60,
)


@settings(max_examples=50)
@given(steps, st.data())
def test_rows_hold_what_a_table_of_all_pairs_holds(
    given_steps: list[tuple[tuple[int, int], int]], data: st.DataObject
) -> None:
    kept, table, met = HalfWins(), np.zeros((ITEMS, ITEMS)), np.zeros((ITEMS, ITEMS), dtype=bool)
    kept.make_room(ITEMS)
    for (one, other), halves in given_steps:
        if met[one, other] and data.draw(st.booleans()):
            kept.drop(one, other)
            table[one, other] = table[other, one] = 0.0
            met[one, other] = met[other, one] = False
            continue
        kept.add(one, other, halves, 2 - halves)
        table[one, other] += halves
        table[other, one] += 2 - halves
        met[one, other] = met[other, one] = True
    kept.fade(0.5)
    for item in range(ITEMS):
        others, won, lost = kept.of(item)
        assert sorted(others.tolist()) == np.flatnonzero(met[item]).tolist()
        np.testing.assert_array_equal(won, table[item, others] / 2)
        np.testing.assert_array_equal(lost, table[others, item] / 2)
        for other in others.tolist():
            assert kept.between(item, other) == (table[item, other] / 2, table[other, item] / 2)


def test_more_is_never_taken_back_than_was_given() -> None:
    kept = HalfWins()
    kept.make_room(2)
    kept.add(0, 1, 0.3, 0.0)
    kept.add(0, 1, -0.3000000001, 0.0)
    assert kept.between(0, 1) == (0.0, 0.0)
