"""Simulates more annotators than one machine can play: how busy shards are, and how long a label waits.

    python benchmarks/simulate_scale.py [--cost-us 242] [--pace-s 10] [--seed 1]

Not a measurement: a queue of which only the time that a cycle takes was measured (`bench_rpc_cycle.py`,
on the slower of two days). Annotators answer after an exponential time, independently, so that labels
reach a shard as a Poisson stream; a shard is one server that takes each label in turn (M/D/1, by
Lindley's recursion: D. V. Lindley, The theory of queues with a single server, 1952). Projects have sizes
as unequal as Zipf's law with exponent 1 makes them, none above the largest that a row allows, and each is
given to the shard with the fewest projects, as the engine does: of those the busiest shard is looked at.
What is left out: the wait for the disk, which comes on top, and the calls between shards.
"""

from __future__ import annotations

import argparse

import numpy as np

SHARE = 0.6
"""Of a core, that is planned with: the rest is for catching up."""
LABELS = 400_000
"""Labels that are simulated for each row."""
COLUMNS = (
    "annotators",
    "shards",
    "projects",
    "largest",
    "mean busy",
    "busiest",
    "wait p50 ms",
    "wait p99 ms",
)


def waits(rate: float, cost_s: float, chance: np.random.Generator) -> np.ndarray:
    """Give how long each label waits until it has been carried out, in seconds, in their order.

    Args:
        rate: labels a second.
        cost_s: seconds that one takes.
        chance: says when they come.
    """
    # Lindley: the wait is how far the sum of cost minus gap stands above its lowest value so far.
    steps = np.cumsum(cost_s - chance.exponential(1 / rate, LABELS))
    return steps - np.minimum.accumulate(np.minimum(steps, 0.0)) + cost_s


def busiest(annotators: int, shards: int, projects: int, most: float, chance: np.random.Generator) -> float:
    """Give the annotators of the shard that has most of them.

    Args:
        annotators: of all projects.
        shards: to which projects are given, each to the one with the fewest.
        projects: of Zipf's sizes, in an order by chance.
        most: annotators of one project.
        chance: says the order.
    """
    sizes = 1 / np.arange(1, projects + 1)
    sizes *= annotators / sizes.sum()
    for _ in range(projects):  # what is above the most goes to those below it
        above = np.clip(sizes - most, 0, None).sum()
        if above < 1:
            break
        sizes = np.minimum(sizes, most)
        below = sizes < most
        sizes[below] += above * sizes[below] / sizes[below].sum()
    chance.shuffle(sizes)
    return float(np.bincount(np.arange(projects) % shards, weights=sizes, minlength=shards).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cost-us", type=float, default=242.0, help="CPU of a label cycle")
    parser.add_argument("--pace-s", type=float, default=10.0, help="seconds that a label takes an annotator")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = np.random.default_rng(options.seed)
    cost_s = options.cost_us * 1e-6
    carried = SHARE / cost_s * options.pace_s
    print(f"one shard carries {carried:,.0f} annotators at {SHARE:.0%} of a core")
    print("  ".join(f"{name:>11}" for name in COLUMNS))
    for annotators, shards, projects, largest in (
        (10_000, 1, 10, 10_000),
        (25_000, 1, 10, 25_000),
        (35_000, 1, 10, 35_000),
        (40_000, 1, 10, 40_000),
        (100_000, 8, 100, 25_000),
        (100_000, 8, 100, 5_000),
        (1_000_000, 41, 1_000, 25_000),
        (1_000_000, 64, 1_000, 25_000),
        (1_000_000, 64, 1_000, 5_000),
        (1_000_000, 64, 2_000, 2_000),
        (1_000_000, 82, 2_000, 2_000),
    ):
        most = busiest(annotators, shards, projects, largest, chance)
        busy = most / options.pace_s * cost_s
        row = [f"{annotators:,}", f"{shards}", f"{projects:,}", f"{largest:,}"]
        row += [f"{annotators / shards / options.pace_s * cost_s:.0%}", f"{busy:.0%}"]
        if busy < 1:
            p50, p99 = np.percentile(waits(most / options.pace_s, cost_s, chance), (50, 99))
            row += [f"{p50 * 1e3:.2f}", f"{p99 * 1e3:.2f}"]
        else:
            row += ["grows", "grows"]
        print("  ".join(f"{cell:>11}" for cell in row))


if __name__ == "__main__":
    main()
