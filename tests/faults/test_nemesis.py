"""Faults of every kind, one after the other, against an engine that 24 annotators work at."""

from __future__ import annotations

from pathlib import Path

from tests.faults.nemesis import FAULTS
from tests.faults.nemesis.campaign import Wanted, campaign
from tests.faults.nemesis.report import Struck

FAULTS_IN_ALL = 20
"""Each of the fifteen kinds once, and some again."""
SEED = 1


def tell(one: Struck) -> None:
    print(f"{one.kind}: {one.lasted_s:.1f} s, felt for {one.felt_s:.1f} s", flush=True)


async def test_no_fault_loses_doubles_or_overfills_anything_and_every_task_gets_its_result(
    tmp_path: Path,
) -> None:
    account = await campaign(tmp_path, SEED, FAULTS, Wanted(FAULTS_IN_ALL), tell)

    print(account)
    assert account.ok, account
    assert len(account.struck) == FAULTS_IN_ALL
    assert len(account.kinds) == len(FAULTS)
    assert account.answers >= 10_000
    assert account.erased > 0
