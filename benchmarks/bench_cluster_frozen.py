"""What becomes of a cluster on Ray whose only broker is frozen for a minute under crowds.

    python benchmarks/bench_cluster_frozen.py [--seconds 60] [--rounds 1]      as root

Two actors serve two shards, with feeds, from a broker of their own; Ray, broker and actors have addresses of
their own, which takes root. A dozen annotators work in each shard through the Python client; the broker gets
SIGSTOP; importers then send several times what may wait for the disk; the broker gets SIGCONT. Told are the
acknowledgements that anybody got while it was frozen, the memory of the largest actor, and the time from
SIGCONT to the first receipt of each shard, and until the supervisor saw all of them served. The reference in
the same run is the same crowd while nothing is frozen: both actors are killed at once, and the clock runs
from there to the first receipt of each shard.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

# For the crowd of the fault tests.
sys.path.extend(str(Path(__file__).resolve().parents[1] / part) for part in (".", "deploy/local"))

from tests.faults.cluster_frozen import FrozenCluster, Verdict, crowded_cluster
from tests.faults.kafka_frozen import Phase

TARGET_S = 10.0


async def measure(folder: Path, seconds: float, rounds: int) -> Verdict:
    """Kill the actors of a cluster once, then freeze its broker so many times, and tell each."""
    async with crowded_cluster(folder) as crowded:
        reference = await crowded.killed()
        for _ in range(rounds):
            _tell(reference, await crowded.frozen(seconds))
        return await crowded.judged()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    columns = (
        "told while frozen",
        *(f"{phase}, MiB" for phase in Phase),
        "killed: back, s",
        "back after, s",
        "all served, s",
    )
    print("  ".join(f"{name:>17}" for name in ("frozen, s", *columns)))
    with tempfile.TemporaryDirectory(prefix="crowdroute-frozen-", ignore_cleanup_errors=True) as name:
        judged = asyncio.run(measure(Path(name), options.seconds, options.rounds))
    kept = judged.broken.ok and judged.told_otherwise.ok and not judged.errors
    print(
        f"targets: nothing told, every shard back within {TARGET_S:.0f} s; everything kept:"
        f" {'yes' if kept else 'NO'}, of {judged.answers} answers"
    )


def _tell(reference: dict[int, float], seen: FrozenCluster) -> None:
    figures = (
        f"{seen.seconds:.0f}",
        f"{seen.told}",
        *(f"{seen.memory[phase]:.0f}" for phase in Phase),
        _by_shard(reference),
        _by_shard(seen.back_s),
        f"{seen.served_s:.1f}",
    )
    print("  ".join(f"{figure:>17}" for figure in figures))
    print(f"importers were told: {dict(seen.refused)}; load {os.getloadavg()[0]:.1f}", flush=True)


def _by_shard(seconds: dict[int, float]) -> str:
    return " / ".join(f"{seconds[shard]:.1f}" for shard in sorted(seconds))


if __name__ == "__main__":
    main()
