"""The nemesis against an engine whose log is on a real broker, which is killed and frozen too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.nemesis import engine_faults
from tests.faults.nemesis.campaign import Wanted, campaign
from tests.faults.nemesis.report import Struck
from tests.integration.services.conftest import requirements
from tests.support.services import Services

pytestmark = pytest.mark.cluster

__all__ = ["requirements"]

SEED = 1
KINDS = {"engine killed", "engine frozen"}
"""Of those that are struck against files too; the whole cluster of another campaign has the network's."""


@pytest.fixture
def services(requirements: None, tmp_path: Path) -> Iterator[Services]:
    stack = Services(tmp_path / "services")
    stack.up()
    yield stack
    stack.down()


def tell(one: Struck) -> None:
    print(f"{one.kind}: {one.lasted_s:.1f} s, felt for {one.felt_s:.1f} s", flush=True)


async def test_no_fault_of_engine_broker_or_owner_loses_doubles_or_overfills_anything(
    services: Services, tmp_path: Path
) -> None:
    # Imported where they are used, so that `make test` needs no client of Kafka.
    from tests.faults.kafka_store import OnKafka
    from tests.faults.nemesis import kafka_faults

    others = [fault for fault in engine_faults.FAULTS if fault.kind in KINDS]
    faults = (*kafka_faults.FAULTS, *others)
    store = OnKafka(services, "nemesis", tmp_path / "data")

    account = await campaign(tmp_path, SEED, faults, Wanted(len(faults)), tell, store)

    print(account)
    assert account.ok, account
    assert len(account.kinds) == len(faults)
