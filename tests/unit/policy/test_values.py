"""Value tables hold the information of a worker's next answer, and follow what is learnt of the worker."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.policy.world import World, rules

from crowdroute.aggregation.information import information_table
from crowdroute.router.policy import valuing
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.policy.grid import BINS, CELLS, FIRST_CELL, FRESH, LOW, SETTLING, WIDTH, Grid
from crowdroute.router.policy.values import UNKNOWN_WORKER, Values


def values_of(world: World) -> Values:
    return Values(world.state, Grid(world.state.models.fields), EligibleSignatures(world.state))


def centres(grid: Grid, group: int) -> list[float]:
    _, bins, low, width = grid.groups[group, [FIRST_CELL, BINS, LOW, WIDTH]].tolist()
    return [1 / (1 + np.exp(-(low + (step + 0.5) * width))) for step in range(int(bins))]


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_a_cell_is_worth_the_mutual_information_at_its_centre(n_classes: int) -> None:
    world = World(rules((n_classes,)))
    worker, others = world.worker(), [world.worker() for _ in range(2)]
    for number in range(30):
        task = world.task()
        for other in others:
            world.label(other, task, number % n_classes)
        world.label(worker, task, number * number % n_classes)
    values = values_of(world)
    table = values.plan(worker).table_of[0]
    assert table != UNKNOWN_WORKER
    model = world.state.models.fields[0]
    matrix = world.state.models.matrices_of(worker)[0]
    shares = model.confusion[matrix] / model.row_sums[matrix][:, np.newaxis]
    grid = Grid([model])
    for label in range(n_classes):
        posteriors = []
        for confidence in centres(grid, label):
            posterior = np.full(n_classes, (1 - confidence) / (n_classes - 1))
            posterior[label] = confidence
            posteriors.append(posterior)
        first = int(grid.groups[label, FIRST_CELL])
        expected = information_table(shares, np.array(posteriors))
        np.testing.assert_allclose(values.values[table, first : first + len(expected)], expected, atol=1e-6)
    fresh = information_table(shares, (model.class_counts / model.class_counts.sum())[np.newaxis])
    assert values.values[table, FRESH] == pytest.approx(fresh[0], abs=1e-6)
    assert values.values[table, SETTLING] == 0.0


def test_one_coin_is_the_information_of_a_symmetric_matrix() -> None:
    for n_classes, right, confidence in ((2, 0.8, 0.6), (5, 0.7, 0.9), (10, 0.3, 0.4), (3, 1.0, 0.5)):
        matrix = np.full((n_classes, n_classes), (1 - right) / (n_classes - 1))
        np.fill_diagonal(matrix, right)
        posterior = np.full((1, n_classes), (1 - confidence) / (n_classes - 1))
        posterior[0, 0] = confidence
        expected = information_table(matrix, posterior)[0]
        assert valuing.one_coin_information(confidence, right, n_classes) == pytest.approx(
            expected, abs=1e-12
        )
    assert valuing.one_coin_information(1.0, 1.0, 1) == 0.0


def test_with_many_labels_the_worker_counts_as_one_coin() -> None:
    world = World(rules((6,)))
    worker = world.worker()
    values = values_of(world)
    world.task()
    assert values.plan(worker).table_of.tolist() == [UNKNOWN_WORKER]
    model = world.state.models.fields[0]
    right = model.prior.accuracy_for(6)
    expected = [
        valuing.one_coin_information(confidence, right, 6) for confidence in centres(Grid([model]), 0)
    ]
    np.testing.assert_allclose(values.values[UNKNOWN_WORKER, : len(expected)], expected, atol=1e-6)


def test_cells_are_ranked_from_the_most_telling_down() -> None:
    world = World(rules((3,)))
    worker = world.worker()
    values = values_of(world)
    world.task()
    values.plan(worker)
    order = values.order[UNKNOWN_WORKER]
    assert sorted(order.tolist()) == list(range(CELLS))
    ranked = values.values[UNKNOWN_WORKER][order]
    assert (np.diff(ranked) <= 0).all()
    assert order[0] == FRESH


def test_a_worker_gets_their_own_table_with_their_first_answer() -> None:
    world = World()
    worker = world.worker()
    values = values_of(world)
    task = world.task(capability="read")
    world.task(capability="write")
    assert values.plan(worker).table_of.tolist() == [UNKNOWN_WORKER, UNKNOWN_WORKER]
    world.label(worker, task, 1)
    read, write = values.plan(worker).table_of.tolist()
    assert read != UNKNOWN_WORKER
    assert write == UNKNOWN_WORKER


def test_a_table_is_computed_anew_when_its_matrix_has_moved_by_a_quarter() -> None:
    world = World()
    worker = world.worker()
    values = values_of(world)
    world.label(worker, world.task(), 1)
    table = int(values.plan(worker).table_of[0])
    model = world.state.models.fields[0]
    matrix = world.state.models.matrices_of(worker)[0]
    model.versions[matrix] = 1_000
    values.plan(worker)
    before = values.values[table].copy()
    model.confusion[matrix, 0, 0] += 50
    model.row_sums[matrix, 0] += 50
    model.versions[matrix] = 1_250
    values.plan(worker)
    np.testing.assert_array_equal(values.values[table], before)
    model.versions[matrix] = 1_251
    values.plan(worker)
    assert (values.values[table] != before).any()


def test_the_prior_s_table_follows_the_prior() -> None:
    world = World()
    worker = world.worker()
    values = values_of(world)
    world.task()
    values.plan(worker)
    before = values.values[UNKNOWN_WORKER].copy()
    model = world.state.models.fields[0]
    model.prior_counts = np.array([[9.0, 1.0], [1.0, 9.0]])
    values.plan(worker)
    assert values.values[UNKNOWN_WORKER, FRESH] > before[FRESH]
