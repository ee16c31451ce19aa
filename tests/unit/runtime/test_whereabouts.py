"""Where streams live, and that every log is in its place."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.shards import SECOND, Street, create, found, found_with_two
from tests.support.wire import TENANT

from crowdroute.router.errors import ConfigurationError, NotFound
from crowdroute.router.machine.stream import project_stream


async def test_projects_are_shared_out_and_each_lives_in_one_shard() -> None:
    street = Street()
    async with street.group() as group:
        await found(group)
        for number in range(1, 5):
            await create(group, bytes([number]) * 16, f"project {number}")

        assert [row.shard for row in group.where.organisation(TENANT).list_projects()] == [0, 1, 0, 1]
        homes = [
            group.where.engine(project_stream(TENANT, bytes([n]) * 16)).shard.number for n in range(1, 5)
        ]
        assert homes == [0, 1, 0, 1]
        assert len(list(group.where.projects())) == 4


async def test_the_logs_of_two_shards_cannot_be_exchanged_unnoticed() -> None:
    street = Street()
    async with street.group() as group:
        await found_with_two(group)
    street.disks.reverse()

    with pytest.raises(ConfigurationError, match="exchanged"):
        async with street.group():
            pass


async def test_an_empty_log_is_noticed_although_its_shard_is_taken_while_the_organisations_is() -> None:
    street = Street()
    async with street.group() as group:
        await found_with_two(group)
    street.disks[1] = Street().disks[1]

    async with street.group(own=()) as group:
        taken = await asyncio.gather(
            *(group.take(shard, group.shard_map) for shard in (0, 1)), return_exceptions=True
        )
        assert [str(end) for end in taken if isinstance(end, ConfigurationError) and "lacks it" in str(end)]


async def test_a_stream_that_does_not_exist_is_found_nowhere() -> None:
    street = Street()
    async with street.group() as group:
        await found(group)
        with pytest.raises(NotFound):
            group.where.engine(project_stream(TENANT, SECOND))
