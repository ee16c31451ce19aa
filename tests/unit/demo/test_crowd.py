"""The simulated crowd is as accurate as it says."""

from __future__ import annotations

import random

import pytest

from crowdroute.router.demo.crowd import CARELESS, CROWD, SENIORS, SimulatedWorker, simulated_crowd

DRAWS = 20_000


def test_a_seed_gives_one_crowd_and_another_another() -> None:
    assert simulated_crowd(1) == simulated_crowd(1)
    assert simulated_crowd(1) != simulated_crowd(2)


def test_the_crowd_has_careless_workers_and_tested_seniors() -> None:
    crowd = simulated_crowd(3)
    people = [worker for worker in crowd if not worker.senior]
    assert len({worker.name for worker in crowd}) == len(crowd) == CROWD + SENIORS
    assert len(people) == CROWD
    assert sum(worker.accuracy <= 0.5 for worker in people) == CARELESS
    assert all(worker.accuracy > 0.95 for worker in crowd if worker.senior)


@pytest.mark.parametrize("accuracy", [0.25, 0.7, 0.97])
def test_a_worker_is_right_as_often_as_their_accuracy_says_and_else_chooses_evenly(accuracy: float) -> None:
    worker, draw = SimulatedWorker("ann", accuracy), random.Random(5)
    given = [worker.answer(4, 10, draw) for _ in range(DRAWS)]
    assert given.count(4) / DRAWS == pytest.approx(accuracy, abs=0.02)
    for other in set(range(10)) - {4}:
        assert given.count(other) / DRAWS == pytest.approx((1 - accuracy) / 9, abs=0.01)
