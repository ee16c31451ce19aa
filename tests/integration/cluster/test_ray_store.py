"""Placements with Ray's head: each generation is written by one supervisor."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest
from tests.support.local_ray import LEFT_OPEN, local_ray

from crowdroute.router.adapters.ray_store import (
    KEPT,
    Head,
    RayBeats,
    RayRecord,
    keep_settings,
    kept_settings,
)
from crowdroute.router.errors import PlacementSuperseded
from crowdroute.router.model.placement import Grant, Placement, Wanted

pytestmark = [pytest.mark.cluster, LEFT_OPEN]

PLACEMENT = Placement(
    3,
    Wanted(2, 1),
    {"actor-0": "node-a"},
    {0: "actor-0", 1: "actor-0"},
    {0: Grant("actor-0", "life-1", 2), 1: Grant("actor-0", "life-1", 3, recalled=True)},
    {1: "actor-0"},
    frozenset({"node-b"}),
    {"actor-0": "life-1"},
    "actor-0",
)


@pytest.fixture(scope="module", autouse=True)
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with local_ray(tmp_path_factory.mktemp("home")):
        yield


def at(generation: int) -> Placement:
    return msgspec.structs.replace(PLACEMENT, generation=generation)


async def test_what_was_written_is_read_whole_until_something_newer_is() -> None:
    head = Head()
    one, other = RayRecord(head), RayRecord(head)
    assert await one.read() == Placement()
    await one.write(PLACEMENT)
    assert await other.read() == PLACEMENT
    await other.write(at(5))
    assert await one.read() == at(5)


async def test_of_two_that_write_a_generation_one_is_told_that_it_came_too_late() -> None:
    one, other = RayRecord(Head()), RayRecord(Head())
    generation = (await one.read()).generation + 1
    ended = await asyncio.gather(
        one.write(at(generation)), other.write(at(generation)), return_exceptions=True
    )
    assert sum(result is None for result in ended) == 1
    assert sum(isinstance(result, PlacementSuperseded) for result in ended) == 1


async def test_an_old_generation_is_refused_even_when_its_key_is_long_gone() -> None:
    record = RayRecord(Head())
    first = (await record.read()).generation + 1
    for generation in range(first, first + KEPT + 3):
        await record.write(at(generation))
    with pytest.raises(PlacementSuperseded):
        await record.write(at(first))
    assert (await record.read()).generation == first + KEPT + 2


async def test_settings_are_kept() -> None:
    head = Head()
    assert await kept_settings(head) == b""
    await keep_settings(head, b'{"directory": "/a"}')
    assert await kept_settings(head) == b'{"directory": "/a"}'


async def test_the_newest_sign_of_each_rank_is_heard() -> None:
    one, other = RayBeats(Head()), RayBeats(Head())
    assert await one.heard() == {}
    for rank, sign in ((0, "a"), (12, "b"), (0, "c")):
        await one.beat(rank, sign)
    assert await other.heard() == {0: "c", 12: "b"}
