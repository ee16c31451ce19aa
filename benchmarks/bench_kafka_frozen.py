"""What becomes of an engine on Kafka whose only broker is frozen for a minute under a crowd.

    python benchmarks/bench_kafka_frozen.py [--seconds 60] [--rounds 1]

Starts a broker of its own (as `make services-up` does) and `crowdroute serve`, which is started again a
second after it has ended, as by systemd. Two dozen annotators work through the Python client; the broker gets
SIGSTOP; importers then send several times what may wait for the disk; the broker gets SIGCONT. Told are the
acknowledgements that anybody got while it was frozen, the memory of the engine's process, and the time from
SIGCONT to the first receipt. The reference in the same run is a start of the same engine on the same log
while nothing is frozen: of the time until work goes on, a start is the part that cannot be saved.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

# For the crowd of the fault tests.
sys.path.extend(str(Path(__file__).resolve().parents[1] / part) for part in (".", "deploy/local"))

from tests.faults.kafka_frozen import Frozen, Phase, frozen
from tests.support.services import Services

TARGET_S = 10.0


def measure(seconds: float) -> Frozen:
    """Freeze a broker of its own once."""
    with tempfile.TemporaryDirectory(prefix="crowdroute-frozen-") as name:
        folder = Path(name)
        services = Services(folder / "services")
        services.up()
        try:
            return asyncio.run(frozen(folder, services, seconds))
        finally:
            services.down()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    columns = (
        "told while frozen",
        *(f"{phase}, MiB" for phase in Phase),
        "a start, s",
        "back after, s",
        "starts",
    )
    print("  ".join(f"{name:>17}" for name in ("frozen, s", *columns)))
    for _ in range(options.rounds):
        seen = measure(options.seconds)
        figures = (
            f"{seen.seconds:.0f}",
            f"{seen.told}",
            *(f"{seen.memory[phase]:.0f}" for phase in Phase),
            f"{seen.start_s:.1f}",
            f"{seen.back_s:.1f}",
            f"{len(seen.ends)}",
        )
        print("  ".join(f"{figure:>17}" for figure in figures), flush=True)
        print(f"importers were told: {dict(seen.refused)}; engines ended with: {seen.ends}")
        kept = seen.broken.ok and seen.told_otherwise.ok and not seen.errors
        print(
            f"targets: nothing told, back within {TARGET_S:.0f} s; everything kept: {'yes' if kept else 'NO'}"
        )


if __name__ == "__main__":
    main()
