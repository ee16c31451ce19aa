"""Whatever happened to a project, an indexed policy gives what a walk over all tasks would allow, and never
nothing."""

from __future__ import annotations

from hashlib import blake2b

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.plain import PlainFifo, fitting
from tests.unit.policy.world import LEASE, SECOND, World, rules

from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import Overlap, Routing
from crowdroute.router.model.states import AssignmentState, Purpose, Stage, TaskState
from crowdroute.router.policy.base import Policy, may_be_given
from crowdroute.router.policy.known import KnownTasks
from crowdroute.router.policy.registry import POLICIES, make_policy
from crowdroute.router.quality.eligibility import misses
from crowdroute.router.state.project import WITH_KNOWN_ANSWER

Numbers = st.integers(0, 2**16)
SKILLS: tuple[tuple[str, ...], ...] = ((), ("read",), ("write",), ("read", "write"))


class Chronicle:
    """Turns numbers into things that may happen next, and keeps all policies over one project."""

    def __init__(self, labels: tuple[int, ...], window: int) -> None:
        self.world = World(rules(labels, Overlap(2, 4), Routing(exploration=0.0, window=window), target=0.8))
        self.state = self.world.state
        people = [self.world.new_id() for _ in range(3)]
        for number in range(6):
            self.world.worker(*SKILLS[number % 4], person=people[number % 3])
        self.policies = {name: self.world.follow(make_policy(name, self.state)) for name in POLICIES}
        self.known = KnownTasks(self.state)
        self.known.rebuild()
        self.world.known.append(self.known)
        self.plain = PlainFifo(self.state)
        self.plain.rebuild()

    def tell(self, kind: int, first: int, second: int) -> None:
        """Let one thing happen, if it can; the numbers choose what it happens to."""
        happenings = (
            self.open,
            self.open_listed,
            self.open_known,
            self.grant,
            self.grant,
            self.grant,
            self.answer,
            self.answer,
            self.expire,
            self.close,
            self.reopen,
            self.plan_above,
            self.pass_time,
        )
        happenings[kind % len(happenings)](first, second)
        for task in range(self.state.tasks.count):
            self.plain.touch(task)

    def open(self, first: int, second: int) -> None:
        deadline = self.world.now_us + first % 20 * LEASE if second % 3 == 0 else 0
        self.world.task(
            *SKILLS[first % 4],
            planned=1 + first % 3,
            priority=second % 4,
            deadline_us=deadline,
            capability="ab"[first % 2],
        )

    def open_listed(self, first: int, second: int) -> None:
        workers = range(self.state.workers.count)
        allow = [worker for worker in workers if first >> worker & 1]
        deny = [worker for worker in workers if second >> worker & 1 and second % 2]
        planned, priority = 1 + first % 3, second % 2
        self.world.task(*SKILLS[second % 4], planned=planned, priority=priority, allow=allow, deny=deny)

    def open_known(self, first: int, second: int) -> None:
        gold = tuple(Choice(field, 0) for field in range(len(self.state.rules.fields)))
        deny = [second % self.state.workers.count] if second % 3 == 0 else []
        self.world.task(
            *SKILLS[first % 4], planned=0, deny=deny, purpose=sorted(WITH_KNOWN_ANSWER)[second % 3], gold=gold
        )

    def grant(self, first: int, second: int) -> None:
        worker, stage = first % self.state.workers.count, Stage(second % 3 if second % 5 == 0 else 0)
        tasks = sorted(fitting(self.state, worker, stage))
        if tasks:
            self.world.grant(worker, tasks[second % len(tasks)], stage)

    def answer(self, first: int, second: int) -> None:
        table = self.state.assignments
        live = [row for row in range(table.count) if table.state[row] == AssignmentState.ACTIVE]
        if live:
            fields = enumerate(self.state.rules.fields)
            labels = [(second + place) % len(field.labels) for place, field in fields]
            self.world.submit(live[first % len(live)], *labels)

    def expire(self, first: int, second: int) -> None:
        table = self.state.assignments
        live = [row for row in range(table.count) if table.state[row] == AssignmentState.ACTIVE]
        if live:
            self.world.expire(live[first % len(live)])

    def close(self, first: int, second: int) -> None:
        tasks = self.state.tasks
        still = [task for task in range(tasks.count) if tasks.state[task] == TaskState.OPEN]
        if not still:
            return
        task = still[first % len(still)]
        if tasks.purpose[task] in WITH_KNOWN_ANSWER or second % 4 == 0:
            self.world.cancel(task)
        elif second % 4 == 1:
            self.world.park(task)
        else:
            self.world.finalise(task)

    def reopen(self, first: int, second: int) -> None:
        tasks = self.state.tasks
        shut = [
            task
            for task in range(tasks.count)
            if tasks.state[task] in (TaskState.PARKED, TaskState.FINALISED)
        ]
        if shut:
            self.world.reopen(shut[first % len(shut)], 1 + second % 2)

    def plan_above(self, first: int, second: int) -> None:
        tasks = self.state.tasks
        open_ones = [
            task
            for task in range(tasks.count)
            if tasks.state[task] == TaskState.OPEN and tasks.purpose[task] not in WITH_KNOWN_ANSWER
        ]
        if not open_ones:
            return
        task = open_ones[first % len(open_ones)]
        if second % 3 == 0:
            self.world.escalate(task)
        else:
            self.world.plan(task, Stage(second % 2))

    def pass_time(self, first: int, second: int) -> None:
        self.world.now_us += first % 5 * LEASE + second * SECOND
        self.state.last_us = self.world.now_us

    def entropy(self, *numbers: int) -> Id:
        return blake2b(repr(numbers).encode(), digest_size=16).digest()


story = st.lists(st.tuples(st.integers(0, 12), Numbers, Numbers), min_size=1, max_size=80)
schema = st.sampled_from([(2,), (3, 2), (6,), (4, 4, 4)])


def told(labels: tuple[int, ...], window: int, events: list[tuple[int, int, int]]) -> Chronicle:
    chronicle = Chronicle(labels, window)
    for event in events:
        chronicle.tell(*event)
    return chronicle


@given(schema, st.sampled_from([0, 1, 3]), story)
@settings(max_examples=60)
def test_a_policy_gives_a_fitting_task_exactly_when_there_is_one(
    labels: tuple[int, ...], window: int, events: list[tuple[int, int, int]]
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
def test_exploration_gives_only_fitting_tasks_too(events: list[tuple[int, int, int]]) -> None:
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
def test_fifo_gives_what_a_plain_queue_gives(events: list[tuple[int, int, int]]) -> None:
    chronicle = told((2,), 0, events)
    for worker in range(chronicle.state.workers.count):
        for stage in Stage:
            pick = chronicle.policies["fifo"].pick(worker, stage, chronicle.entropy(worker))
            assert (pick.task if pick else None) == chronicle.plain.pick(worker, stage)


@given(schema, story)
@settings(max_examples=40)
def test_an_index_built_anew_gives_a_task_to_the_same_workers(
    labels: tuple[int, ...], events: list[tuple[int, int, int]]
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
    labels: tuple[int, ...], events: list[tuple[int, int, int]]
) -> None:
    one, other = told(labels, 0, events), told(labels, 0, events)
    for name in POLICIES:
        for worker in range(one.state.workers.count):
            entropy = one.entropy(worker)
            pick = one.policies[name].pick(worker, Stage.CROWD, entropy)
            assert pick == other.policies[name].pick(worker, Stage.CROWD, entropy)


@given(story, Numbers)
@settings(max_examples=40)
def test_known_tasks_are_found_exactly_when_the_person_has_one_left(
    events: list[tuple[int, int, int]], number: int
) -> None:
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
