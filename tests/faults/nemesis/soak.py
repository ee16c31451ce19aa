"""The nemesis for as long as one likes.

    python -m tests.faults.nemesis.soak --minutes 30 [--cluster] [--seed 1] [--json FILE]

Rounds of every fault, each over a new folder and with the next seed, until the time is over; a round that has
begun is finished. One engine over files, or with `--cluster` new Ray nodes, brokers and Redis each time. Ends
with 1 when a promise was broken; its folder is kept then, and the seed repeats its schedule.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from tests.faults.nemesis import FAULTS
from tests.faults.nemesis.campaign import Wanted, campaign
from tests.faults.nemesis.report import Account, Struck

Round = Callable[[Path, int], Awaitable[Account]]
"""A campaign in an empty folder, with a seed."""

ROUND_S = 180.0
"""How long the nemesis is at work in each round at least."""


async def on_one_engine(folder: Path, seed: int) -> Account:
    """Run a round against an engine over files."""
    return await campaign(folder, seed, FAULTS, Wanted(len(FAULTS), ROUND_S), _tell)


async def on_cluster(folder: Path, seed: int) -> Account:
    """Run a round against a cluster of its own."""
    from tests.faults.nemesis.cluster import campaign_on_cluster  # only this one needs clients of Kafka

    return await campaign_on_cluster(folder, seed, ROUND_S, _tell)


async def soak(a_round: Round, minutes: float, seed: int) -> list[Account]:
    """Run rounds until the time is over or one shows a broken promise."""
    ends = time.monotonic() + 60 * minutes
    accounts: list[Account] = []
    while not accounts or (accounts[-1].ok and time.monotonic() < ends):
        folder = Path(tempfile.mkdtemp(prefix="crowdroute-soak-"))
        print(f"seed {seed + len(accounts)}, in {folder}", flush=True)
        accounts.append(await a_round(folder, seed + len(accounts)))
        print(accounts[-1], flush=True)
        if accounts[-1].ok:
            shutil.rmtree(folder)
        else:
            print(f"the history and what clients were told are kept in {folder}", flush=True)
    return accounts


def main(arguments: Sequence[str]) -> int:
    """Run it; the number is the exit code."""
    parser = argparse.ArgumentParser(
        description="Faults of every kind, round after round, while a crowd works."
    )
    parser.add_argument("--minutes", type=float, required=True, help="how long new rounds are begun")
    parser.add_argument(
        "--cluster",
        action="store_true",
        help="against Ray nodes, three brokers and Redis, in place of an engine",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    parser.add_argument("--json", type=Path, help="write what happened to this file, for programs")
    asked = parser.parse_args(arguments)
    accounts = asyncio.run(soak(on_cluster if asked.cluster else on_one_engine, asked.minutes, asked.seed))
    if asked.json is not None:
        asked.json.write_text(json.dumps([one.as_json() for one in accounts], indent=1) + "\n")
    faults = sum(len(one.struck) for one in accounts)
    answers = sum(one.answers for one in accounts)
    print(f"{len(accounts)} rounds, {faults} faults, {answers} answers acknowledged")
    return 0 if all(one.ok for one in accounts) else 1


def _tell(one: Struck) -> None:
    print(f"  {one.kind}: {one.lasted_s:.1f} s, felt for {one.felt_s:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
