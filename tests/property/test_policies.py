"""Whatever happened to a project, an indexed policy gives what a walk over all tasks would allow, and never
nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.chronicle import Chronicle, Event, Numbers, schema, story, told
from tests.unit.policy.plain import fitting
from tests.unit.policy.world import World, rules

from crowdroute.router.model.rules import Routing
from crowdroute.router.model.states import Purpose, Stage
from crowdroute.router.policy.base import Policy, may_be_given
from crowdroute.router.policy.registry import POLICIES, make_policy
from crowdroute.router.quality.eligibility import misses
from crowdroute.router.state.project import WITH_KNOWN_ANSWER


@given(schema, st.sampled_from([0, 1, 3]), story)
@settings(max_examples=60)
def test_a_policy_gives_a_fitting_task_exactly_when_there_is_one(
    labels: tuple[int, ...], window: int, events: list[Event]
) -> None:
    chronicle = told(labels, window, events)
    for worker in range(chronicle.state.workers.count):
        for stage in Stage:
            fits = fitting(chronicle.state, worker, stage)
            for name, policy in chronicle.policies.items():
                pick = policy.pick(worker, stage, chronicle.entropy(worker, stage))
                assert (pick.task if pick else None) in (fits or {None}), name
                assert pick is None or 0.0 < pick.propensity <= 1.0


@given(story)
@settings(max_examples=40)
def test_exploration_gives_only_fitting_tasks_too(events: list[Event]) -> None:
    chronicle = told((2,), 0, events)
    explorer = World(rules(routing=Routing(exploration=1.0)))
    chronicle.state.rules = explorer.state.rules
    policy = make_policy("information_gain", chronicle.state)
    policy.rebuild()
    for worker in range(chronicle.state.workers.count):
        fits = fitting(chronicle.state, worker, Stage.CROWD)
        for number in range(4):
            pick = policy.pick(worker, Stage.CROWD, chronicle.entropy(worker, number))
            assert (pick.task if pick else None) in (fits or {None})


@given(story)
@settings(max_examples=40)
def test_fifo_gives_what_a_plain_queue_gives(events: list[Event]) -> None:
    chronicle = told((2,), 0, events)
    for worker in range(chronicle.state.workers.count):
        for stage in Stage:
            pick = chronicle.policies["fifo"].pick(worker, stage, chronicle.entropy(worker))
            assert (pick.task if pick else None) == chronicle.plain.pick(worker, stage)


@given(schema, story)
@settings(max_examples=40)
def test_an_index_built_anew_gives_a_task_to_the_same_workers(
    labels: tuple[int, ...], events: list[Event]
) -> None:
    chronicle = told(labels, 0, events)
    for name, policy in chronicle.policies.items():
        anew: Policy = make_policy(name, chronicle.state)
        anew.rebuild()
        for worker in range(chronicle.state.workers.count):
            for stage in Stage:
                entropy = chronicle.entropy(worker, stage)
                picks = policy.pick(worker, stage, entropy), anew.pick(worker, stage, entropy)
                assert (picks[0] is None) == (picks[1] is None)


@given(schema, story)
@settings(max_examples=30)
def test_the_same_events_and_entropy_give_the_same_picks(
    labels: tuple[int, ...], events: list[Event]
) -> None:
    one, other = told(labels, 0, events), told(labels, 0, events)
    for name in POLICIES:
        for worker in range(one.state.workers.count):
            entropy = one.entropy(worker)
            pick = one.policies[name].pick(worker, Stage.CROWD, entropy)
            assert pick == other.policies[name].pick(worker, Stage.CROWD, entropy)


@given(story, Numbers)
@settings(max_examples=40)
def test_known_tasks_are_found_exactly_when_the_person_has_one_left(events: list[Event], number: int) -> None:
    chronicle = told((2,), 0, events)
    state, tasks = chronicle.state, chronicle.state.tasks
    # Meet a few, so that some are seen.
    for turn in range(number % 7):
        worker = turn % state.workers.count
        task = chronicle.known.pick(worker, Purpose.GOLD, chronicle.entropy(turn))
        if task is not None:
            chronicle.world.grant(worker, task)
    for worker in range(state.workers.count):
        for purpose in sorted(WITH_KNOWN_ANSWER):
            left = {
                task
                for task in range(tasks.count)
                if tasks.purpose[task] == purpose and fits_known(chronicle, worker, task)
            }
            pick = chronicle.known.pick(worker, purpose, chronicle.entropy(worker, number))
            assert pick in (left or {None})


def fits_known(chronicle: Chronicle, worker: int, task: int) -> bool:
    state = chronicle.state
    return may_be_given(state, worker, task, Stage.CROWD) and not misses(
        state, worker, state.tasks.signature[task], Stage.CROWD
    )
