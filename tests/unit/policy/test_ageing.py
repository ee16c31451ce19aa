"""Deadlines wake tasks in order, and few at a time."""

from __future__ import annotations

from tests.unit.policy.world import LEASE, World

from crowdroute.router.policy.ageing import SWEEP, Ageing
from crowdroute.router.policy.buckets import Buckets
from crowdroute.router.policy.placing import AGEING_LEASES


def test_many_common_deadlines_are_worked_off_a_few_per_request() -> None:
    world = World()
    for _ in range(2 * SWEEP + 3):
        world.task(deadline_us=world.now_us + 100 * LEASE)
    buckets = Buckets(world.state, by_posterior=True)
    buckets.rebuild()
    ageing = Ageing()
    ageing.rebuild(world.state.tasks, buckets.cards, LEASE)
    moment = world.now_us + (100 - AGEING_LEASES) * LEASE
    assert list(ageing.due(moment - 1)) == []
    assert [len(list(ageing.due(moment))) for _ in range(4)] == [SWEEP, SWEEP, 3, 0]


def test_tasks_without_a_deadline_or_closed_wait_for_nothing() -> None:
    world = World()
    world.task()
    world.cancel(world.task(deadline_us=world.now_us + LEASE))
    buckets = Buckets(world.state, by_posterior=True)
    buckets.rebuild()
    ageing = Ageing()
    ageing.rebuild(world.state.tasks, buckets.cards, LEASE)
    assert list(ageing.due(world.now_us + 1_000 * LEASE)) == []


def test_earlier_deadlines_wake_first_and_each_step_once() -> None:
    world = World()
    buckets = Buckets(world.state, by_posterior=True)
    buckets.rebuild()
    later, sooner = (world.task(deadline_us=world.now_us + leases * LEASE) for leases in (200, 100))
    for task in (later, sooner):
        buckets.touch(task)
    buckets.catch_up()
    ageing = Ageing()
    buckets.cards.armed[later] = buckets.cards.armed[sooner] = 0
    for task in (later, sooner, sooner):
        ageing.arm(task, world.state.tasks, buckets.cards, LEASE)
    assert list(ageing.due(world.now_us + 200 * LEASE)) == [sooner, later]
