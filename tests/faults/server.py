"""`crowdroute serve` with what a test needs besides: snapshots after few batches, or a seeded bug.

    python -m tests.faults.server [--snapshot-every BATCHES] [--replies-early] -- serve --dir DIRECTORY ...

Everything after `--` goes to the product's own command line.
"""

from __future__ import annotations

import argparse
import functools
import sys

from tests.support.seeded_bugs import RepliesLongBefore

from crowdroute.router.cli import run
from crowdroute.router.runtime import engine, serving
from crowdroute.router.runtime.snapshot_feed import SnapshotFeed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--snapshot-every", type=int)
    parser.add_argument("--replies-early", action="store_true")
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    if options.snapshot_every is not None:
        serving.SnapshotFeed = functools.partial(SnapshotFeed, every_batches=options.snapshot_every)
    if options.replies_early:
        engine.ShardLoop = RepliesLongBefore
    sys.exit(run(options.arguments))


if __name__ == "__main__":
    main()
