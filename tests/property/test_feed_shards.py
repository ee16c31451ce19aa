"""Each record enters its owner's log once and in order, whichever shard that is, whenever a process ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.shards import Street, create, found
from tests.support.wire import TENANT

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.commands import InputStep
from crowdroute.router.errors import RouterError
from crowdroute.router.feeds.intake import Owned, TaskIntake
from crowdroute.router.feeds.owner import Tasks
from crowdroute.router.feeds.owners import Owners
from crowdroute.router.feeds.passing import Passing
from crowdroute.router.feeds.room import Room
from crowdroute.router.feeds.runs import Refused, Run
from crowdroute.router.model.content import item
from crowdroute.router.rpc.convert.content import decode_item
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import FIRST_SHARD

PROJECTS = {name: bytes(15) + bytes([number]) for number, name in enumerate("abc", 1)}
READ = 4
"""Records of one read."""


class World:
    """A partition, shards on disks in memory, and the processes that come and go on them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.records = [
            Found(
                offset,
                None,
                b"{"
                if name == "!"
                else json.dumps(
                    {"project": name, "external_id": str(offset), "content": {"t": "x"}}
                ).encode(),
            )
            for offset, name in enumerate(names)
        ]
        self.names = list(names)
        self.street = Street(3)
        self.letters: set[int] = set()
        self.tried = 0
        self.taken: dict[str, list[int]] = {}
        self.owners: dict[str, int] = {}

    async def begin(self) -> None:
        """Create the organisation and its projects, one in each shard."""
        async with self.street.group() as group:
            await found(group)
            for name, project in PROJECTS.items():
                await create(group, project, name)

    async def live(self, fail_after: int) -> None:
        """Run a process that reads to the end, or until so many batches were appended (0: any number)."""
        self.street.fail_at = self.street.appends + fail_after if fail_after else 0
        with contextlib.suppress(RouterError):
            async with self.street.group() as group:
                intake = TaskIntake(Owners(group, TENANT, "tasks", Room(1000)), self._send_away)
                passing = Passing(intake, 0)
                try:
                    while (position := await passing.position()) < len(self.records):
                        await passing.take(self.records[position : position + READ])
                finally:
                    self.tried += intake.taken
                self._note(group)

    async def _send_away(self, partition: int, refused: Refused) -> None:
        self.letters.add(refused.found.offset)

    def _note(self, group: ShardGroup) -> None:
        for name, project in PROJECTS.items():
            engine = owner_of(group, project)
            state = engine.project(TENANT, project)
            items = [state.items.id_of(row) for row in range(state.items.count)]
            contents = self.street.disks[engine.shard.number].contents
            self.taken[name] = [int(decode_item(contents[item(each)]).external_id) for each in items]
            self.owners[name] = engine.shard.number

    def is_whole(self) -> bool:
        """Say whether each project has its records once and in order, and only unsound ones have letters."""
        wanted = {name: [at for at, other in enumerate(self.names) if other == name] for name in PROJECTS}
        return self.taken == wanted and self.letters == {
            at for at, name in enumerate(self.names) if name == "!"
        }


def owner_of(group: ShardGroup, project: bytes) -> Engine:
    """Give the engine of the shard that a project is placed in."""
    return group.engines[group.engines[FIRST_SHARD].organisation(TENANT).projects[project].shard]


async def story(names: Sequence[str], ends: Sequence[int]) -> World:
    """Take a partition in by processes that end after so many batches, and by a last one that does not."""
    world = World(names)
    await world.begin()
    for end in (*ends, 0):
        await world.live(end)
    return world


@given(st.lists(st.sampled_from("aabbcc!"), max_size=12), st.lists(st.integers(1, 8), max_size=3))
def test_each_record_is_in_its_owners_log_once_and_in_order(names: list[str], ends: list[int]) -> None:
    assert asyncio.run(story(names, ends)).is_whole()


async def test_the_projects_of_the_story_live_in_different_shards() -> None:
    world = await story("abc", ())
    assert set(world.owners.values()) == {0, 1, 2}
    assert world.tried == 3


async def _some_end_is_noticed() -> bool:
    """Say whether a process that ends at some moment leaves a partition that is not whole."""
    return not all([(await story("abcabc", (end,))).is_whole() for end in range(1, 10)])


async def test_a_mark_that_passes_before_the_owner_has_the_records_loses_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not await _some_end_is_noticed()
    give = TaskIntake._give

    async def early(
        intake: TaskIntake, partition: int, end: int, owned: Owned, tasks: Tasks, *, ahead: bool
    ) -> Sequence[Refused]:
        if owned.shard != FIRST_SHARD:
            step = InputStep("tasks", partition, intake.position(partition), end)
            await intake._engine.take_in(step, None)
        return await give(intake, partition, end, owned, tasks, ahead=ahead)

    monkeypatch.setattr(TaskIntake, "_give", early)
    assert await _some_end_is_noticed()


async def test_what_the_owner_has_already_must_be_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def passes_nothing_over(_passing: Passing, run: Run) -> Run:
        return run

    monkeypatch.setattr(Passing, "_not_taken", passes_nothing_over)
    assert await _some_end_is_noticed()
