"""Batch models beside crowd-kit's: the same labels, as many iterations, one core, one run.

    python benchmarks/bench_aggregation_batch.py [--model dawid-skene|one-coin|glad|mace]
        [--labels 1000000] [--classes 4] [--repeats 3]
    python benchmarks/bench_aggregation_batch.py --alone --labels 10000000 --iterations 20
    python benchmarks/bench_aggregation_batch.py --threads 2 [--classes 10] [--labels 10000000]
    python benchmarks/bench_aggregation_batch.py --float32 [--classes 10]

Simulated crowd: five labels per task, one worker per 200 labels, 8 % who guess, the others right in 55 % to
95 % of cases. Both are given their own input ready-made (an annotation set, a data frame): only fitting is
timed. Dawid-Skene and one-coin end by themselves, after as many iterations in both; GLAD and MACE do as many
as told (an M-step of crowd-kit's GLAD is up to 25 steps of conjugate gradients, of ours one of Newton's).
``--alone`` measures time and memory without crowd-kit. ``--threads`` does the same fit in one thread and in
several, in turns: the wall time, of which the best of many counts, needs as many free cores; where there are
none, the time foretold from CPU seconds, what the main thread does alone and an even share of the rest, says
what dividing the work leaves to gain. ``--float32`` does the same fit in either precision, in turns.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from crowdroute.aggregation import (
    GLAD,
    MACE,
    AnnotationSet,
    CategoricalEstimator,
    DawidSkene,
    OneCoinDawidSkene,
)

PER_TASK = 5
LABELS_PER_WORKER = 200

EXACT = ("dawid-skene", "one-coin")
"""Those that give crowd-kit's numbers."""

NEVER = -1e9
"""A tolerance that no iteration meets."""


def simulated(n_labels: int, n_classes: int) -> AnnotationSet:
    rng = np.random.default_rng(0)
    n_tasks = n_labels // PER_TASK
    n_workers = max(n_labels // LABELS_PER_WORKER, 50)
    truth = rng.integers(n_classes, size=n_tasks)
    accuracy = np.where(rng.random(n_workers) < 0.08, 1 / n_classes, rng.uniform(0.55, 0.95, n_workers))
    tasks = np.repeat(np.arange(n_tasks), PER_TASK)
    # Five different workers: one at random, and those at fixed distances around the circle.
    first = np.repeat(rng.integers(n_workers, size=n_tasks), PER_TASK)
    workers = (first + np.tile(np.arange(PER_TASK), n_tasks) * (n_workers // PER_TASK)) % n_workers
    right = rng.random(len(tasks)) < accuracy[workers]
    wrong = (truth[tasks] + rng.integers(1, n_classes, len(tasks))) % n_classes
    order = rng.permutation(len(tasks))
    labels = np.where(right, truth[tasks], wrong)
    return AnnotationSet.from_sequences(tasks[order], workers[order], labels[order])


def models(name: str, iterations: int) -> tuple[CategoricalEstimator, Callable[[], Any]]:
    """Return ours, and what makes crowd-kit's."""
    from crowdkit import aggregation

    if name == "dawid-skene":
        return DawidSkene(), aggregation.DawidSkene
    if name == "one-coin":
        return OneCoinDawidSkene(), aggregation.OneCoinDawidSkene
    if name == "glad":
        return GLAD(iterations, NEVER), lambda: aggregation.GLAD(n_iter=iterations, tol=NEVER)
    return (
        MACE(2, iterations, NEVER),
        lambda: aggregation.MACE(n_restarts=2, n_iter=iterations),
    )


def beside_crowd_kit(name: str, annotations: AnnotationSet, iterations: int, repeats: int) -> None:
    # One core for both, whatever threads their libraries start.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # crowd-kit calls pandas in ways that pandas deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    frame = pd.DataFrame(
        {"task": annotations.tasks, "worker": annotations.workers, "label": annotations.labels}
    )
    model, theirs = models(name, iterations)
    small = simulated(2_000, annotations.n_classes)
    start = time.perf_counter()
    model.fit(small)
    print(
        f"{name}, first call, loading compiled code: {time.perf_counter() - start:.2f} s; CPU seconds below"
    )
    print(
        f"{'run':>3} {'iterations':>10} {'ours':>8} {'crowd-kit':>10} {'ratio':>7} {'largest difference':>19}"
    )
    ratios = []
    for run in range(1, repeats + 1):
        start = time.process_time()
        ours = model.fit(annotations)
        between = time.process_time()
        reference = theirs().fit(frame)
        end = time.process_time()
        if name in EXACT and ours.n_iter_ != len(reference.loss_history_):
            raise SystemExit(f"{ours.n_iter_} iterations here, {len(reference.loss_history_)} in crowd-kit")
        probabilities = reference.probas_.reindex(
            index=range(annotations.n_tasks), columns=range(annotations.n_classes)
        )
        difference = np.abs(ours.predict_proba() - probabilities.to_numpy()).max()
        ratios.append((end - between) / (between - start))
        print(
            f"{run:>3} {ours.n_iter_:>10} {between - start:>12.3f} {end - between:>10.3f}"
            f" {ratios[-1]:>6.1f}x {difference:>19.1e}",
            flush=True,
        )
    print(f"median ratio {np.median(ratios):.1f}x")


def alone(annotations: AnnotationSet, iterations: int) -> None:
    start = time.process_time()
    DawidSkene(iterations, NEVER).fit(annotations)
    took = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{iterations} iterations: {took:.2f} CPU seconds; peak memory with the labels {peak:.2f} GiB")


def on_cores(annotations: AnnotationSet, threads: int, iterations: int, repeats: int) -> None:
    print(f"ms per iteration, of {iterations}, beginning and end included")
    print(
        f"{'run':>3} {'1 thread':>9} {f'{threads} threads':>10} {'ratio':>6}"
        f"   CPU: {'1':>6} {threads:>6}   foretold: {threads:>6} {'ratio':>6}"
    )
    DawidSkene(1).fit(annotations)
    seen = []
    for run in range(1, repeats + 1):
        wall, cpu, main = np.array([one_fit(annotations, n, iterations) for n in (1, threads)]).T
        foretold = main[1] + (cpu[1] - main[1]) / threads
        seen.append((*wall, *cpu, foretold))
        print_cores(str(run), seen[-1])
    best = np.min(seen, axis=0)
    print_cores("best", (best[0], best[1], best[2], best[3], best[4]))


def one_fit(annotations: AnnotationSet, threads: int, iterations: int) -> tuple[float, float, float]:
    """Return the wall time, the CPU time, and that of the main thread, in ms per iteration."""
    start = time.perf_counter(), time.process_time(), time.thread_time()
    DawidSkene(iterations, NEVER, threads).fit(annotations)
    end = time.perf_counter(), time.process_time(), time.thread_time()
    wall, cpu, main = ((then - since) * 1e3 / iterations for then, since in zip(end, start, strict=True))
    return wall, cpu, main


def print_cores(run: str, seen: tuple[float, ...]) -> None:
    one, several, cpu_one, cpu_several, foretold = seen
    print(
        f"{run:>4} {one:>8.1f} {several:>10.1f} {one / several:>5.2f}x   {cpu_one:>11.1f} {cpu_several:>6.1f}"
        f"   {foretold:>16.1f} {cpu_one / foretold:>5.2f}x",
        flush=True,
    )


def in_precisions(annotations: AnnotationSet, iterations: int, repeats: int) -> None:
    print(f"CPU ms per iteration, of {iterations}, beginning and end included")
    print(f"{'run':>3} {'float64':>8} {'float32':>8} {'ratio':>6} {'largest difference':>19}")
    for precision in ("float64", "float32"):
        DawidSkene(1, dtype=precision).fit(annotations)
    for run in range(1, repeats + 1):
        start = time.process_time()
        exact = DawidSkene(iterations, NEVER).fit(annotations)
        between = time.process_time()
        short = DawidSkene(iterations, NEVER, dtype="float32").fit(annotations)
        end = time.process_time()
        double, single = ((a - b) * 1e3 / iterations for a, b in ((between, start), (end, between)))
        apart = np.abs(exact.predict_proba() - short.predict_proba()).max()
        print(f"{run:>3} {double:>8.1f} {single:>8.1f} {double / single:>5.2f}x {apart:>19.1e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", choices=("dawid-skene", "one-coin", "glad", "mace"), default="dawid-skene")
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=5, help="of all but EM beside crowd-kit")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--float32", action="store_true")
    options = parser.parse_args()
    annotations = simulated(options.labels, options.classes)
    print(
        f"{len(annotations):,} labels, {annotations.n_tasks:,} tasks, {annotations.n_workers:,} workers,"
        f" {annotations.n_classes} classes"
    )
    if options.alone:
        alone(annotations, options.iterations)
    elif options.threads > 1:
        on_cores(annotations, options.threads, options.iterations, options.repeats)
    elif options.float32:
        in_precisions(annotations, options.iterations, options.repeats)
    else:
        beside_crowd_kit(options.model, annotations, options.iterations, options.repeats)


if __name__ == "__main__":
    main()
