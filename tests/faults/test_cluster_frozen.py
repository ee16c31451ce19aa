"""A cluster on Ray whose broker is frozen for longer than actors wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.services.conftest import missing, requirements
from tests.support.ray_nodes import why_not

from crowdroute.router.runtime.commits import WAITING_BYTES

pytestmark = pytest.mark.cluster

__all__ = ["requirements"]

FROZEN_S = 20.0
"""Past the patience of an append (10 s), so that every actor has ended, and until the next ones ask the
frozen broker; the benchmark takes a minute."""
BACK_S = 30.0
"""On a quiet machine every shard is to be back within 10 s. Much of that is the work of processes that come
up and share two processors here with brokers, crowds and other tests, so three times as long."""
MORE_MIB = 640.0
"""By which an actor may grow: 64 MiB may wait for the disk, as messages, contents and copies of both; and as
much again where it passes on to the other what waits there. Many times as much is brought and refused."""


@pytest.mark.usefixtures("requirements")
async def test_while_the_broker_is_frozen_no_actor_acknowledges_or_piles_up_and_then_every_shard_goes_on(
    tmp_path: Path,
) -> None:
    if (reason := why_not()) is not None:
        missing(reason)
    # Imported where they are used, so that `make test` needs no client of Kafka.
    from tests.faults.cluster_frozen import IMPORT_MIB, SHARDS, Phase, crowded_cluster

    async with crowded_cluster(tmp_path) as crowded:
        seen = await crowded.frozen(FROZEN_S)
        judged = await crowded.judged()

    print(seen, judged.answers)
    assert seen.told == 0
    arrived = seen.refused["AT_CAPACITY"] + seen.refused["DEADLINE_EXCEEDED"]
    assert arrived * IMPORT_MIB > SHARDS * WAITING_BYTES / 2**20
    assert seen.memory[Phase.FROZEN] - seen.memory[Phase.BEFORE] < MORE_MIB, seen.memory
    assert judged.errors == []
    assert judged.broken.ok, judged.broken
    assert judged.told_otherwise.ok, judged.told_otherwise
    assert seen.back_s.keys() == set(range(SHARDS))
    assert max(seen.served_s, *seen.back_s.values()) < BACK_S
