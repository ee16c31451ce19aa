"""GLAD and MACE beside crowd-kit's, whose MACE follows the order of the rows: accuracy over several orders.

    python benchmarks/bench_aggregation_orders.py [--orders 10] [--largest 12000] [CROWD ...]

Ours is fitted once, for its results do not depend on the order; crowd-kit's MACE once per order, the rows
shuffled with seeds 0, 1, ..., and its GLAD once. Ties count by chance. Target: within 0.5 points of
crowd-kit's mean or better, on every crowd of 300 gold tasks or more, the smaller ones taken together.
Crowds of more labels than ``--largest`` are left out: crowd-kit takes minutes for each order.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from recorded import CHOICE_CROWDS, datasets

from crowdroute.aggregation import GLAD, MACE, AnnotationSet, read_annotations, read_gold
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crowds", nargs="*", default=CHOICE_CROWDS)
    parser.add_argument("--orders", type=int, default=10)
    parser.add_argument("--largest", type=int, default=12_000)
    options = parser.parse_args()
    # crowd-kit calls pandas in ways that pandas deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    folder = datasets()
    small: list[NDArray[np.float64]] = []
    print(
        f"{'crowd':<18}{'gold':>6}{'GLAD':>8}{'theirs':>8}{'apart':>7}{'MACE':>8}"
        f"{'theirs, orders':>24}{'apart':>7}{'seconds':>16}"
    )
    for name in options.crowds:
        annotations = read_annotations(folder / name / "labels.csv.gz", repeats="first")
        if len(annotations) > options.largest:
            continue
        gold = annotations.gold_codes(read_gold(folder / name / "gold.csv.gz"))
        start = time.perf_counter()
        ours = [right_on(model.fit(annotations).predict_proba(), gold) for model in (GLAD(), MACE())]
        between = time.perf_counter()
        glad = right_on(CrowdKitReference("GLAD").fit(annotations).predict_proba(), gold)
        maces = [right_on(shuffled_mace(annotations, seed), gold) for seed in range(options.orders)]
        end = time.perf_counter()
        mace = np.mean(maces, axis=0)
        apart = [100 * (ours[0] - glad).mean(), 100 * (ours[1] - mace).mean()]
        spread = [one.mean() for one in maces]
        if len(glad) < LARGE:
            small.append(np.stack([ours[0] - glad, ours[1] - mace]))
        print(
            f"{name:<18}{len(glad):>6}{ours[0].mean():>8.4f}{glad.mean():>8.4f}{apart[0]:>+7.2f}"
            f"{ours[1].mean():>8.4f}{mace.mean():>8.4f} ({min(spread):.4f}-{max(spread):.4f})"
            f"{apart[1]:>+7.2f}{between - start:>7.2f} {end - between:>8.1f}",
            flush=True,
        )
    if small:
        pooled = 100 * np.concatenate(small, axis=1).mean(axis=1)
        print(f"{len(small)} small ones together: GLAD {pooled[0]:+.2f}, MACE {pooled[1]:+.2f} points")


if __name__ == "__main__":
    main()
