"""The shard loop itself among crashes, failing disks and successors: what it answered is in the log."""

import pytest
from tests.simulation.looped import LoopedWorld


@pytest.mark.parametrize("seed", range(1, 9))
async def test_whatever_the_loop_answered_outlives_it(seed: int) -> None:
    world = LoopedWorld(seed)
    report = await world.run()
    assert report.ok, f"seed {seed}: {report}"
    assert world.lives > 3
    assert report.counters["acknowledged answers"] > 50
