"""The nemesis for as long as one likes.

    python -m tests.faults.nemesis.soak --minutes 30 [--seed 1] [--json FILE]

Rounds of two of each fault, each over a new folder and with the next seed, until the time is over; a round
that has begun is finished. Ends with 1 when a promise was broken; its folder is kept then, and the seed
repeats its schedule.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.nemesis import FAULTS
from tests.faults.nemesis.campaign import Wanted, campaign
from tests.faults.nemesis.report import Account, Struck

PER_ROUND = 2 * len(FAULTS)


async def soak(minutes: float, seed: int) -> list[Account]:
    """Run rounds until the time is over or one shows a broken promise."""
    ends = time.monotonic() + 60 * minutes
    accounts: list[Account] = []
    while not accounts or (accounts[-1].ok and time.monotonic() < ends):
        folder = Path(tempfile.mkdtemp(prefix="crowdroute-soak-"))
        accounts.append(await campaign(folder, seed + len(accounts), FAULTS, Wanted(PER_ROUND), _tell))
        print(accounts[-1], flush=True)
        if accounts[-1].ok:
            shutil.rmtree(folder)
        else:
            print(f"the history and what clients were told are kept in {folder}", flush=True)
    return accounts


def main(arguments: Sequence[str]) -> int:
    """Run it; the number is the exit code."""
    parser = argparse.ArgumentParser(description="Faults against a served engine, in rounds of every kind.")
    parser.add_argument("--minutes", type=float, required=True, help="how long new rounds are begun")
    parser.add_argument("--seed", type=int, default=1, help="of the first round (default: 1)")
    parser.add_argument("--json", type=Path, help="write what happened to this file, for programs")
    asked = parser.parse_args(arguments)
    accounts = asyncio.run(soak(asked.minutes, asked.seed))
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
