"""What goes first, whatever it tells."""

from __future__ import annotations

import pytest
from tests.unit.policy.picking import ENTROPY, picked, policy_of, with_window
from tests.unit.policy.world import LEASE

from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Pick
from crowdroute.router.policy.information_gain import InformationGain


def test_a_higher_priority_goes_before_more_information() -> None:
    world = with_window(1)
    first, second = world.worker(), world.worker()
    begun, urgent = world.task(), world.task(priority=1)
    policy = policy_of(world)
    world.label(first, begun, 1)
    assert picked(policy, second) == urgent


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    ("leases_left", "beaten"), [(13, None), (12, 0), (7, 0), (6, 1), (4, 1), (3, 2), (0, 2), (-5, 2)]
)
def test_tasks_rise_by_a_class_each_time_the_way_to_their_deadline_halves(
    leases_left: int, beaten: int | None, listed: bool
) -> None:
    world = with_window(0)
    worker = world.worker()
    dated = world.task(deadline_us=world.now_us + 100 * LEASE, allow=[worker] if listed else [])
    policy = policy_of(world)
    world.now_us = world.state.last_us = world.state.tasks.deadline_us[dated] - leases_left * LEASE
    for priority in range(4):
        rival = world.task(priority=priority)
        wins = picked(policy, worker) == dated
        # Against a rival of its own class the older one wins, which it is.
        assert wins == (priority <= (0 if beaten is None else beaten + 1))
        world.cancel(rival)


@pytest.mark.parametrize("known_to_the_rebuild", [False, True])
def test_a_task_rises_step_by_step_without_anything_happening_to_it(known_to_the_rebuild: bool) -> None:
    world = with_window(0)
    worker = world.worker()
    rivals = [world.task(priority=priority) for priority in (2, 1, 0)]
    policy = InformationGain(world.state)
    if known_to_the_rebuild:
        dated = world.task(deadline_us=world.now_us + 20 * LEASE)
        world.follow(policy)
    else:
        world.follow(policy)
        dated = world.task(deadline_us=world.now_us + 20 * LEASE)
    given = []
    for leases_left in (13, 12, 6, 3):
        world.state.last_us = world.state.tasks.deadline_us[dated] - leases_left * LEASE
        assert picked(policy, worker) in (rivals[0], dated)
        given.append(policy.buckets.cards.priority[dated])
    assert given == [0, 1, 2, 3]
    assert picked(policy, worker) == dated


def test_senior_and_expert_work_goes_in_turn_within_a_priority() -> None:
    world = with_window(0)
    worker, first = world.worker(), world.worker()
    policy = policy_of(world)
    tasks = [world.task(priority=number // 2) for number in range(4)]
    for task in tasks:
        world.label(first, task, 1)
        world.plan(task, Stage.SENIOR)
    order = []
    while (task := picked(policy, worker, Stage.SENIOR)) is not None:
        order.append(task)
        world.grant(worker, task, Stage.SENIOR)
    assert order == [tasks[2], tasks[3], tasks[0], tasks[1]]
    assert picked(policy, worker, Stage.EXPERT) is None
    world.escalate(tasks[1])
    expert = world.worker()
    assert policy.pick(expert, Stage.EXPERT, ENTROPY) == Pick(tasks[1], "stage", 0.0, 1.0)
    assert picked(policy, expert, Stage.SENIOR) is None
