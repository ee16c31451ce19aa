"""What it costs to begin: importing the library, and the first fit of each model.

    python benchmarks/bench_aggregation_start.py [--repeats 5]

Each figure is CPU time of a fresh interpreter, without its own start. Importing is beside numpy's, which it
needs, and crowd-kit's; target: 0.5 s, and none of the heavy libraries. The first fit of a model loads numba
and the model's compiled code, which numba compiles the first time on a machine (here: into an empty folder)
and keeps.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

HEAVY = ("numba", "llvmlite", "scipy", "pandas", "sklearn", "crowdkit", "pyarrow")

MODELS = (
    "MajorityVote()",
    "DawidSkene()",
    "DawidSkene(dtype='float32')",
    "SmoothedDawidSkene()",
    "OneCoinDawidSkene()",
    "GLAD()",
    "MACE()",
)

FIT = """
import crowdroute.aggregation as library
annotations = library.AnnotationSet.from_sequences([0, 0, 1], [0, 1, 0], [0, 1, 1])
start = time.process_time()
library.{model}.fit(annotations)
"""


def seconds(code: str, cache: str | None = None) -> tuple[float, list[str]]:
    """Return the CPU time of the code from its last ``start``, and the heavy libraries it has loaded."""
    whole = (
        f"import time\nstart = time.process_time()\n{code}\nspent = time.process_time() - start\n"
        f"import sys\nprint(spent, *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = os.environ | ({} if cache is None else {"NUMBA_CACHE_DIR": cache})
    done = subprocess.run(
        [sys.executable, "-c", whole], env=environment, capture_output=True, text=True, check=True
    )
    spent, *heavy = done.stdout.split()
    return float(spent), heavy


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print(f"{'import':<36} {'CPU s':>6} {'heavy libraries it loads'}")
    for name in ("numpy", "crowdroute.aggregation", "crowdkit.aggregation"):
        runs = [seconds(f"import {name}") for _ in range(repeats)]
        print(f"{name:<36} {np.median([spent for spent, _ in runs]):>6.2f} {' '.join(runs[0][1]) or 'none'}")
    print(f"\n{'first fit, CPU s':<36} {'compiles':>9} {'loads':>6}")
    for model in MODELS:
        with tempfile.TemporaryDirectory() as cache:
            compiles, _ = seconds(FIT.format(model=model), cache)
            loads = [seconds(FIT.format(model=model), cache)[0] for _ in range(repeats)]
        print(f"{model:<36} {compiles:>9.2f} {np.median(loads):>6.2f}", flush=True)


if __name__ == "__main__":
    main()
