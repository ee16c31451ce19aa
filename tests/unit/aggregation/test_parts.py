import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.aggregation.errors import InvalidParameterError
from crowdroute.aggregation.parts import parts_of, side_by_side


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=30), count=st.integers(1, 40))
def test_every_task_is_in_one_part_and_no_part_is_empty(sizes: list[int], count: int) -> None:
    parts = parts_of(np.concatenate([[0], np.cumsum(sizes)]), count)
    assert [task for part in parts for task in range(part.first, part.end)] == list(range(len(sizes)))
    assert all(part.first < part.end for part in parts)
    assert len(parts) <= count


def test_parts_have_about_as_many_annotations() -> None:
    parts = parts_of(np.arange(0, 5_001, 5), 4)
    assert [part.end - part.first for part in parts] == [250, 250, 250, 250]


def test_threads_work_at_the_same_time_and_results_keep_their_order() -> None:
    both = threading.Barrier(2, timeout=30)

    def work(part: int) -> int:
        both.wait()
        return -part

    with side_by_side(2) as on_every:
        assert on_every(work, range(4)) == [0, -1, -2, -3]
    with side_by_side(1) as on_every:
        assert on_every(abs, [-2, -1]) == [2, 1]


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="threads is 0"), side_by_side(0):
        pass
