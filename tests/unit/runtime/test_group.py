"""Several shards behind one door: how they come and go."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.shards import Street, add_worker, found, found_with_two

from crowdroute.router.commands.project import PauseProject
from crowdroute.router.errors import ConfigurationError, Moved, NotReady, RouterError
from crowdroute.router.runtime.engine import EngineState
from crowdroute.router.runtime.placement import Owner, ShardMap

WORKER = bytes([9]) * 16


async def test_a_shard_leaves_and_comes_back_while_the_other_serves() -> None:
    street = Street()
    async with street.group() as group:
        first, second = await found_with_two(group)
        elsewhere = ShardMap(2, 2, {1: Owner("peer:1", "public:1")})

        await group.release(1, elsewhere)

        with pytest.raises(Moved) as moved:
            group.where.engine(second)
        assert moved.value.details == {"shard": "1", "owner": "public:1"}
        await group.submit(group.request(first, PauseProject("a test")))
        assert group.state is EngineState.SERVING

        await group.take(1, ShardMap(2, 3))

        await group.submit(group.request(second, PauseProject("a test")))
        with pytest.raises(NotReady):
            await group.take(1, elsewhere)


async def test_what_becomes_durable_while_a_shard_leaves_is_told_to_whoever_follows() -> None:
    street = Street()
    async with street.group() as group:
        _, second = await found_with_two(group)
        told: list[tuple[int, int, list[str]]] = []
        group.subscribe(
            lambda shard, sequence, entries: told.append((shard, sequence, [one.stream for one in entries]))
        )
        pausing = asyncio.create_task(group.submit(group.request(second, PauseProject("a test"))))
        await asyncio.sleep(0)
        assert told == []

        await group.release(1, ShardMap(2, 2))

        await pausing
        assert told == [(1, street.disks[1].batches[-1].sequence, [second])]
        await group.take(1, ShardMap(2, 3))
        assert told[1:] == [(1, told[0][1], [])]


async def test_a_shard_that_cannot_be_taken_is_left_to_others() -> None:
    street = Street()
    async with street.group() as group:
        await found_with_two(group)
        await group.release(1, ShardMap(2, 2))
        street.disks[1] = Street().disks[1]  # somebody put an empty log in its place
        with pytest.raises(ConfigurationError, match="lacks it"):
            await group.take(1, ShardMap(2, 3))
        assert street.open == {0}


@pytest.mark.parametrize("step", ["learn", "_serve", "catch_up"])
async def test_a_shard_that_cannot_be_taken_by_a_defect_is_left_to_others(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    street = Street(2)
    async with street.group() as group:
        await found_with_two(group)
    async with street.group((0,)) as group:
        part = {"learn": group.where, "_serve": group, "catch_up": group.crossing}[step]
        careful = getattr(part, step)

        def stumble(*given: object) -> None:
            careful(*given)
            raise KeyError("nobody thought of it")

        async def stumble_later(*given: object) -> None:
            await careful(*given)
            raise KeyError("nobody thought of it")

        with monkeypatch.context() as patch:
            patch.setattr(part, step, stumble if step == "_serve" else stumble_later)
            with pytest.raises(KeyError):
                await group.take(1, group.shard_map)
        assert group.engines.keys() == {0}
        assert street.open == {0}
        await group.take(1, group.shard_map)
        assert group.engines.keys() == {0, 1}


async def test_a_group_fails_with_its_first_shard() -> None:
    street = Street()
    async with street.group() as group:
        await found(group)
        street.appends, street.fail_at = 0, 1
        with pytest.raises(RouterError):
            await add_worker(group, WORKER)
        assert group.state is EngineState.FAILED
        assert isinstance(await asyncio.wait_for(group.failed, 5), RouterError)
