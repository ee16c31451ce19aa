"""Intervals of workers' accuracy on recorded crowds: how often they hold it, and how wide they are.

    python benchmarks/bench_worker_intervals.py [--seeds 10] [CROWD ...]

The protocol, fixed before anything was tuned. Per crowd and seed: of each task at most five labels, drawn at
random, are seen. Of the tasks with gold, 200 at random, or half where there are fewer than 400, show their
gold; the rest measure. A worker counts who has at least 20 labels, seen or not, on the rest; the share of
those that is right is what every interval is held against. That share is itself a sample, so that an interval
of the exact accuracy would hold it somewhat less often than it says.

Three intervals of 95 %: *naive*, a Beta with the agreement of the model with itself as answers; *gold*, the
worker's own gold answers with Beta(2, 1); *peers*, ``crowdroute.workers.peers``. Coverage is the share of
(worker, seed) whose measured share lies inside, error the mean distance of the interval's mean from it.
*Fits* allows for the sample, and was added after the first run had shown how much it matters: the share of
(worker, seed) whose right answers lie in the 95 % that the same Beta foretells for so many (beta-binomial).
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from recorded import CHOICE_CROWDS, datasets
from scipy.special import betaincinv
from scipy.stats import betabinom

from crowdroute.aggregation import (
    AnnotationSet,
    SmoothedDawidSkene,
    peer_agreement,
    read_annotations,
    read_gold,
)
from crowdroute.aggregation.annotations import UNKNOWN
from crowdroute.aggregation.subsets import subset
from crowdroute.workers.peers import AccuracyIntervals, fit_peer_prior

CROWDS = [name for name in CHOICE_CROWDS if not name.startswith("quiz")]
"""The quizzes have fewer gold tasks than measuring a worker takes."""

SEEN_PER_TASK, GOLD_TASKS, LEAST_MEASURED = 5, 200, 20
WAYS = ("naive", "gold", "peers")


def beta(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> AccuracyIntervals:
    return AccuracyIntervals(
        right / (right + wrong),
        betaincinv(right, wrong, 0.025),
        1 - betaincinv(wrong, right, 0.025),
        right,
        wrong,
    )


def trial(annotations: AnnotationSet, truth: NDArray[np.int32], seed: int) -> NDArray[np.float64]:
    """Return (ways, measured workers, 4): whether it holds, whether it fits, width, error."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(annotations))
    by_task = shuffled[np.argsort(annotations.tasks[shuffled], kind="stable")]
    tasks = annotations.tasks[by_task]
    rank = np.arange(len(tasks)) - np.searchsorted(tasks, tasks)
    seen = subset(annotations, np.sort(by_task[rank < SEEN_PER_TASK]))
    with_gold = rng.permutation(np.flatnonzero(truth != UNKNOWN))
    shown = with_gold[: min(GOLD_TASKS, len(with_gold) // 2)]
    is_shown = np.zeros(len(truth), dtype=bool)
    is_shown[shown] = True

    worker_of = np.array(seen.worker_ids, dtype=np.int64)
    task_of = np.array(seen.task_ids, dtype=np.int64)
    seen_tasks, seen_truth = task_of[seen.tasks], truth[task_of[seen.tasks]]
    hit = (seen.labels == seen_truth) & is_shown[seen_tasks]
    right = np.bincount(seen.workers, weights=hit, minlength=seen.n_workers)
    checked = np.bincount(seen.workers, weights=is_shown[seen_tasks], minlength=seen.n_workers)

    model = SmoothedDawidSkene().fit(seen)
    agreement, labels, _ = peer_agreement(seen, model.confusion_, model.class_shares_)
    own = model.posteriors_[seen.tasks, seen.labels]
    agreed = np.bincount(seen.workers, weights=own, minlength=seen.n_workers)
    count = np.bincount(seen.workers, minlength=seen.n_workers)
    prior = fit_peer_prior(agreement, labels, right.astype(np.int64), checked.astype(np.int64))
    ways = (
        beta(agreed + 2, count - agreed + 1),
        beta(right + 2, checked - right + 1),
        prior.intervals(agreement, labels, right.astype(np.int64), checked.astype(np.int64)),
    )

    measuring = (truth[annotations.tasks] != UNKNOWN) & ~is_shown[annotations.tasks]
    measured = np.bincount(annotations.workers[measuring], minlength=annotations.n_workers)
    hits = annotations.labels[measuring] == truth[annotations.tasks[measuring]]
    share = np.bincount(annotations.workers[measuring], weights=hits, minlength=annotations.n_workers)
    judged = np.flatnonzero(measured[worker_of] >= LEAST_MEASURED)
    answers, good = measured[worker_of[judged]], share[worker_of[judged]]
    accuracy = good / answers
    rows = []
    for way in ways:
        mean, lower, upper, a, b = (column[judged] for column in way)
        holds = (lower <= accuracy) & (accuracy <= upper)
        fewest, most = betabinom.ppf([[0.025], [0.975]], answers, a, b)
        fits = (fewest <= good) & (good <= most)
        rows.append(np.stack([holds, fits, upper - lower, np.abs(mean - accuracy)], axis=1))
    return np.stack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crowds", nargs="*", default=CROWDS)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    folder = datasets()
    print(
        f"{'':<18}{'workers':>8} "
        + "".join(f"{f'{what} {way}':>15}" for what in ("coverage", "fits", "width", "error") for way in WAYS)
    )
    means = []
    for name in options.crowds:
        annotations = read_annotations(folder / name / "labels.csv.gz", repeats="first")
        truth = annotations.gold_codes(read_gold(folder / name / "gold.csv.gz"))
        found = np.concatenate([trial(annotations, truth, seed) for seed in range(options.seeds)], axis=1)
        if found.shape[1] == 0:
            print(f"{name:<18}{'no worker has 20 labels on tasks that measure':>50}")
            continue
        means.append(found.mean(axis=1).T.ravel())
        print(
            f"{name:<18}{found.shape[1] / options.seeds:>8.0f} "
            + "".join(f"{value:>15.3f}" for value in means[-1]),
            flush=True,
        )
    print(
        f"{'mean':<18}{'':>8} " + "".join(f"{value:>15.3f}" for value in np.mean(means, axis=0)),
    )


if __name__ == "__main__":
    main()
