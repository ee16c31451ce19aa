"""Batch Dawid-Skene beside crowd-kit's: the same labels, the same iterations, one core, one run.

    python benchmarks/bench_aggregation_batch.py [--labels 1000000] [--classes 4] [--repeats 3]

Simulated crowd: five labels per task, one worker per 200 labels, 8 % who guess, the others right in 55 % to
95 % of cases. Both are given their own input ready-made (an annotation set, a data frame): only fitting is
timed.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings

import numpy as np
import pandas as pd

from crowdroute.aggregation import AnnotationSet, DawidSkene

PER_TASK = 5
LABELS_PER_WORKER = 200


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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    # One core for both, whatever threads their libraries start.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # crowd-kit calls pandas in ways that pandas deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    from crowdkit.aggregation import DawidSkene as CrowdKitDawidSkene

    annotations = simulated(options.labels, options.classes)
    frame = pd.DataFrame(
        {"task": annotations.tasks, "worker": annotations.workers, "label": annotations.labels}
    )
    small = simulated(2_000, options.classes)
    DawidSkene().fit(small)  # loads the compiled code
    print(
        f"{len(annotations):,} labels, {annotations.n_tasks:,} tasks, {annotations.n_workers:,} workers,",
        end=" ",
    )
    print(f"{annotations.n_classes} classes; CPU seconds on one core; ratio = crowd-kit / ours")
    print(
        f"{'run':>3} {'iterations':>10} {'ours':>8} {'crowd-kit':>10} {'ratio':>7} {'largest difference':>19}"
    )
    ratios = []
    for run in range(1, options.repeats + 1):
        start = time.process_time()
        ours = DawidSkene().fit(annotations)
        between = time.process_time()
        theirs = CrowdKitDawidSkene().fit(frame)
        end = time.process_time()
        if ours.n_iter_ != len(theirs.loss_history_):
            raise SystemExit(f"{ours.n_iter_} iterations here, {len(theirs.loss_history_)} in crowd-kit")
        reference = theirs.probas_.reindex(columns=range(annotations.n_classes)).to_numpy()
        difference = np.abs(ours.posteriors_ - reference).max()
        ratios.append((end - between) / (between - start))
        print(
            f"{run:>3} {ours.n_iter_:>10} {between - start:>8.3f} {end - between:>10.3f}"
            f" {ratios[-1]:>6.1f}x {difference:>19.1e}"
        )
    print(f"median ratio {np.median(ratios):.1f}x")


if __name__ == "__main__":
    main()
