"""The nemesis against two actors on three Ray nodes, with their log on a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.nemesis.campaign import ANNOTATORS, let_loose
from tests.faults.nemesis.report import Struck
from tests.faults.nemesis.stock import LEAST
from tests.faults.scene import prepare
from tests.integration.services.conftest import missing, requirements
from tests.support.ray_nodes import Network, ray_nodes, why_not
from tests.support.services import Services

from crowdroute.router.runtime.settings import KafkaLogSettings

pytestmark = pytest.mark.cluster

__all__ = ["requirements"]

SEED = 1


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    if (reason := why_not()) is not None:
        missing(reason)
    with ray_nodes(tmp_path, nodes=3) as made:
        yield made


@pytest.fixture
def services(requirements: None, network: Network, tmp_path: Path) -> Iterator[Services]:
    stack = Services(tmp_path / "services", host=network.outside)
    stack.up()
    yield stack
    stack.down()


def tell(one: Struck) -> None:
    print(f"{one.kind}: {one.lasted_s:.1f} s, felt for {one.felt_s:.1f} s", flush=True)


async def test_no_fault_of_actor_node_or_head_loses_doubles_or_overfills_anything(
    network: Network, services: Services, tmp_path: Path
) -> None:
    # Imported where they are used, so that `make test` needs no client of Kafka.
    from tests.faults.nemesis.ray_faults import FAULTS
    from tests.faults.nemesis.ray_ground import SHARDS, RayGround

    kafka = KafkaLogSettings(servers=services.bootstrap, name="nemesis", durability="single-broker")
    scene = await prepare(tmp_path / "prepared", ANNOTATORS, LEAST, kafka, SHARDS)
    ground = RayGround(network, kafka)

    account = await let_loose(ground, scene, tmp_path / "journal", SEED, FAULTS, len(FAULTS), tell)

    print(account)
    assert account.ok, account
    assert len(account.kinds) == len(FAULTS)
