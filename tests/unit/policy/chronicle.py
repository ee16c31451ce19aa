"""Turns numbers into a project's history, so that Hypothesis can tell stories."""

from __future__ import annotations

from hashlib import blake2b

from hypothesis import strategies as st
from tests.unit.policy.plain import PlainFifo, fitting
from tests.unit.policy.world import LEASE, SECOND, World, rules

from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import Overlap, Routing
from crowdroute.router.model.states import AssignmentState, Stage, TaskState
from crowdroute.router.policy.buckets import Buckets
from crowdroute.router.policy.known import KnownTasks
from crowdroute.router.policy.registry import POLICIES, make_policy
from crowdroute.router.state.project import WITH_KNOWN_ANSWER

Numbers = st.integers(0, 2**16)
Event = tuple[int, int, int]
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
        self.buckets = Buckets(self.state, by_posterior=True)
        self.known = KnownTasks(self.state)
        for follower in (self.buckets, self.known):
            follower.rebuild()
            self.world.followers.append(follower)
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


story = st.lists(st.tuples(st.integers(0, 12), Numbers, Numbers), min_size=20, max_size=100)
schema = st.sampled_from([(2,), (3, 2), (6,), (4, 4, 4)])


def told(labels: tuple[int, ...], window: int, events: list[Event]) -> Chronicle:
    chronicle = Chronicle(labels, window)
    for event in events:
        chronicle.tell(*event)
    return chronicle
