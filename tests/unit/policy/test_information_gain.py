"""What the engine's own policy prefers, and what it must never give or withhold."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.unit.policy.picking import ENTROPY, picked, policy_of, with_window
from tests.unit.policy.world import World, rules

from crowdroute.router.model.ids import derive
from crowdroute.router.model.rules import Overlap, Routing
from crowdroute.router.model.states import Stage


def test_while_the_window_has_room_a_fresh_task_tells_most() -> None:
    world = with_window(2)
    first, second = world.worker(), world.worker()
    begun, fresh = world.task(), world.task()
    policy = policy_of(world)
    world.label(first, begun, 1)
    assert picked(policy, second) == fresh


def test_when_the_window_is_full_begun_tasks_come_first() -> None:
    world = with_window(1)
    first, second = world.worker(), world.worker()
    begun = world.task()
    world.task()
    policy = policy_of(world)
    world.label(first, begun, 1)
    assert picked(policy, second) == begun


def test_over_the_window_a_worker_whom_no_begun_task_fits_gets_a_fresh_one() -> None:
    world = with_window(1)
    worker = world.worker()
    begun, fresh = world.task(), world.task()
    policy = policy_of(world)
    world.label(worker, begun, 1)
    assert picked(policy, worker) == fresh


def test_of_begun_tasks_the_less_certain_is_given() -> None:
    world = with_window(1)
    workers = [world.worker() for _ in range(4)]
    agreed, disputed = world.task(), world.task()
    policy = policy_of(world)
    world.label(workers[0], agreed, 1)
    world.label(workers[1], disputed, 1)
    world.label(workers[2], disputed, 0)
    assert picked(policy, workers[3]) == disputed


def test_every_worker_gets_the_capability_they_are_good_at() -> None:
    world = with_window(0)
    reader, writer, judge, other = (world.worker() for _ in range(4))
    for number in range(40):
        for capability, good in (("read", reader), ("write", writer)):
            task = world.task(capability=capability)
            for worker in (judge, other):
                world.label(worker, task, number % 2)
            world.label(good, task, number % 2)
            world.label(writer if good == reader else reader, task, number % 3 % 2)
            world.finalise(task)
    policy = policy_of(world)
    tasks = {capability: world.task(capability=capability) for capability in ("read", "write")}
    assert picked(policy, reader) == tasks["read"]
    assert picked(policy, writer) == tasks["write"]


def test_a_task_that_answers_in_flight_may_settle_waits_for_them() -> None:
    world = with_window(1)
    workers = [world.worker() for _ in range(3)]
    settling, fresh = world.task(), world.task()
    policy = policy_of(world)
    world.label(workers[0], settling, 1)
    lease = world.grant(workers[1], settling)
    assert picked(policy, workers[2]) == fresh
    world.expire(lease)
    assert picked(policy, workers[2]) == settling


def test_a_task_that_is_being_settled_is_given_when_nothing_else_fits() -> None:
    world = with_window(1)
    workers = [world.worker() for _ in range(3)]
    settling = world.task()
    policy = policy_of(world)
    world.label(workers[0], settling, 1)
    world.grant(workers[1], settling)
    assert picked(policy, workers[2]) == settling


def test_below_the_minimum_overlap_answers_in_flight_settle_nothing() -> None:
    world = World(rules(overlap=Overlap(4, 5), routing=Routing(exploration=0.0, window=1)))
    workers = [world.worker() for _ in range(4)]
    begun = world.task()
    world.task()
    policy = policy_of(world)
    world.label(workers[0], begun, 1)
    world.grant(workers[1], begun)
    assert picked(policy, workers[3]) == begun


def test_exploration_draws_uniformly_with_the_propensity_it_records() -> None:
    world = World(rules(routing=Routing(exploration=0.5)))
    worker = world.worker()
    tasks = [world.task(priority=number % 4) for number in range(6)]
    tasks += [world.task(allow=[worker]) for _ in range(2)]
    policy = policy_of(world)
    draws = 4_000
    picks = [policy.pick(worker, Stage.CROWD, derive(ENTROPY, number)) for number in range(1, draws + 1)]
    explored = Counter(pick.task for pick in picks if pick and pick.policy == "explore")
    assert {pick.propensity for pick in picks if pick and pick.policy == "explore"} == {0.5 / 8}
    assert {pick.propensity for pick in picks if pick and pick.policy != "explore"} == {0.5}
    # Five standard deviations of a binomial count around its mean of 250.
    assert all(abs(explored[task] - 250) < 77 for task in tasks)


def test_exploration_that_draws_what_does_not_fit_leaves_the_choice_to_the_policy() -> None:
    world = World(rules(routing=Routing(exploration=1.0)))
    worker = world.worker()
    policy = policy_of(world)
    for _ in range(5):
        world.label(worker, world.task(), 1)
    left = world.task()
    picks = [policy.pick(worker, Stage.CROWD, derive(ENTROPY, number)) for number in range(1, 50)]
    assert {pick.task for pick in picks if pick} == {left}
    told = {(pick.policy, pick.propensity) for pick in picks if pick}
    assert told == {("explore", 1 / 6), ("information_gain", 1 / 6)}


def test_workers_tasks_and_requirements_that_come_later_are_known() -> None:
    world = with_window(0)
    early = world.worker("read")
    policy = policy_of(world)
    assert picked(policy, early) is None
    write, read = world.task("write"), world.task("read", allow=[early])
    assert picked(policy, early) == read
    late = world.worker("write")
    assert picked(policy, late) == write


def test_labels_added_to_the_schema_are_valued_after_the_rebuild_that_follows_new_rules() -> None:
    world = with_window(0)
    worker, other = world.worker(), world.worker()
    policy = policy_of(world)
    begun = world.task()
    world.label(other, begun, 1)
    world.apply_rules(rules((5,), version=2))
    assert picked(policy, worker) == begun


@pytest.mark.parametrize("labels", [(1,), (2, 1), (7,), (2,) * 9, (100,)])
def test_any_schema_is_served(labels: tuple[int, ...]) -> None:
    world = with_window(1, labels)
    workers = [world.worker() for _ in range(3)]
    tasks = [world.task() for _ in range(2)]
    policy = policy_of(world)
    world.label(workers[0], tasks[0], *(0 for _ in labels))
    world.label(workers[0], tasks[1], *(count - 1 for count in labels))
    world.label(workers[1], tasks[1], *(0 for _ in labels))
    assert picked(policy, workers[2]) in tasks
    assert picked(policy, workers[1]) == tasks[0]
