import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.aggregation.parts import parts_of


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=30), threads=st.integers(1, 40))
def test_every_task_is_in_one_part_and_no_part_is_empty(sizes: list[int], threads: int) -> None:
    parts = parts_of(np.concatenate([[0], np.cumsum(sizes)]), threads)
    assert [task for part in parts for task in range(part.first, part.end)] == list(range(len(sizes)))
    assert all(part.first < part.end for part in parts)
    assert len(parts) <= threads


def test_parts_have_about_as_many_annotations() -> None:
    parts = parts_of(np.arange(0, 5_001, 5), 4)
    assert [part.end - part.first for part in parts] == [250, 250, 250, 250]
