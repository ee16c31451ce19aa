"""Tasks for some workers alone, or for all but some, and nobody twice."""

from __future__ import annotations

import pytest
from tests.unit.policy.picking import ENTROPY, picked, policy_of, with_window
from tests.unit.policy.world import World, rules

from crowdroute.router.model.rules import Overlap, Routing
from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Pick
from crowdroute.router.policy.cards import SEEN


def test_no_person_meets_a_task_twice_through_another_worker() -> None:
    world = with_window(0)
    person = world.new_id()
    one, same = world.worker(person=person), world.worker(person=person)
    task = world.task()
    policy = policy_of(world)
    world.label(one, task, 1)
    assert picked(policy, one) is None
    assert picked(policy, same) is None
    assert picked(policy, world.worker()) == task


def test_a_task_remembers_more_workers_than_its_card_holds() -> None:
    world = World(rules(overlap=Overlap(20, 20), routing=Routing(exploration=0.0)))
    workers = [world.worker() for _ in range(SEEN + 4)]
    task = world.task(planned=20)
    policy = policy_of(world)
    for number, worker in enumerate(workers):
        world.label(worker, task, number % 2)
    assert [picked(policy, worker) for worker in workers] == [None] * len(workers)
    assert picked(policy, world.worker()) == task


def test_a_deny_list_is_respected() -> None:
    world = with_window(0)
    denied, other = world.worker(), world.worker()
    task = world.task(deny=[denied])
    policy = policy_of(world)
    assert picked(policy, denied) is None
    assert picked(policy, other) == task


def test_a_task_with_an_allow_list_is_given_to_those_on_it_alone() -> None:
    world = with_window(0)
    allowed, denied, other = world.worker(), world.worker(), world.worker()
    task = world.task(allow=[allowed, denied], deny=[denied])
    policy = policy_of(world)
    assert policy.pick(allowed, Stage.CROWD, ENTROPY) == Pick(
        task, "allowed", pytest.approx(0.278, abs=0.01), 1.0
    )
    assert picked(policy, denied) is None
    assert picked(policy, other) is None


def test_listed_and_common_tasks_compete_by_priority() -> None:
    world = with_window(0)
    worker = world.worker()
    policy = policy_of(world)
    listed = world.task(allow=[worker])
    common = world.task(priority=1)
    assert picked(policy, worker) == common
    urgent = world.task(allow=[worker], priority=2)
    assert picked(policy, worker) == urgent
    world.cancel(common)
    world.cancel(urgent)
    assert picked(policy, worker) == listed


def test_a_listed_task_that_was_closed_and_met_is_found_again_when_it_reopens() -> None:
    world = with_window(0)
    worker = world.worker()
    task = world.task(allow=[worker])
    policy = policy_of(world)
    world.park(task)
    assert picked(policy, worker) is None
    world.reopen(task)
    world.park(task)
    world.reopen(task)
    assert picked(policy, worker) == task


def test_listed_tasks_of_equal_worth_are_given_from_the_oldest_on() -> None:
    world = with_window(100)
    worker = world.worker()
    tasks = [world.task(allow=[worker]) for _ in range(6)]
    policy = policy_of(world)
    order = []
    while (task := picked(policy, worker)) is not None:
        order.append(task)
        world.expire(world.grant(worker, task))
    assert order == tasks
