"""What the engine's own policy prefers, and what it must never give or withhold."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.unit.policy.world import LEASE, World, rules

from crowdroute.router.model.ids import Id, derive
from crowdroute.router.model.rules import Overlap, Routing
from crowdroute.router.model.states import Stage
from crowdroute.router.policy.base import Pick, Policy
from crowdroute.router.policy.cards import SEEN
from crowdroute.router.policy.choosing import BUDGET, CANDIDATES_LOOKED_AT
from crowdroute.router.policy.information_gain import InformationGain
from crowdroute.router.policy.segments import COUNT

ENTROPY: Id = b"sixteen bytes ok"


def policy_of(world: World) -> Policy:
    return world.follow(InformationGain(world.state))


def picked(policy: Policy, worker: int, stage: Stage = Stage.CROWD) -> int | None:
    pick = policy.pick(worker, stage, ENTROPY)
    return None if pick is None else pick.task


def with_window(window: int, labels: tuple[int, ...] = (2,)) -> World:
    return World(rules(labels, routing=Routing(exploration=0.0, window=window)))


def test_while_the_window_has_room_a_fresh_task_tells_most() -> None:
    world = with_window(2)
    first, second = world.worker(), world.worker()
    begun, fresh = world.task(), world.task()
    policy = policy_of(world)
    world.label(first, begun, 1)
    assert picked(policy, second) == fresh


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
