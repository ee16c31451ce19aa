"""Mean time of a label cycle in the core alone: ask for a task, answer it; no wire, no disk.

    python benchmarks/bench_cycle.py [--cycles 20000] [--rounds 5] [--tasks 1000 100000]

The reference is a loop of plain Python on the same processor, in the same run: it tells how fast the machine
is at this moment, and the ratio is what can be compared between machines. CPU time is the figure to look at
on a shared machine. The parts come from a round of their own, because taking the time costs time: each shows
what was spent in it apart from the parts within it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import AddTasks, CreateProject, NewTask, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Offered
from crowdroute.router.machine.project import machine as project_machine
from crowdroute.router.machine.project.machine import ProjectMachine
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import Field, Label, Prices, ProjectRules
from crowdroute.router.policy.information_gain import InformationGain
from crowdroute.router.runtime.garbage import calm_collector

TARGET_US = 50.0
LABELS = 4
ACCURACY = 0.85
WORKERS = 1_000
IMPORT_ROWS = 1_000
LOOPS = 2_000_000
START_US = 1_700_000_000_000_000
TENANT = "bench"


class Bench:
    """A shard with one project, and people who answer."""

    def __init__(self, tasks: int) -> None:
        self._random = random.Random(1)
        self._now_us = START_US
        self.shard = Shard()
        organisation = organisation_stream(TENANT)
        self._send(organisation, CreateOrganisation(TENANT))
        project = self._new_id()
        self._stream = project_stream(TENANT, project)
        labels = tuple(Label(str(number)) for number in range(LABELS))
        rules = ProjectRules(1, (Field("label", labels),), prices=Prices(20_000))
        self._send(self._stream, CreateProject(project, "bench", rules))
        self._workers = [self._new_id() for _ in range(WORKERS)]
        for worker in self._workers:
            self._send(organisation, UpsertWorker(worker, NO_ID, NO_ID))
        self._truths: dict[Id, int] = {}
        for _ in range(0, tasks, IMPORT_ROWS):
            rows = tuple(
                NewTask(self._new_id(), self._new_id(), digest=b"d" * 16) for _ in range(IMPORT_ROWS)
            )
            self._truths |= {row.item: self._random.randrange(LABELS) for row in rows}
            self._send(self._stream, AddTasks(rows))
        self.machine: ProjectMachine = self.shard.project(TENANT, project)

    def cycles(self, count: int) -> tuple[float, float]:
        """Run cycles; give the wall and the CPU time of one, in microseconds."""
        chance = self._random
        workers = [chance.choice(self._workers) for _ in range(count)]
        entropies = [chance.randbytes(16) for _ in range(2 * count)]
        right = [chance.random() < ACCURACY for _ in range(count)]
        guesses = [chance.randrange(LABELS) for _ in range(count)]
        shard, stream, truths, now_us = self.shard, self._stream, self._truths, self._now_us
        wall, cpu = time.perf_counter(), time.process_time()
        for number, worker in enumerate(workers):
            now_us += 1_000
            _, offered = shard.handle(Request(stream, RequestNext(worker), entropies[2 * number]), now_us)
            assert isinstance(offered, Offered)
            (lease,) = offered.leases
            label = truths[lease.item] if right[number] else guesses[number]
            answer = SubmitAnswer(worker, lease.assignment, lease.fence, (Choice(0, label),))
            shard.handle(Request(stream, answer, entropies[2 * number + 1]), now_us)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self._now_us = now_us
        return wall / count * 1e6, cpu / count * 1e6

    def _new_id(self) -> Id:
        return self._random.randbytes(16)

    def _send(self, stream: str, command: Command) -> Reply:
        self._now_us += 1_000
        return self.shard.handle(Request(stream, command, self._new_id()), self._now_us)[1]


class Part(NamedTuple):
    """Where time goes, and how often."""

    name: str
    calls: float
    own_us: float


class Stopwatch:
    """Attributes time to the innermost part that is running."""

    def __init__(self) -> None:
        self._own: dict[str, float] = {}
        self._calls: dict[str, int] = {}
        self._stack: list[str] = []
        self._since = 0.0

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function as a part."""
        self._own.setdefault(name, 0.0)
        self._calls.setdefault(name, 0)
        clock, stack, own, calls = time.process_time, self._stack, self._own, self._calls

        def run(*arguments: Any, **named: Any) -> Any:
            now = clock()
            if stack:
                own[stack[-1]] += now - self._since
            stack.append(name)
            calls[name] += 1
            self._since = clock()
            try:
                return function(*arguments, **named)
            finally:
                now = clock()
                own[stack.pop()] += now - self._since
                self._since = clock()

        return run

    def parts(self, cycles: int) -> list[Part]:
        """Give the parts per cycle, the dearest first."""
        found = [
            Part(name, self._calls[name] / cycles, own / cycles * 1e6) for name, own in self._own.items()
        ]
        return sorted(found, key=lambda part: -part.own_us)


@contextmanager
def watched(bench: Bench) -> Iterator[Stopwatch]:
    """Take the time of the parts of one bench."""
    watch = Stopwatch()
    machine, shard = bench.machine, bench.shard
    chooser = machine.chooser()
    policy, state = chooser._policy, machine.state
    assert isinstance(policy, InformationGain)
    handlers = dict(project_machine.HANDLERS)
    for kind, fold in handlers.items():
        project_machine.HANDLERS[kind] = watch.timed(f"fold {kind.__name__}", fold)
    policy.pick = watch.timed("policy.pick", policy.pick)  # type: ignore[method-assign]
    touch, machine._touch = machine._touch, watch.timed("policy.touch", machine._touch)
    policy.buckets.catch_up = watch.timed("placing what was touched", policy.buckets.catch_up)  # type: ignore[method-assign]
    state.models.extend = watch.timed("re-estimate", state.models.extend)  # type: ignore[method-assign]
    deciding, delivering = shard._deciding, shard._delivering
    delivering.bring_facts = watch.timed("worker facts", delivering.bring_facts)  # type: ignore[method-assign]
    deciding.entry = watch.timed("entry", deciding.entry)  # type: ignore[method-assign]
    shard.handle = watch.timed("decide", shard.handle)  # type: ignore[method-assign]
    try:
        yield watch
    finally:
        project_machine.HANDLERS.update(handlers)
        machine._touch = touch
        for thing, names in (
            (policy, ("pick",)),
            (policy.buckets, ("catch_up",)),
            (state.models, ("extend",)),
            (delivering, ("bring_facts",)),
            (deciding, ("entry",)),
            (shard, ("handle",)),
        ):
            for name in names:
                delattr(thing, name)


def loop_ns() -> float:
    """Give the CPU time of one turn of a plain Python loop, in nanoseconds."""
    begun, total = time.process_time(), 0
    for number in range(LOOPS):
        total += number
    return (time.process_time() - begun) / LOOPS * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=20_000, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", type=int, nargs="+", default=[100_000])
    options = parser.parse_args()
    for tasks in options.tasks:
        bench = Bench(tasks)
        bench.cycles(options.cycles // 4)  # compiled code is loaded, value tables are built
        calm_collector()  # as every process does that serves an engine
        walls, cpus, loops = [], [], []
        for _ in range(options.rounds):
            loops.append(loop_ns())
            wall, cpu = bench.cycles(options.cycles)
            walls.append(wall)
            cpus.append(cpu)
        wall, cpu, loop = map(statistics.median, (walls, cpus, loops))
        print(
            f"{tasks:,} open tasks, {WORKERS:,} workers, {options.rounds} rounds of {options.cycles:,} cycles"
        )
        print(
            f"reference: one turn of a plain loop  {loop:8.1f} ns CPU ({min(loops):.1f} to {max(loops):.1f})"
        )
        print(
            f"cycle: mean of the median round      {wall:8.1f} µs, {cpu:.1f} µs CPU, best {min(cpus):.1f} µs"
        )
        print(f"cycle / loop                         {cpu * 1e3 / loop:8.0f}")
        print(f"target                               {TARGET_US:8.1f} µs on a quiet machine")
        with watched(bench) as watch:
            bench.cycles(options.cycles)
        parts = watch.parts(options.cycles)
        total = sum(part.own_us for part in parts)
        print(f"{'part':<28}{'calls/cycle':>12}{'µs/cycle':>10}{'share':>8}   (CPU, watch included)")
        for part in parts:
            if part.calls:
                print(f"{part.name:<28}{part.calls:>12.2f}{part.own_us:>10.2f}{part.own_us / total:>8.0%}")


if __name__ == "__main__":
    main()
