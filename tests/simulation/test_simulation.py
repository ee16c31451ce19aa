"""Many small worlds, each from a seed: whatever happens in them, no promise of the engine is broken.

`CROWDROUTE_SIMULATION_OPERATIONS` says how many operations to live through in all, and
`CROWDROUTE_SIMULATION_SEED` repeats one world alone.
"""

import os
from collections import Counter

import pytest
from tests.checker.layout import EVENT_CLASSES
from tests.simulation.faults import FAULTS
from tests.simulation.resting import finish_work
from tests.simulation.served import SimulationFailure
from tests.simulation.world import World

from crowdroute.router.policy.registry import POLICIES

OPERATIONS_PER_WORLD = 5_000
"""Long enough for half a day of simulated work and a dozen faults, short enough that folds stay cheap."""

IN_ALL = int(
    os.environ.get("CROWDROUTE_SIMULATION_OPERATIONS", "1000000" if os.environ.get("CI") else "100000")
)
ONLY = os.environ.get("CROWDROUTE_SIMULATION_SEED")
SEEDS = [int(ONLY)] if ONLY else list(range(1, max(IN_ALL // OPERATIONS_PER_WORLD, 1) + 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_is_broken_whatever_happens(seed: int) -> None:
    world = World(seed)
    report = world.run(OPERATIONS_PER_WORLD)
    assert world.operations >= OPERATIONS_PER_WORLD
    assert report.counters["grants"]
    assert report.counters["acknowledged answers"]


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_everything_is_finished_once_enough_people_ask_for_work(policy: str) -> None:
    world = World(seed=0, policies=(policy,))
    world.run(1_500)
    assert finish_work(world) == []
    assert world.reading.report.ok


def test_every_event_and_every_fault_happens_in_some_world() -> None:
    wanted = {kind.__name__ for kind in EVENT_CLASSES.values()} | {fault.__name__ for fault in FAULTS}
    seen: Counter[str] = Counter()
    for seed in range(1_000, 1_020):
        world = World(seed)
        seen += world.run(3_000).counters + world.faults
        if wanted <= set(seen):
            break
    assert wanted - set(seen) == set()


def test_a_seed_tells_the_same_history_again() -> None:
    one, other, another = World(7), World(7), World(8)
    for world in (one, other, another):
        world.run(1_000)
    assert one.disk.batches == other.disk.batches
    assert one.disk.batches[-1].chain != another.disk.batches[-1].chain


def test_a_failure_names_the_seed_that_repeats_it() -> None:
    world = World(9)
    world.clients.journal.told = lambda *_: "the moon is made of cheese"  # type: ignore[method-assign]
    with pytest.raises(SimulationFailure) as failed:
        world.run(1_000)
    assert str(failed.value).startswith("seed 9, operation ")
    assert str(failed.value).endswith("the moon is made of cheese\nrepeat with CROWDROUTE_SIMULATION_SEED=9")
