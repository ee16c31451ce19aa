"""One label more: the online model's update and information table beside the same arithmetic in numpy.

    python benchmarks/bench_aggregation_online.py [--tasks 20000] [--classes 2] [--per-task 5]

Every task of a simulated crowd gets its labels one by one, in rounds; each call is timed from Python,
dispatch included. The reference makes the same updates on arrays of its own and must end with the same
posteriors. Then the same crowd by name, with and without forgetting, and a crowd of comparisons: what one
annotation costs, its withdrawal, and how far what is found lies from the batch model before and after a
refit.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation import (
    ConfusionPrior,
    OnlineBradleyTerry,
    OnlineDawidSkene,
    StreamingDawidSkene,
    fill_information,
)
from crowdroute.aggregation.comparison_set import LEFT, RIGHT

WORKERS = 200
CELLS = 32
"""Posterior cells whose value the router keeps for one worker."""

LAST = 1_000
"""Annotations that are withdrawn again."""

FIXED = ConfusionPrior(pool_share=0.0)
"""Without pooling, which is amortised and not part of the update itself; --pooled turns it on for our model
only."""


class NumpyModel:
    """The same update, vectorised over classes and labels."""

    def __init__(self, n_tasks: int, n_classes: int) -> None:
        self.posteriors = np.full((n_tasks, n_classes), 1.0 / n_classes)
        self.confusion = np.repeat(FIXED.matrix(n_classes)[np.newaxis], WORKERS, axis=0)
        self.row_sums = self.confusion.sum(axis=2)
        self.class_counts = np.ones(n_classes)

    def append(self, task: int, matrices: NDArray[np.int32], labels: NDArray[np.int32], n: int) -> None:
        """Add the last of the first n + 1 annotations; a worker labels a task once, so no row stands
        twice."""
        old = self.posteriors[task]
        if n:
            self.confusion[matrices[:n], :, labels[:n]] -= old
            self.row_sums[matrices[:n]] -= old
            self.class_counts -= old
        matrices, labels = matrices[: n + 1], labels[: n + 1]
        shares = self.confusion[matrices, :, labels] / self.row_sums[matrices]
        joint = np.log(self.class_counts) + np.log(shares).sum(axis=0)
        new = np.exp(joint - joint.max())
        new /= new.sum()
        self.confusion[matrices, :, labels] += new
        self.row_sums[matrices] += new
        self.class_counts += new
        self.posteriors[task] = new


def timed(call: Callable[[int, int], None], tasks: int, per_task: int) -> NDArray[np.int64]:
    """Return the nanoseconds of each call, in rounds over the tasks."""
    spent = np.empty((per_task, tasks), dtype=np.int64)
    for n in range(per_task):
        for task in range(tasks):
            start = time.perf_counter_ns()
            call(task, n)
            spent[n, task] = time.perf_counter_ns() - start
    return spent.ravel()


def report(name: str, ours: NDArray[np.int64], reference: NDArray[np.int64]) -> None:
    for who, spent in (("ours", ours), ("numpy", reference)):
        p50, p99, p999 = np.percentile(spent, [50, 99, 99.9]) / 1e3
        print(f"{name:<18} {who:<6} p50 {p50:7.2f} us   p99 {p99:7.2f} us   p99.9 {p999:7.2f} us")
    print(f"{name:<18} ratio of the medians, numpy / ours: {np.median(reference) / np.median(ours):.1f}x")


def by_name(rows: list[tuple[int, int, int]], classes: int) -> None:
    """Print what one annotation costs a stream that knows names, and its gap from the batch."""
    print(f"{'by name':<40} {'take in':>9} {'withdraw':>9} {'refit':>8}   gap from the batch, then after it")
    for half_life in (math.inf, len(rows) / 4):
        model = StreamingDawidSkene(range(classes), FIXED, half_life)
        took = cpu_microseconds(lambda m=model: [m.partial_fit(*row) for row in rows]) / len(rows)
        gap = model.gap_to_batch()
        swept = cpu_microseconds(model.refit) / len(rows)
        closed = model.gap_to_batch()
        out = cpu_microseconds(lambda m=model: [m.withdraw(*row[:2]) for row in rows[-LAST:]]) / LAST
        name = "labels" if math.isinf(half_life) else "labels, forgetting"
        print(f"{name:<40} {took:>6.1f} us {out:>6.1f} us {swept:>5.1f} us   {gap:.4f}, {closed:.4f}")


def preferences(rng: np.random.Generator, items: int, comparisons: int) -> None:
    """Print the same of comparisons of items whose scores are normal."""
    scores = rng.normal(0.0, 1.5, items)
    left = rng.integers(items, size=comparisons)
    right = (left + rng.integers(1, items, comparisons)) % items
    wins = rng.random(comparisons) < 1.0 / (1.0 + np.exp(scores[right] - scores[left]))
    rows = list(zip(left.tolist(), right.tolist(), np.where(wins, LEFT, RIGHT).tolist(), strict=True))
    for half_life in (math.inf, comparisons / 4):
        model = OnlineBradleyTerry(half_life=half_life)
        took = cpu_microseconds(lambda m=model: [m.partial_fit(*row) for row in rows]) / len(rows)
        gap = model.gap().mean
        swept = cpu_microseconds(model.refit) / len(rows)
        closed = model.gap().mean
        out = cpu_microseconds(lambda m=model: [m.remove(*row) for row in rows[-LAST:]]) / LAST
        name = f"comparisons of {items} items" + ("" if math.isinf(half_life) else ", forgetting")
        print(f"{name:<40} {took:>6.1f} us {out:>6.1f} us {swept:>5.1f} us   {gap:.4f}, {closed:.4f}")


def cpu_microseconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--per-task", type=int, default=5)
    parser.add_argument(
        "--pooled", action="store_true", help="let our prior follow the pool, as it does by default"
    )
    options = parser.parse_args()
    tasks, classes, per_task = options.tasks, options.classes, options.per_task

    rng = np.random.default_rng(0)
    truth = rng.integers(classes, size=tasks)
    matrices = np.argsort(rng.random((tasks, WORKERS)), axis=1)[:, :per_task].astype(np.int32)
    right = rng.random((tasks, per_task)) < 0.8
    wrong = (truth[:, np.newaxis] + rng.integers(1, classes, (tasks, per_task))) % classes
    labels = np.where(right, truth[:, np.newaxis], wrong).astype(np.int32)

    model = OnlineDawidSkene(classes, ConfusionPrior() if options.pooled else FIXED)
    model.add_tasks(tasks)
    for _ in range(WORKERS):
        model.add_matrix()
    reference = NumpyModel(tasks, classes)
    print(f"{tasks:,} tasks x {per_task} labels, {classes} classes, {WORKERS} workers")
    ours = timed(
        lambda task, n: model.reestimate(
            task, matrices[task], labels[task], n, matrices[task], labels[task], n + 1
        ),
        tasks,
        per_task,
    )
    theirs = timed(lambda task, n: reference.append(task, matrices[task], labels[task], n), tasks, per_task)
    if not options.pooled:
        np.testing.assert_allclose(model.posteriors[:tasks], reference.posteriors, atol=1e-9)
    report("reestimate", ours, theirs)

    cells = rng.dirichlet(np.ones(classes), CELLS)
    out = np.empty(CELLS)

    def numpy_information(matrix: int, _: int) -> None:
        shares = model.confusion[matrix] / model.row_sums[matrix][:, np.newaxis]
        given = (shares * np.log2(shares)).sum(axis=1)
        label = cells @ shares
        out[:] = cells @ given - (label * np.log2(label)).sum(axis=1)

    report(
        f"{CELLS} cells' values",
        timed(lambda m, _: fill_information(model.confusion, model.row_sums, m, cells, out), WORKERS, 50),
        timed(numpy_information, WORKERS, 50),
    )
    rounds = [
        (task, int(matrices[task, n]), int(labels[task, n])) for n in range(per_task) for task in range(tasks)
    ]
    by_name(rounds, classes)
    preferences(rng, 100, 20_000)


if __name__ == "__main__":
    main()
