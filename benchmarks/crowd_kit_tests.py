"""crowd-kit's own tests run against our classes of the same names; they stay in crowd-kit's repository.

    git clone https://github.com/Toloka/crowd-kit
    python benchmarks/crowd_kit_tests.py crowd-kit [pytest arguments]

Before its tests are read, every class of ``crowdroute.aggregation.crowdkit`` takes its namesake's place in
``crowdkit.aggregation``, which is what changing the import does.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import crowdkit.aggregation
import pytest

from crowdroute.aggregation import crowdkit as ours

FILES = ("classification_aggregation", "classification_aggregation_edge_cases", "ds_aggregation")
FURTHER = ("glad_aggregation", "mace_aggregation", "majority_vote")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clone", type=Path, help="a checkout of crowd-kit")
    options, further = parser.parse_known_args()
    for name in ours.__all__:
        setattr(crowdkit.aggregation, name, getattr(ours, name))
    folder = options.clone.resolve()
    files = [str(folder / "tests" / "aggregation" / f"test_{name}.py") for name in (*FILES, *FURTHER)]
    # An installed crowd-kit, not the checkout, is what its tests must find.
    arguments = ["-q", "-p", "no:cacheprovider", "-W", "ignore", f"--rootdir={folder}"]
    raise SystemExit(pytest.main([*arguments, "--import-mode=importlib", *files, *further]))


if __name__ == "__main__":
    main()
