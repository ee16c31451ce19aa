"""Mean time of a label cycle in the core alone: ask for a task, answer it; no wire, no disk.

    python benchmarks/bench_cycle.py [--cycles 20000] [--rounds 5] [--tasks 1000 100000]

The reference is a loop of plain Python on the same processor, in the same run: it tells how fast the machine
is at this moment, and the ratio is what can be compared between machines. CPU time is the figure to look at
on a shared machine. The parts come from a round of their own, because taking the time costs time: each shows
what was spent in it apart from the parts within it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from core_crowd import WORKERS, CoreCrowd, loop_ns

from crowdroute.router.machine.project import machine as project_machine
from crowdroute.router.policy.information_gain import InformationGain
from crowdroute.router.runtime.garbage import calm_collector

TARGET_US = 50.0


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
def watched(bench: CoreCrowd) -> Iterator[Stopwatch]:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=20_000, help="per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", type=int, nargs="+", default=[100_000])
    options = parser.parse_args()
    for tasks in options.tasks:
        bench = CoreCrowd(tasks)
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
