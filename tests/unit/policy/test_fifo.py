"""First come, first served."""

from __future__ import annotations

from tests.unit.policy.world import World

from crowdroute.router.model.ids import NO_ID
from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Pick
from crowdroute.router.policy.fifo import Fifo


def test_the_oldest_task_of_the_highest_priority_is_given() -> None:
    world = World()
    worker = world.worker()
    policy = world.follow(Fifo(world.state))
    world.task()
    older, _ = world.task(priority=1), world.task(priority=1)
    assert policy.pick(worker, Stage.CROWD, NO_ID) == Pick(older, "fifo", 0.0, 1.0)


def test_tasks_of_several_requirements_and_lists_wait_in_one_line() -> None:
    world = World()
    worker = world.worker("read", "write")
    policy = world.follow(Fifo(world.state))
    tasks = []
    for _ in range(3):
        tasks += [world.task("write"), world.task("read"), world.task(allow=[worker])]
    order = []
    while (pick := policy.pick(worker, Stage.CROWD, NO_ID)) is not None:
        order.append(pick.task)
        world.give(worker, pick)
    assert order == tasks


def test_a_task_whose_slot_comes_back_queues_anew() -> None:
    world = World()
    worker, other = world.worker(), world.worker()
    policy = world.follow(Fifo(world.state))
    first, second = world.task(planned=1), world.task(planned=1)
    world.expire(world.grant(other, first))
    pick = policy.pick(worker, Stage.CROWD, NO_ID)
    assert pick is not None
    assert pick.task == second
