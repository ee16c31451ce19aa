"""Time per request of the routing core, `policy.pick` as a Python call, with the placing of what
was touched before.

Reference, in the same process: scoring every open task by itself (vectorised, exact) and taking the best that
fits, at 10 k tasks. Run alone: `python benchmarks/bench_routing.py [requests]`. Times in µs, by the wall and
by the CPU time of the thread, which leaves out what other processes took; the garbage collector stays on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from routing_state import SIDE, WORKERS, World

from crowdroute.router.events import project as facts
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import Receipt, Stage, TaskState
from crowdroute.router.policy.base import Pick, may_be_given
from crowdroute.router.policy.buckets import MOST_TOUCHED
from crowdroute.router.policy.eligible import EligibleSignatures
from crowdroute.router.policy.information_gain import InformationGain

Result = TypeVar("Result")

SMALL, LARGE = 10_000, 1_000_000
BY_ONE = 1_000
"""Requests by a single worker: more would leave a small project with nothing for them."""
LEASE_US = 600_000_000
ANSWER_AFTER = 500
"""Requests between a grant and its answer: about half of the workers hold a lease."""


class Stopwatch:
    """Nanoseconds of many calls, by the wall and by the thread's CPU time."""

    def __init__(self) -> None:
        self.wall: list[int] = []
        self.cpu: list[int] = []

    def time(self, call: Callable[[], Result]) -> Result:
        """Make a call and note how long it took."""
        cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
        result = call()
        self.wall.append(time.perf_counter_ns() - wall)
        self.cpu.append(time.thread_time_ns() - cpu)
        return result


class Run:
    """Requests against one project, with grants and answers folded in between, outside the clock."""

    def __init__(self, world: World) -> None:
        self.world, self.state = world, world.state
        self.policy = InformationGain(self.state)
        started = time.perf_counter()
        self.policy.rebuild()
        self.rebuilt = time.perf_counter() - started
        self._held: list[tuple[Id, int]] = []

    def cycle(self, requests: int, workers: NDArray[np.int64]) -> Stopwatch:
        """Pick, grant and answer so many times; each request by the next of `workers`."""
        picks = Stopwatch()
        for request in range(requests):
            worker = int(workers[request % len(workers)])
            entropy = self.world.new_id()
            pick = picks.time(partial(self.policy.pick, worker, Stage.CROWD, entropy))
            assert pick is not None, "every scenario leaves something to do"
            self._grant(worker, pick, entropy)
            self.policy.touch(pick.task)
            if len(self._held) > ANSWER_AFTER:
                self.policy.touch(self._answer())
        return picks

    def cycle_after_many(self, requests: int, workers: NDArray[np.int64]) -> Stopwatch:
        """Pick so many times, each after as many tasks were touched as ever wait for a request."""
        picks = Stopwatch()
        for request in range(requests):
            for task in self.world.random.integers(0, self.state.tasks.count, MOST_TOUCHED).tolist():
                self.policy.touch(task)
            worker = int(workers[request % len(workers)])
            entropy = self.world.new_id()
            picks.time(partial(self.policy.pick, worker, Stage.CROWD, entropy))
        return picks

    def _grant(self, worker: int, pick: Pick, entropy: Id) -> None:
        event = facts.LeaseGranted(
            assignment=entropy,
            task=self.state.tasks.id_of(pick.task),
            worker=self.state.workers.id_of(worker),
            stage=Stage.CROWD,
            fence=1,
            deadline_us=self.state.last_us + LEASE_US,
            price_micros=0,
            rules_version=1,
            policy=pick.policy,
            value=pick.value,
            propensity=pick.propensity,
        )
        self._held.append((entropy, self.world.fold(event)))

    def _answer(self) -> int:
        identity, task = self._held.pop(0)
        label = int(self.world.random.integers(0, 2))
        self.world.fold(facts.AnswerSubmitted(identity, (Choice(0, label),), Receipt.COUNTED))
        if self.state.models.confidence(task) > 0.95:
            self.state.tasks.state[task] = TaskState.FINALISED
        return task


def requests_of(world: World, count: int) -> NDArray[np.int64]:
    """Workers in the order of their requests."""
    return world.random.integers(0, WORKERS, count)


def exact_scan(world: World) -> Callable[[int], int | None]:
    """The reference: the information of the worker's next label about every open task, the best that fits."""
    state = world.state
    eligible = EligibleSignatures(state)
    model = state.models.fields[0]
    count = state.tasks.count
    rows = state.tasks.rows[:count]

    def pick(worker: int) -> int | None:
        allowed = np.isin(rows["signature"], eligible.of(worker, Stage.CROWD))
        free = rows["planned_crowd"] - rows["live_crowd"] - rows["counted_crowd"] > 0
        candidates = np.flatnonzero(allowed & free & (rows["state"] == TaskState.OPEN))
        posteriors = model.posteriors[candidates]
        scores = np.zeros(len(candidates))
        for capability, matrix in state.models.matrices_of(worker).items():
            own = rows["capability"][candidates] == capability
            shares = model.confusion[matrix] / model.row_sums[matrix][:, None]
            labels = posteriors[own] @ shares
            given = -(shares * np.log2(shares)).sum(axis=1)
            scores[own] = -(labels * np.log2(labels)).sum(axis=1) - posteriors[own] @ given
        scores += 100.0 * rows["priority"][candidates]
        for place in np.argsort(-scores).tolist():
            if may_be_given(state, worker, int(candidates[place]), Stage.CROWD):
                return int(candidates[place])
        return None

    return pick


def timed_reference(world: World, requests: int) -> Stopwatch:
    pick, times = exact_scan(world), Stopwatch()
    for worker in requests_of(world, requests).tolist():
        times.time(partial(pick, worker))
    return times


def half_done(world: World, workers: int) -> NDArray[np.int64]:
    """Add workers who know one signature each and have done the older half of its tasks, lists or not."""
    added = []
    rows = world.state.tasks.rows
    for number in range(workers):
        worker = world.add_worker([number % SIDE], [number // SIDE % SIDE])
        signature = number % SIDE * SIDE + number // SIDE % SIDE
        own = np.flatnonzero(rows["signature"][: world.state.tasks.count] == signature)
        done = own[: len(own) // 2]
        world.write_answers(done, np.full(len(done), worker))
        added.append(worker)
    return np.array(added)


def all_but_one_done(world: World, workers: int) -> tuple[NDArray[np.int64], int]:
    """Add workers who know one signature each and have done all of its tasks but the newest."""
    added, most = [], 0
    rows = world.state.tasks.rows
    for number in range(workers):
        place = WORKERS + number
        worker = world.add_worker([place % SIDE], [place // SIDE % SIDE])
        signature = place % SIDE * SIDE + place // SIDE % SIDE
        own = np.flatnonzero(rows["signature"][: world.state.tasks.count] == signature)
        world.write_answers(own[:-1], np.full(len(own) - 1, worker))
        added.append(worker)
        most = max(most, len(own) - 1)
    return np.array(added), most


def row(name: str, times: Stopwatch, reference: float) -> None:
    p50, p99 = np.percentile(times.wall, [50, 99]) / 1_000
    cpu50, cpu99 = np.percentile(times.cpu, [50, 99]) / 1_000
    print(f"{name:<56}{p50:10.1f}{p99:10.1f}{cpu50:10.1f}{cpu99:10.1f}{reference / p50:10.1f}x")


def main(requests: int) -> None:
    """Print the table."""
    print(f"{'µs':<56}{'p50':>10}{'p99':>10}{'cpu p50':>10}{'cpu p99':>10}{'reference':>11}")
    reference = timed_reference(World(SMALL), 200)
    base = float(np.median(reference.wall)) / 1_000
    row("reference: exact scan, 10 k tasks", reference, base)
    p99 = {tasks: at_size(tasks, requests, base) for tasks in (SMALL, LARGE)}
    print(f"CPU p99 of pick at {LARGE:,} against {SMALL:,} tasks: {p99[LARGE] / p99[SMALL]:.2f}x")
    with_lists(requests, base)


def at_size(tasks: int, requests: int, base: float) -> float:
    """Time a project without lists; give the 99th percentile of a pick's CPU time."""
    world = World(tasks)
    run = Run(world)
    row(f"first pick of each worker, {tasks:,} tasks", run.cycle(WORKERS, np.arange(WORKERS)), base)
    picks = run.cycle(requests, requests_of(world, requests))
    row(f"pick, {tasks:,} tasks, 256 signatures (64 per worker)", picks, base)
    many = run.cycle_after_many(requests // 4, requests_of(world, requests // 4))
    row(f"the same, {MOST_TOUCHED} touched tasks to be placed first", many, base)
    everything = np.array([world.add_worker(list(range(SIDE)), list(range(SIDE)))])
    row(f"pick, {tasks:,} tasks, one worker of all 256", run.cycle(BY_ONE, everything), base)
    rebuilds = Stopwatch()
    for _ in range(3):
        rebuilds.time(run.policy.rebuild)
    wall, cpu = min(rebuilds.wall) / 1e9, min(rebuilds.cpu) / 1e9
    print(f"rebuild of {tasks:,} tasks: {wall:.3f} s, CPU {cpu:.3f} s")
    return float(np.percentile(picks.cpu, 99))


def with_lists(requests: int, base: float) -> None:
    """Time a project with allow lists, workers who did half of what they may, and workers who did nearly
    all."""
    world = World(LARGE, listed=0.3)
    halves = half_done(world, 64)
    lonely, most = all_but_one_done(world, 64)
    run = Run(world)
    print(f"first rebuild of {LARGE:,} tasks, 30 % with allow lists: {run.rebuilt:.3f} s")
    run.cycle(WORKERS, np.arange(WORKERS))
    row("pick, 30 % allow-listed", run.cycle(requests, requests_of(world, requests)), base)
    # Who may be given what is found out with a worker's first request; its cost stands in a line of its own
    # above.
    for worker in [*halves.tolist(), *lonely.tolist()]:
        run.policy.pick(worker, Stage.SENIOR, world.new_id())
        run.policy.values.plan(worker)
    row("pick, first of workers who did the older half", run.cycle(len(halves), halves), base)
    row("pick, workers who did the older half", run.cycle(requests // 4, halves), base)
    row(f"pick, one task left behind {most:,} done, first time", left_over(run, lonely), base)
    row("pick, one task left, afterwards", left_over(run, np.tile(lonely, 20)), base)


def left_over(run: Run, workers: NDArray[np.int64]) -> Stopwatch:
    """Time picks that must find the one task left; nothing is granted, so it stays."""
    times = Stopwatch()
    for worker in workers.tolist():
        pick = times.time(partial(run.policy.pick, worker, Stage.CROWD, run.world.new_id()))
        assert pick is None or may_be_given(run.state, worker, pick.task, Stage.CROWD)
    return times


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
