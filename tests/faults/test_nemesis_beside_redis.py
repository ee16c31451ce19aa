"""The nemesis against an engine beside a real Redis: killed, frozen, emptied, put back to old dumps."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.nemesis import engine_faults, redis_faults
from tests.faults.nemesis.campaign import campaign
from tests.faults.nemesis.report import Struck
from tests.faults.redis_store import BesideRedis
from tests.support.redis_server import redis_server

pytestmark = pytest.mark.cluster

SEED = 1
ENGINE_TOO = {"engine killed"}


def tell(one: Struck) -> None:
    print(f"{one.kind}: {one.lasted_s:.1f} s, felt for {one.felt_s:.1f} s", flush=True)


async def test_no_fault_of_redis_loses_doubles_or_overfills_anything(tmp_path: Path) -> None:
    others = [fault for fault in engine_faults.FAULTS if fault.kind in ENGINE_TOO]
    faults = (*redis_faults.FAULTS, *others)
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as redis:
        store = BesideRedis(redis, tmp_path / "data")
        account = await campaign(tmp_path, SEED, faults, len(faults), tell, store)

    print(account)
    assert account.ok, account
    assert len(account.kinds) == len(faults)
