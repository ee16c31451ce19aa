"""Krippendorff's alpha beside the krippendorff package: the same labels, one core, one run.

    python benchmarks/bench_agreement.py [--labels 1000000] [--classes 4] [--repeats 5]

Five labels per task that agree in 70 % of cases. Twice, each with its own input ready-made: from labels (the
package reads one row per rater, five of them, since it does not matter who gave a label; ours an annotation
set), and from counts (tasks x labels, as both take). Then what one label more costs when the counts are kept.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import krippendorff
import numpy as np

from crowdroute.aggregation import AgreementCounts, AnnotationSet

PER_TASK = 5
LEVELS = ("nominal", "ordinal", "interval")
UPDATES = 20_000


def cpu_seconds(call: Callable[[], float]) -> tuple[float, float]:
    start = time.process_time()
    value = call()
    return time.process_time() - start, value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rng = np.random.default_rng(0)
    n_tasks = options.labels // PER_TASK
    truth = rng.integers(options.classes, size=(n_tasks, 1))
    right = rng.random((n_tasks, PER_TASK)) < 0.7
    labels = np.where(right, truth, rng.integers(options.classes, size=(n_tasks, PER_TASK)))
    tasks, workers = np.divmod(np.arange(labels.size), PER_TASK)
    annotations = AnnotationSet.from_sequences(tasks, workers, labels.ravel())
    by_rater = np.ascontiguousarray(labels.T.astype(np.float64))
    counts = (labels[:, :, np.newaxis] == np.arange(options.classes)).sum(axis=1)

    def ours(agreement: AgreementCounts, level: str) -> float:
        found = agreement.krippendorff_alpha(level, confidence=None)  # type: ignore[arg-type]
        assert found is not None
        return found.value

    print(f"{labels.size:,} labels, {n_tasks:,} tasks, {options.classes} classes; CPU ms on one core, median")
    print(f"{'':<24}{'ours':>9}{'package':>9}{'ratio':>8}{'difference':>12}")
    for level in LEVELS:
        for source, here, there in (
            (
                "labels",
                lambda level=level: ours(AgreementCounts.from_annotations(annotations), level),
                lambda level=level: krippendorff.alpha(reliability_data=by_rater, level_of_measurement=level),
            ),
            (
                "counts",
                lambda level=level: ours(AgreementCounts.from_counts(counts), level),
                lambda level=level: krippendorff.alpha(value_counts=counts, level_of_measurement=level),
            ),
        ):
            runs = [(*cpu_seconds(here), *cpu_seconds(there)) for _ in range(options.repeats)]
            mine, theirs = (float(np.median([run[place] for run in runs])) for place in (0, 2))
            apart = max(abs(run[1] - run[3]) for run in runs)
            print(
                f"{level + ' from ' + source:<24}{mine * 1e3:>9.1f}{theirs * 1e3:>9.1f}"
                f"{theirs / mine:>7.1f}x{apart:>12.1e}"
            )
    kept = AgreementCounts.from_annotations(annotations)
    kept.add(0, 0)  # loads the compiled code
    chosen = list(zip(tasks[:UPDATES].tolist(), labels.ravel()[:UPDATES].tolist(), strict=True))
    spent, _ = cpu_seconds(lambda: sum(kept.add(task, label) or 0 for task, label in chosen))
    asked, _ = cpu_seconds(lambda: sum(ours(kept, "nominal") for _ in range(100)))
    print(
        f"one label more: {spent / UPDATES * 1e6:.2f} µs; alpha from kept counts: {asked / 100 * 1e6:.0f} µs"
    )


if __name__ == "__main__":
    main()
