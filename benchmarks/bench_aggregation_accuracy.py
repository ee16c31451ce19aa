"""Accuracy on recorded crowds: one online pass beside batch models, votes and crowd-kit's Dawid-Skene.

    python benchmarks/bench_aggregation_accuracy.py [--orders 5] [CROWD ...]
    python benchmarks/bench_aggregation_accuracy.py --table docs/aggregation.md
    python benchmarks/bench_aggregation_accuracy.py --kinds-table docs/aggregation.md

Gold only scores. Repeated (task, worker) pairs keep the first label. A tie of the votes counts by chance. The
online columns are means over random orders of arrival, one pass, no refit; their prior follows the pool, or
stays fixed. The log-loss (nats per task, a probability counted as at least 1e-6) punishes confidence in wrong
labels. With ``--table`` the accuracies of every model beside crowd-kit's are written into the document
instead; with ``--kinds-table``, those of answers that are more than one label.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from accuracy_table import write_table
from kinds_table import write_kinds_table
from numpy.typing import NDArray
from recorded import CHOICE_CROWDS, datasets

from crowdroute.aggregation import (
    AnnotationSet,
    ConfusionPrior,
    MajorityVote,
    OnlineDawidSkene,
    SmoothedDawidSkene,
    read_annotations,
    read_gold,
)
from crowdroute.aggregation.annotations import UNKNOWN
from crowdroute.aggregation.reference import CrowdKitReference

COLUMNS = (
    "votes",
    "crowd-kit DS",
    "smoothed",
    "online",
    "online fixed",
    "loss smoothed",
    "loss online",
    "loss fixed",
)


def online(annotations: AnnotationSet, seed: int, prior: ConfusionPrior) -> NDArray[np.float64]:
    """Return the posteriors after one pass over the annotations in random order."""
    model = OnlineDawidSkene(annotations.n_classes, prior)
    model.add_tasks(annotations.n_tasks)
    rows: dict[int, int] = {}
    most = int(np.bincount(annotations.tasks).max())
    matrices = np.zeros((annotations.n_tasks, most), dtype=np.int32)
    labels = np.zeros_like(matrices)
    count = [0] * annotations.n_tasks
    for place in np.random.default_rng(seed).permutation(len(annotations)).tolist():
        task, worker = int(annotations.tasks[place]), int(annotations.workers[place])
        if worker not in rows:
            rows[worker] = model.add_matrix()
        n = count[task]
        task_matrices, task_labels = matrices[task], labels[task]
        task_matrices[n], task_labels[n] = rows[worker], annotations.labels[place]
        model.reestimate(task, task_matrices, task_labels, n, task_matrices, task_labels, n + 1)
        count[task] = n + 1
    return model.posteriors[: annotations.n_tasks]


def scores(posteriors: NDArray[np.float64], gold: NDArray[np.int32]) -> tuple[float, float]:
    """Return accuracy and log-loss on the tasks with gold."""
    known = np.flatnonzero(gold != UNKNOWN)
    right = posteriors[known].argmax(axis=1) == gold[known]
    loss = -np.log(np.maximum(posteriors[known, gold[known]], 1e-6))
    return float(right.mean()), float(loss.mean())


def vote_accuracy(annotations: AnnotationSet, gold: NDArray[np.int32]) -> float:
    """Return the accuracy of the majority vote when ties are broken at random."""
    known = np.flatnonzero(gold != UNKNOWN)
    shares = MajorityVote().fit(annotations).posteriors_[known]
    leads = shares == shares.max(axis=1, keepdims=True)
    return float((leads[np.arange(len(known)), gold[known]] / leads.sum(axis=1)).mean())


def row(annotations: AnnotationSet, gold: NDArray[np.int32], orders: int) -> list[float]:
    smoothed = scores(SmoothedDawidSkene().fit(annotations).posteriors_, gold)
    pooled, fixed = (
        np.mean([scores(online(annotations, seed, prior), gold) for seed in range(orders)], axis=0)
        for prior in (ConfusionPrior(), ConfusionPrior(pool_share=0.0))
    )
    return [
        vote_accuracy(annotations, gold),
        scores(CrowdKitReference().fit(annotations).posteriors_, gold)[0],
        smoothed[0],
        pooled[0],
        fixed[0],
        smoothed[1],
        pooled[1],
        fixed[1],
    ]


def line(name: str, values: list[float]) -> str:
    return f"{name:<22}" + "".join(f"{value:>14.4f}" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crowds", nargs="*", default=CHOICE_CROWDS)
    parser.add_argument("--orders", type=int, default=5)
    parser.add_argument("--table", type=Path, help="document to write the table of all models into")
    parser.add_argument("--kinds-table", type=Path, help="document to write the tables of other kinds into")
    options = parser.parse_args()
    folder = datasets()
    if options.table:
        write_table(options.table, folder, options.crowds)
        return
    if options.kinds_table:
        write_kinds_table(options.kinds_table, folder)
        return
    print(f"{'crowd (classes)':<22}" + "".join(f"{column:>14}" for column in COLUMNS))
    table = []
    for name in options.crowds:
        annotations = read_annotations(folder / name / "labels.csv.gz", repeats="first")
        gold = annotations.gold_codes(read_gold(folder / name / "gold.csv.gz"))
        table.append(row(annotations, gold, options.orders))
        print(line(f"{name} ({annotations.n_classes})", table[-1]), flush=True)
    print(line("mean", np.mean(table, axis=0).tolist()))


if __name__ == "__main__":
    main()
