"""Choice by pure chance is uniform, and says what chance each task had."""

from __future__ import annotations

from collections import Counter

from tests.unit.policy.world import World

from crowdroute.router.model.ids import Id, derive
from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Pick
from crowdroute.router.policy.drawing import DRAWS, FEW
from crowdroute.router.policy.random_choice import RandomChoice

ENTROPY: Id = b"sixteen bytes ok"


def test_among_few_tasks_every_fitting_one_is_equally_probable_and_known_to_be() -> None:
    world = World()
    worker = world.worker("read")
    tasks = [world.task("read", priority=number % 4) for number in range(6)] + [world.task(allow=[worker])]
    seen = [world.task("read") for _ in range(5)]
    world.task("write")
    policy = world.follow(RandomChoice(world.state))
    for task in seen:
        world.label(worker, task, 1)
    draws = 2_100
    picks = [policy.pick(worker, Stage.CROWD, derive(ENTROPY, number)) for number in range(1, draws + 1)]
    counts = Counter(pick.task for pick in picks if pick)
    assert {pick.propensity for pick in picks if pick} == {1 / 7}
    assert set(counts) == set(tasks)
    # Five standard deviations of a binomial count around its mean of 300.
    assert all(abs(counts[task] - 300) < 81 for task in tasks)


def test_among_many_tasks_the_propensity_counts_all_that_were_drawn_from() -> None:
    world = World()
    worker = world.worker()
    tasks = [world.task() for _ in range(2 * FEW)]
    policy = world.follow(RandomChoice(world.state))
    for task in tasks[:FEW]:
        world.label(worker, task, 1)
    picks = [policy.pick(worker, Stage.CROWD, derive(ENTROPY, number)) for number in range(1, 200)]
    assert {pick.propensity for pick in picks if pick} == {1 / (2 * FEW)}
    assert {pick.task for pick in picks if pick} <= set(tasks[FEW:])
    assert len({pick.task for pick in picks if pick}) > FEW // 2


def test_the_only_task_left_is_found_when_draws_do_not_hit_it() -> None:
    world = World()
    worker = world.worker()
    tasks = [world.task() for _ in range(20 * DRAWS)]
    left = tasks.pop(7)
    policy = world.follow(RandomChoice(world.state))
    for task in tasks:
        world.grant(worker, task)
    for number in range(1, 5):
        pick = policy.pick(worker, Stage.CROWD, derive(ENTROPY, number))
        assert pick is not None
        assert pick.task == left
    world.grant(worker, left)
    assert policy.pick(worker, Stage.CROWD, ENTROPY) is None


def test_senior_work_goes_in_turn() -> None:
    world = World()
    worker = world.worker()
    policy = world.follow(RandomChoice(world.state))
    tasks = [world.task(), world.task()]
    for task in tasks:
        world.plan(task, Stage.SENIOR)
    assert policy.pick(worker, Stage.SENIOR, ENTROPY) == Pick(tasks[0], "stage", 0.0, 1.0)
