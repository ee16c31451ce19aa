"""The nemesis against a whole cluster: Ray nodes, three brokers and Redis, each part killed and frozen."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faults.nemesis.report import Struck
from tests.integration.services.conftest import missing, requirements
from tests.support.ray_nodes import why_not

pytestmark = pytest.mark.cluster

__all__ = ["requirements"]

SEED = 1
LASTING_S = 180.0


def tell(one: Struck) -> None:
    print(f"{one.kind}: {one.lasted_s:.1f} s, felt for {one.felt_s:.1f} s", flush=True)


@pytest.mark.usefixtures("requirements")
async def test_no_fault_of_any_part_loses_doubles_overfills_or_brings_back_anything(tmp_path: Path) -> None:
    if (reason := why_not()) is not None:
        missing(reason)
    # Imported where they are used, so that `make test` needs no client of Kafka.
    from tests.faults.nemesis.cluster import FAULTS, campaign_on_cluster

    account = await campaign_on_cluster(tmp_path, SEED, LASTING_S, tell)

    print(account)
    assert account.ok, account
    assert account.lasted_s >= LASTING_S
    assert len(account.struck) >= 20
    assert set(account.kinds) == {fault.kind for fault in FAULTS}
    assert account.answers >= 10_000
    assert account.erased > 0
