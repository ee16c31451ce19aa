"""Many small worlds of three shards, each from a seed: nothing is lost, doubled or half done between them.

`CROWDROUTE_SIMULATION_SEED` repeats one world alone; the operations are a tenth of those of one shard's
worlds, see `test_simulation`.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from tests.simulation import between, crossing_bugs, faults
from tests.simulation.bugs import Plant
from tests.simulation.served import SimulationFailure
from tests.simulation.sharded import FAULTS, ShardedWorld
from tests.simulation.site import HOME

OPERATIONS_PER_WORLD = 5_000
IN_ALL = (
    int(os.environ.get("CROWDROUTE_SIMULATION_OPERATIONS", "1000000" if os.environ.get("CI") else "100000"))
    // 10
)
ONLY = os.environ.get("CROWDROUTE_SIMULATION_SEED")
SEEDS = [int(ONLY)] if ONLY else list(range(1, max(IN_ALL // OPERATIONS_PER_WORLD, 1) + 1))

CAUGHT_BY = [
    (crossing_bugs.notes_a_total_again, r"\[fact-version\]"),
    (crossing_bugs.notes_one_total_of_several, r"\[balance\]"),
    (crossing_bugs.ignores_the_version_of_facts, r"\[fact-version\]"),
    (crossing_bugs.forgets_a_total_once_it_is_sent, r"\[balance\]"),
    (crossing_bugs.overlooks_what_was_earned_meanwhile, r"\[balance\]"),
    (crossing_bugs.takes_untold_totals_for_known_after_a_restart, r"\[balance\]"),
    (crossing_bugs.brings_no_news_from_elsewhere, "after they were stopped"),
    (crossing_bugs.gives_work_to_the_erased_until_they_are_severed, "after they were stopped"),
    (crossing_bugs.misses_what_changes_while_an_organisation_is_told, "the stream never made known"),
    (crossing_bugs.tells_a_project_that_was_away_nothing, "has not heard the newest facts"),
]
CAUGHT_IN_ROUGH_WORLDS_BY = [
    (crossing_bugs.believes_a_copy_for_ever, "after they were stopped"),
    (crossing_bugs.takes_who_is_new_at_home_for_unknown, "nobody knows them"),
]
KIND = 4
"""A seed whose next project takes a name that is free, and whose beginning is not lost on the way."""
ROUGH = 1 / 12
"""Faults per step where a defect shows only when one falls into a moment between two steps."""


def live_through_worlds() -> None:
    for seed in range(1, 9):
        ShardedWorld(seed).run(4_000)


def live_through_rough_worlds() -> None:
    for seed in range(1, 31):
        ShardedWorld(seed, ROUGH).run(700)


def lose_the_beginning_of_a_project(world: ShardedWorld) -> None:
    """A project is to begin in another shard, which crashes before that is durable."""
    home, other = world.sites[HOME], world.sites[1]
    world.sites[HOME].network.append(world.call_to_create(other.number))
    while home.network:
        home.take(home.network.pop())
    home.look()
    assert other.network, "this seed takes a name that is free, and loses nothing on the way"
    while other.network:
        other.take(other.network.pop())
    faults.die(other, in_flight_survives=False)
    faults.start(other)
    other.network.clear()
    while home.network:
        home.take(home.network.pop())


@pytest.mark.parametrize("seed", SEEDS)
def test_several_shards_lose_double_and_leave_half_done_nothing(seed: int) -> None:
    world = ShardedWorld(seed)
    report = world.run(OPERATIONS_PER_WORLD)
    assert world.operations >= OPERATIONS_PER_WORLD
    assert report.counters["acknowledged answers"]
    assert report.counters["BalanceNoted"]


def test_everything_that_can_happen_between_shards_happens_in_some_world() -> None:
    wanted = {fault.__name__ for fault in FAULTS} | {
        "refused as stale",
        "refused as behind",
        "crossing lost",
        "project awaited",
        "fenced",
    }
    seen: Counter[str] = Counter()
    for seed in range(1_000, 1_020):
        world = ShardedWorld(seed, ROUGH)
        world.run(1_000)
        seen += world.faults
        if wanted <= set(seen):
            break
    assert wanted - set(seen) == set()


def test_a_seed_tells_the_same_history_of_all_shards_again() -> None:
    one, other = ShardedWorld(7), ShardedWorld(7)
    for world in (one, other):
        world.run(1_000)
    assert [site.disk.batches for site in one.sites] == [site.disk.batches for site in other.sites]


@pytest.mark.parametrize(("plant", "caught_by"), CAUGHT_BY, ids=lambda value: getattr(value, "__name__", ""))
def test_worlds_of_several_shards_catch_an_engine_that(
    plant: Plant, caught_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(SimulationFailure, match=caught_by):
        live_through_worlds()


@pytest.mark.parametrize(
    ("plant", "caught_by"), CAUGHT_IN_ROUGH_WORLDS_BY, ids=lambda value: getattr(value, "__name__", "")
)
def test_rough_worlds_catch_an_engine_that(
    plant: Plant, caught_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(SimulationFailure, match=caught_by):
        live_through_rough_worlds()


def test_a_project_whose_beginning_is_lost_begins_again() -> None:
    world = ShardedWorld(KIND)
    lose_the_beginning_of_a_project(world)
    assert between.come_to_rest(world).counters["ProjectRegistered"] == len(world.sites) + 1


def test_a_lost_beginning_catches_a_shard_that_answers_another_before_the_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = ShardedWorld(KIND)
    crossing_bugs.answers_another_shard_before_the_commit(monkeypatch)
    lose_the_beginning_of_a_project(world)
    with pytest.raises(SimulationFailure, match="its projects are not those"):
        between.come_to_rest(world)
