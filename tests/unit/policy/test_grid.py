"""Posterior cells: how many there are, for which fields, and what they say."""

from __future__ import annotations

import numpy as np
import pytest

from crowdroute.aggregation.online import OnlineDawidSkene
from crowdroute.router.policy.grid import BINS, FIRST_CELL, LOW, REGULAR, WIDTH, Grid, logit


def grid_of(*labels: int) -> Grid:
    return Grid([OnlineDawidSkene(count) for count in labels])


@pytest.mark.parametrize(
    "labels", [(1,), (2,), (3,), (4,), (5,), (2, 4), (4, 4), (4, 4, 4), (30, 2), (2,) * 20]
)
def test_groups_share_the_cells_without_overlap(labels: tuple[int, ...]) -> None:
    groups = grid_of(*labels).groups
    ends = groups[:, FIRST_CELL] + groups[:, BINS]
    assert groups[0, FIRST_CELL] == 0
    assert ends[-1] <= REGULAR
    assert ends[:-1].tolist() == groups[1:, FIRST_CELL].tolist()
    assert (groups[:, BINS] >= 1).all()


@pytest.mark.parametrize(
    ("labels", "groups", "apart"),
    [((4,), 4, [True]), ((5,), 1, [False]), ((2, 4), 6, [True, True]), ((9, 3), 4, [False, True])],
)
def test_few_labels_are_told_apart_and_many_are_not(
    labels: tuple[int, ...], groups: int, apart: list[bool]
) -> None:
    grid = grid_of(*labels)
    assert len(grid.groups) == groups
    assert grid.by_class == apart


def test_with_more_fields_than_groups_the_last_ones_share_a_group() -> None:
    grid = grid_of(*(2 for _ in range(10)))
    assert grid.group_of == [0, 1, 2, 3, 4, 5, 6, 7, 7, 7]
    assert not any(grid.by_class)


def test_bins_reach_from_an_even_posterior_to_near_certainty() -> None:
    grid = grid_of(3)
    _, bins, low, width, *_ = grid.groups[0].tolist()
    assert low == pytest.approx(logit(1 / 3))
    assert low + bins * width == pytest.approx(logit(0.995))
    assert np.ptp(grid.groups[:, [LOW, WIDTH]], axis=0).tolist() == [0.0, 0.0]
