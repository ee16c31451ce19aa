"""Recorded crowds through the core under its default rules: labels used and accuracy, beside fixed overlap.

    python benchmarks/bench_replay.py [--seeds 3] [--processes 1] [CROWD ...]

Reference, in the same run: the same crowd with a fixed number of labels per task, drawn by chance, aggregated
by majority vote and by Dawid-Skene; its accuracy is read off the line between the two nearest overlaps at the
number of labels that the policy used. `lead` is the policy's accuracy less the better of the two, in points.
Gold only scores. Means over the seeds; crowds without gold show only the labels used.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import NamedTuple

import msgspec
from recorded import datasets

from crowdroute.router.policy.registry import POLICIES
from crowdroute.router.replay.baselines import FixedOverlap, fixed_overlap_curve
from crowdroute.router.replay.in_process import InProcessReplay
from crowdroute.router.replay.recorded import RecordedCrowd, default_rules, read_crowd
from crowdroute.router.replay.report import score_of

CONCURRENCY = 16


class Row(NamedTuple):
    """One policy on one crowd with one seed; accuracies are None without gold."""

    crowd: str
    labels: int
    policy: str
    used: float
    """Share of the recorded labels."""
    finalised: float
    accuracy: float | None
    votes: float | None
    fitted: float | None
    cycles: float
    """Labels per second."""


def categorical() -> list[str]:
    """Give the names of all crowds that answer single choices."""
    found = datasets().glob("*/README.md")
    return sorted(
        readme.parent.name
        for readme in found
        if "- kind: categorical\n" in readme.read_text(encoding="utf-8")
    )


def read(name: str) -> RecordedCrowd:
    gold = datasets() / name / "gold.csv.gz"
    return read_crowd(datasets() / name / "labels.csv.gz", gold if gold.exists() else None)


def at(curve: list[FixedOverlap], labels: int) -> tuple[float, float] | None:
    """Give the accuracy of majority vote and of Dawid-Skene at a number of labels; before one label per task
    that of one."""
    points = [
        (point.labels, point.majority_vote, point.dawid_skene)
        for point in curve
        if point.majority_vote is not None and point.dawid_skene is not None
    ]
    if not points:
        return None
    below = max((one for one in points if one[0] <= labels), default=points[0])
    above = min((one for one in points if one[0] >= labels), default=points[-1])
    part = (labels - below[0]) / (above[0] - below[0]) if above[0] > below[0] else 0.0
    return below[1] + part * (above[1] - below[1]), below[2] + part * (above[2] - below[2])


def play(name: str, seed: int) -> list[Row]:
    crowd = read(name)
    curve = fixed_overlap_curve(crowd, seed)
    rows = []
    for policy in POLICIES:
        rules = default_rules(crowd)
        rules = msgspec.structs.replace(rules, routing=msgspec.structs.replace(rules.routing, policy=policy))
        outcome = InProcessReplay(crowd, rules, seed, CONCURRENCY).play()
        fixed = at(curve, outcome.used)
        rows.append(
            Row(
                name,
                len(crowd.labels),
                policy,
                outcome.used / len(crowd.answers),
                outcome.finalised / len(crowd.tasks),
                score_of(crowd, outcome),
                fixed and fixed[0],
                fixed and fixed[1],
                outcome.used / outcome.seconds,
            )
        )
    return rows


def mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def cell(value: float | None) -> str:
    return f"{'–':>9}" if value is None else f"{value:>9.3f}"


def show(rows: list[Row], title: str) -> None:
    """Print the mean of rows of one crowd, a line per policy."""
    for policy in POLICIES:
        mine = [row for row in rows if row.policy == policy]
        accuracy = mean(row.accuracy for row in mine)
        votes, fitted = mean(row.votes for row in mine), mean(row.fitted for row in mine)
        lead = "–"
        if accuracy is not None and votes is not None and fitted is not None:
            lead = f"{100 * (accuracy - max(votes, fitted)):+.1f}"
        print(
            f"{title:<22}{policy:<18}"
            + "".join(map(cell, (mean(row.used for row in mine), mean(row.finalised for row in mine))))
            + "".join(map(cell, (accuracy, votes, fitted)))
            + f"{lead:>7}{fmean(row.cycles for row in mine):>9.0f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crowds", nargs="*", default=categorical())
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    print(
        f"{'crowd (labels)':<22}{'policy':<18}{'used':>9}{'final':>9}{'accuracy':>9}{'votes':>9}{'DS':>9}"
        f"{'lead':>7}{'cycles/s':>9}"
    )
    every: list[Row] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for name in options.crowds:
            played = pool.map(play, [name] * options.seeds, range(options.seeds))
            rows = [row for several in played for row in several]
            show(rows, f"{name} ({rows[0].labels})")
            every += rows
    show(every, "mean")


if __name__ == "__main__":
    main()
