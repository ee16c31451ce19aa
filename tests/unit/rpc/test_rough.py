"""Numbers that are told roughly and rarely."""

from __future__ import annotations

import pytest

from crowdroute.router.rpc.rough import KEPT_US, RoughCounts, rough


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (-1, 0),
        (0, 0),
        (1, 10),
        (10, 10),
        (11, 20),
        (20, 20),
        (21, 50),
        (51, 100),
        (101, 200),
        (100_001, 200_000),
    ],
)
def test_a_count_is_told_as_the_next_round_number(count: int, told: int) -> None:
    assert rough(count) == told


def test_a_number_that_was_told_stays_for_ten_minutes() -> None:
    counts = RoughCounts()
    assert counts.of("cats", 5, lambda: 300) == 500
    assert counts.of("cats", 4 + KEPT_US, lambda: 3) == 500
    assert counts.of("dogs", 4 + KEPT_US, lambda: 3) == 10
    assert counts.of("cats", 5 + KEPT_US, lambda: 3) == 10
