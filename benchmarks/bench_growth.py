"""How the cost of a label cycle grows with tasks, answers, workers, labels, projects and shards.

    python benchmarks/bench_growth.py [--cycles 20000] [--rounds 3] [--only tasks workers]

The core alone, as in `bench_cycle.py`: no wire, no disk. One dimension grows at a time, the others stay
at 100,000 open tasks, 1,000 workers, 4 labels and one project in one shard. The reference is the smallest
size of the same dimension, measured in the same run. Every worker did a task of every project before the
clock runs, since a first request makes their tables. Several shards are as many cores in one process,
asked in turns; nothing crosses between them, so that what is seen is memory alone (`bench_shards.py` has
the rest).
"""

from __future__ import annotations

import argparse
import gc
import statistics
from collections.abc import Callable, Iterator
from functools import partial

from core_crowd import CoreCrowd

from crowdroute.router.runtime.garbage import calm_collector

TASKS = 100_000
BAR = 8
"""Width of the bar of the first size."""
TURN = 500
"""Cycles of one shard before the next has its turn."""

Cost = Callable[[int], float]
"""Gives the CPU time of a cycle in so many cycles, in microseconds."""


def of(crowd: CoreCrowd) -> Cost:
    """Measure one crowd, each of whom has asked before."""
    crowd.meet()
    return lambda count: crowd.cycles(count)[1]


def by_tasks() -> Iterator[tuple[int, Cost]]:
    """Vary the open tasks."""
    for tasks in (10_000, 30_000, 100_000, 300_000, 1_000_000):
        cost = of(CoreCrowd(tasks))
        yield tasks, partial(_few_of, cost, tasks // 4)


def _few_of(cost: Cost, most: int, count: int) -> float:
    """Measure so few cycles that a small project does not run out of tasks."""
    return cost(min(count, most))


def by_answers() -> Iterator[tuple[int, Cost]]:
    """Vary the answers that the project has taken in before."""
    crowd = CoreCrowd(800_000)
    cost = of(crowd)
    given = len(crowd.workers)
    for answers in (10_000, 100_000, 1_000_000):
        cost(answers - given)
        given = answers
        yield answers, cost


def by_workers() -> Iterator[tuple[int, Cost]]:
    """Vary the workers, all of whom come back."""
    for workers in (100, 1_000, 10_000, 30_000):
        yield workers, of(CoreCrowd(TASKS, workers=workers))


def by_labels() -> Iterator[tuple[int, Cost]]:
    """Vary the labels to choose from."""
    for labels in (2, 4, 8, 16, 32):
        yield labels, of(CoreCrowd(TASKS, labels=labels))


def by_projects() -> Iterator[tuple[int, Cost]]:
    """Vary the projects, with as many tasks in all."""
    for projects in (1, 10, 100, 1_000):
        yield projects, of(CoreCrowd(TASKS // projects, workers=20, projects=projects))


def by_shards() -> Iterator[tuple[int, Cost]]:
    """Vary the shards of one process."""
    costs: list[Cost] = []
    for shards in (1, 2, 4, 8):
        costs += [of(CoreCrowd(TASKS)) for _ in range(shards - len(costs))]
        yield shards, in_turns(tuple(costs))


def in_turns(costs: tuple[Cost, ...]) -> Cost:
    """Measure several crowds, a few cycles of each at a time."""

    def cost(count: int) -> float:
        turns = max(count // (TURN * len(costs)), 1)
        return statistics.fmean(each(TURN) for _ in range(turns) for each in costs)

    return cost


DIMENSIONS: dict[str, Callable[[], Iterator[tuple[int, Cost]]]] = {
    "tasks": by_tasks,
    "answers": by_answers,
    "workers": by_workers,
    "labels": by_labels,
    "projects": by_projects,
    "shards": by_shards,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=20_000, help="per round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=DIMENSIONS, nargs="+", default=list(DIMENSIONS))
    options = parser.parse_args()
    for name in options.only:
        print(f"{name:>10} {'µs CPU a cycle':>16} {'of the first':>14}")
        first = 0.0
        for size, cost in DIMENSIONS[name]():
            calm_collector()  # as every process does that serves an engine
            seen = statistics.median(cost(options.cycles) for _ in range(options.rounds))
            first = first or seen
            bar = "█" * max(round(seen / first * BAR), 1)
            print(f"{size:>10,} {seen:>16.1f} {seen / first:>14.2f}  {bar}", flush=True)
            gc.unfreeze()
            del cost
            gc.collect()


if __name__ == "__main__":
    main()
