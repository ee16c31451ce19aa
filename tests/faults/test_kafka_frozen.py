"""A broker that is frozen for longer than an engine waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.services.conftest import requirements
from tests.support.services import Services

pytestmark = pytest.mark.cluster

__all__ = ["requirements"]

FROZEN_S = 14.0
"""Past the engine's patience (10 s), and until the next one asks the frozen broker; the benchmark takes a
minute."""
MORE_MIB = 320.0
"""By which the engine may grow: 64 MiB may wait for the disk, as messages, contents and copies of both; what
is refused beyond it, several times as much, must not stay."""


@pytest.fixture
def services(requirements: None, tmp_path: Path) -> Iterator[Services]:
    stack = Services(tmp_path / "services")
    stack.up()
    yield stack
    stack.down()


async def test_while_the_broker_is_frozen_nothing_is_acknowledged_nor_piled_up_and_then_work_goes_on(
    services: Services, tmp_path: Path
) -> None:
    # Imported where it is used, so that `make test` needs no client of Kafka.
    from tests.faults.kafka_frozen import Phase, frozen

    seen = await frozen(tmp_path, services, FROZEN_S)

    assert seen.told == 0
    assert "AT_CAPACITY" in seen.refused
    assert seen.memory[Phase.FROZEN] - seen.memory[Phase.BEFORE] < MORE_MIB, seen.memory
    assert seen.ends[0] == "APPEND_FAILED"
    assert set(seen.ends[1:]) <= {"STORAGE_FAILED"}
    assert seen.errors == []
    assert seen.broken.ok, seen.broken
    assert seen.told_otherwise.ok, seen.told_otherwise
