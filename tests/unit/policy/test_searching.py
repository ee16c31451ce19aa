"""A task that fits is found, wherever the last search ended."""

from __future__ import annotations

from tests.unit.policy.picking import picked, policy_of, with_window
from tests.unit.policy.world import World, rules

from crowdroute.router.model.rules import Overlap, Routing
from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Policy
from crowdroute.router.policy.choosing import BUDGET, CANDIDATES_LOOKED_AT
from crowdroute.router.policy.information_gain import InformationGain
from crowdroute.router.policy.segments import COUNT


def test_workers_who_came_since_the_last_search_are_searched_for_whatever_they_ask_for_first() -> None:
    world = with_window(0)
    world.worker()
    task = world.task()
    policy = policy_of(world)
    assert isinstance(policy, InformationGain)
    for _ in range(100):
        newcomer = world.worker()
        assert picked(policy, newcomer, Stage.SENIOR) is None
        own = policy.buckets.sets.table
        assert policy.buckets.held()[0]["addresses"][11] == own.__array_interface__["data"][0]
        assert picked(policy, newcomer) == task


def test_the_only_candidate_that_fits_is_found_among_many_that_do_not() -> None:
    world = with_window(0)
    worker, other = world.worker(), world.worker()
    tasks = [world.task(planned=1, allow=[worker, other]) for _ in range(CANDIDATES_LOOKED_AT + 50)]
    policy = policy_of(world)
    for task in tasks[:-1]:
        world.grant(other, task)
    assert picked(policy, worker) == tasks[-1]
    world.grant(other, tasks[-1])
    assert picked(policy, worker) is None


def test_the_only_task_left_is_found_behind_everything_the_worker_has_done() -> None:
    world = with_window(0)
    worker, other = world.worker(), world.worker()
    tasks = [world.task() for _ in range(2 * BUDGET)]
    left = tasks[-1]
    policy = policy_of(world)
    for number, task in enumerate(tasks[:-1]):
        world.label(worker, task, number % 2)
    world.label(other, left, 1)
    for _ in range(3):
        assert picked(policy, worker) == left
    world.label(worker, left, 1)
    assert picked(policy, worker) is None
    assert picked(policy, other) in tasks[:-1]


def test_a_search_that_begins_where_the_last_one_ended_misses_nothing_that_came_later() -> None:
    world = with_window(0)
    worker, other = world.worker(), world.worker()
    policy = policy_of(world)
    for _ in range(200):
        world.label(worker, world.task(), 1)
    assert picked(policy, worker) is None
    for _ in range(5):
        assert picked(policy, worker) is None
        late = world.task()
        world.label(other, late, 1)
        assert picked(policy, worker) == late
        world.label(worker, late, 1)


def well_read() -> tuple[World, Policy, int, int, int]:
    """A worker who was given everything there is, a judge who labelled it, and the last task that searches
    passed over.

    The judge always gives the same answer, so that all tasks stand in the surest cell together.
    """
    world = World(rules(overlap=Overlap(5, 5), routing=Routing(exploration=0.0)))
    worker, judge = world.worker(), world.worker()
    policy = policy_of(world)
    tasks = [world.task(planned=3) for _ in range(200)]
    for task in tasks:
        world.expire(world.grant(worker, task))
        world.label(judge, task, 1)
    for _ in range(3):
        assert picked(policy, worker) is None
    return world, policy, worker, judge, tasks[-1]


def test_a_search_is_not_misled_when_the_task_it_ended_at_has_gone_elsewhere() -> None:
    world, policy, worker, judge, last = well_read()
    world.label(world.worker(), last, 0)
    late = world.task()
    world.label(judge, late, 1)
    assert picked(policy, worker) == late


def test_a_search_is_not_misled_when_the_task_it_ended_at_has_gone_and_come_back() -> None:
    world, policy, worker, judge, last = well_read()
    leases = [world.grant(world.worker(), last) for _ in range(2)]
    late = world.task()
    world.label(judge, late, 1)
    for lease in leases:
        world.expire(lease)
    assert picked(policy, worker) == late


def test_candidates_that_can_never_fit_again_are_thrown_out_as_they_are_met() -> None:
    world = with_window(0)
    worker, other = world.worker(), world.worker()
    closed, seen, busy, left = (world.task(planned=1, allow=[worker, other]) for _ in range(4))
    policy = InformationGain(world.state)
    world.follow(policy)
    world.cancel(closed)
    world.expire(world.grant(worker, seen))
    lease = world.grant(other, busy)
    assert picked(policy, worker) == left
    assert policy.buckets.sets.table[worker, COUNT] == 2
    world.cancel(left)
    assert picked(policy, worker) is None
    world.expire(lease)
    assert picked(policy, worker) == busy


def test_what_one_worker_passed_over_is_not_passed_over_for_another() -> None:
    world = World(rules(routing=Routing(exploration=0.0)))
    one, other = world.worker(), world.worker()
    policy = policy_of(world)
    older, newer = world.task(), world.task()
    world.expire(world.grant(one, older))
    assert picked(policy, one) == newer
    assert picked(policy, other) == older
