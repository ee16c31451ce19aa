"""GLAD and MACE beside crowd-kit's, whose MACE follows the order of the rows: accuracy over several orders.

    python benchmarks/bench_aggregation_orders.py [--orders 10] [--glad-labels 12000] [CROWD ...]

Ours is fitted once, for its results do not depend on the order; crowd-kit's MACE once per order, the rows
shuffled with seeds 0, 1, ..., and its GLAD once. Ties count by chance. Target: within 0.5 points of
crowd-kit's mean or better, on every crowd of 300 gold tasks or more, the smaller ones taken together.
crowd-kit's GLAD takes minutes on large crowds: both GLADs then see a part of about ``--glad-labels`` labels,
marked with a star: tasks with gold first, drawn at random. MACE sees everything.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from recorded import CHOICE_CROWDS, datasets

from crowdroute.aggregation import GLAD, MACE, AnnotationSet, read_annotations, read_gold
from crowdroute.aggregation.annotations import UNKNOWN
from crowdroute.aggregation.reference import CrowdKitReference
from crowdroute.aggregation.selection import right_on

LARGE = 300


def shuffled_mace(annotations: AnnotationSet, seed: int) -> NDArray[np.float64]:
    """Return the probabilities of crowd-kit's MACE when it is given the rows in another order."""
    from crowdkit import aggregation

    order = np.random.default_rng(seed).permutation(len(annotations))
    frame = pd.DataFrame(
        {
            "task": annotations.tasks[order],
            "worker": annotations.workers[order],
            "label": annotations.labels[order],
        }
    )
    # Its restarts are all the same: one is enough.
    found = aggregation.MACE(n_restarts=1).fit_predict_proba(frame)
    found = found.reindex(
        index=range(annotations.n_tasks), columns=range(annotations.n_classes), fill_value=0
    )
    return found.to_numpy(dtype=np.float64)


def with_gold_first(
    annotations: AnnotationSet, gold: NDArray[np.int32], at_most: int
) -> tuple[AnnotationSet, NDArray[np.int32]]:
    """Return some tasks with all their labels, those with gold before the others, and their gold."""
    order = np.random.default_rng(0).permutation(annotations.n_tasks)
    order = order[np.argsort(gold[order] == UNKNOWN, kind="stable")]
    sizes = np.bincount(annotations.tasks, minlength=annotations.n_tasks)[order]
    drawn = np.zeros(annotations.n_tasks, dtype=bool)
    drawn[order[np.cumsum(sizes) <= at_most]] = True
    part = annotations.select(np.flatnonzero(drawn[annotations.tasks]))
    of_task = dict(zip(annotations.task_ids, gold.tolist(), strict=True))
    return part, np.array([of_task[task] for task in part.task_ids], dtype=np.int32)


def glads(annotations: AnnotationSet, gold: NDArray[np.int32]) -> list[NDArray[np.float64]]:
    """Return where our GLAD and crowd-kit's are right."""
    models = (GLAD(), CrowdKitReference("GLAD"))
    return [right_on(model.fit(annotations).predict_proba(), gold) for model in models]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crowds", nargs="*", default=CHOICE_CROWDS)
    parser.add_argument("--orders", type=int, default=10)
    parser.add_argument("--glad-labels", type=int, default=12_000)
    options = parser.parse_args()
    # crowd-kit calls pandas in ways that pandas deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    folder = datasets()
    small: dict[str, list[NDArray[np.float64]]] = {"GLAD": [], "MACE": []}
    print(
        f"{'crowd':<18}{'gold':>6}{'GLAD':>9}{'theirs':>8}{'apart':>7}{'MACE':>8}"
        f"{'theirs, orders':>24}{'apart':>7}"
    )
    for name in options.crowds:
        annotations = read_annotations(folder / name / "labels.csv.gz", repeats="first")
        gold = annotations.gold_codes(read_gold(folder / name / "gold.csv.gz"))
        ours = right_on(MACE().fit(annotations).predict_proba(), gold)
        theirs = [right_on(shuffled_mace(annotations, seed), gold) for seed in range(options.orders)]
        spread = [one.mean() for one in theirs]
        part, part_gold = with_gold_first(annotations, gold, options.glad_labels)
        glad, their_glad = glads(part, part_gold)
        if len(ours) < LARGE:
            small["GLAD"].append(glad - their_glad)
            small["MACE"].append(ours - np.mean(theirs, axis=0))
        star = "*" if len(part) < len(annotations) else ""
        print(
            f"{name:<18}{len(ours):>6}{glad.mean():>8.4f}{star:<1}{their_glad.mean():>8.4f}"
            f"{100 * (glad - their_glad).mean():>+7.2f}{ours.mean():>8.4f}{np.mean(spread):>8.4f}"
            f" ({min(spread):.4f}-{max(spread):.4f}){100 * (ours.mean() - np.mean(spread)):>+7.2f}",
            flush=True,
        )
    for model, apart in small.items():
        if apart:
            print(
                f"{len(apart)} small ones together: {model} {100 * np.concatenate(apart).mean():+.2f} points"
            )


if __name__ == "__main__":
    main()
