"""Whatever is full, and whenever the process ends: each project's records enter once and in their order."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import TENANT, make_rules

from crowdroute.router.adapters.codec import decode_batch
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.adapters.memory import ManualClock, MemoryContents, MemoryDisk, MemoryLog, SeededIds
from crowdroute.router.commands.organisation import CreateOrganisation
from crowdroute.router.commands.project import CreateProject
from crowdroute.router.errors import NotReady
from crowdroute.router.feeds.intake import TaskIntake
from crowdroute.router.feeds.owners import Owners
from crowdroute.router.feeds.passing import Passing
from crowdroute.router.feeds.room import Room
from crowdroute.router.feeds.runs import Refused, Run
from crowdroute.router.machine.inputs import InputMarks
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.content import item
from crowdroute.router.rpc.convert.content import decode_item
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.state.project import Project

PROJECTS = {name: bytes(15) + bytes([number]) for number, name in enumerate("abc", 1)}
READ = 4
"""Records of one read."""


class SetRoom(Room):
    """Projects are full when the test says so."""

    def __init__(self, full: set[str]) -> None:
        super().__init__(1)
        self.full = full

    async def has_room(self, lane: str, state: Project) -> bool:
        return state.name not in self.full


class House:
    """A partition, an engine whose process may end, and its letters."""

    def __init__(self, projects: list[str]) -> None:
        self.records = [
            Found(
                offset,
                None,
                json.dumps({"project": name, "external_id": f"{offset}", "content": {"t": "x"}}).encode(),
            )
            if name != "!"
            else Found(offset, None, b"{")
            for offset, name in enumerate(projects)
        ]
        self.disk = MemoryDisk(bytes(range(32)))
        self.full: set[str] = set()
        self.letters: list[int] = []
        self.intakes: list[TaskIntake] = []

    async def begin(self) -> None:
        """Start a process on what is durable."""
        if self.disk.owner is not None:
            self.disk.owner.crash()
        shard = Shard()
        for stored in self.disk.batches:
            shard.apply(decode_batch(stored.body, stored.sequence))
        shard.settle()
        log = MemoryLog(self.disk)
        ids = SeededIds(1 + len(self.disk.batches))
        self.engine = Engine(
            shard, log, MemoryContents(self.disk), ManualClock(), ids, content_key=log.content_key
        )
        self.engine.start()
        if not self.disk.batches:
            engine = self.engine
            await engine.submit(engine.request(organisation_stream(TENANT), CreateOrganisation(TENANT)))
            for name, project in PROJECTS.items():
                wish = CreateProject(project, name, make_rules())
                await engine.submit(engine.request(project_stream(TENANT, project), wish))
        owners = Owners(ShardGroup.alone(self.engine), TENANT, "tasks", SetRoom(self.full))
        self.intakes.append(TaskIntake(owners, self._send_away))
        self.passing = Passing(self.intakes[-1], 0)

    async def _send_away(self, partition: int, refused: Refused) -> None:
        self.letters.append(refused.found.offset)

    async def read(self) -> None:
        """Read once, and take in."""
        position = await self.passing.position()
        await self.passing.take(self.records[position : position + READ])

    def taken(self, name: str) -> list[int]:
        """Give the offsets of a project's tasks in the order in which they were opened."""
        state = self.engine.project(TENANT, PROJECTS[name])
        items = [state.items.id_of(row) for row in range(state.items.count)]
        return [int(decode_item(self.disk.contents[item(each)]).external_id) for each in items]

    def offsets(self, name: str) -> list[int]:
        """Give the offsets of a project's records."""
        return [
            each.offset for each in self.records if f'"project": "{name}"'.encode() in (each.value or b"")
        ]


STEPS = st.lists(st.sampled_from(["read", "read", "read", "crash", "a", "b", "c"]), max_size=25)


async def story(projects: list[str], steps: list[str]) -> House:
    """Take steps (a letter turns whether that project is full), then have room and read to the end."""
    house = House(projects)
    await house.begin()
    for step in steps:
        if step == "crash":
            await house.begin()
        elif step == "read":
            await house.read()
        else:
            house.full ^= {step}
        for name in PROJECTS:  # whatever was taken in is a beginning of what there is
            assert house.taken(name) == house.offsets(name)[: len(house.taken(name))]
    house.full.clear()
    for _ in range(2 * len(projects) + 2):
        await house.read()
    return house


def everything_once(house: House) -> bool:
    """Say whether all is taken in, once and in order, and all that is unsound has its letter.

    An item that is known adds nothing, so that what was tried is counted too.
    """
    unsound = [each.offset for each in house.records if each.value == b"{"]
    tried = sum(intake.taken for intake in house.intakes)
    return (
        all(house.taken(name) == house.offsets(name) for name in PROJECTS)
        and house.letters == unsound
        and tried == len(house.records) - len(unsound)
    )


@given(st.lists(st.sampled_from("aabbc!"), max_size=16), STEPS)
def test_each_project_has_its_records_once_and_in_order(projects: list[str], steps: list[str]) -> None:
    house = asyncio.run(story(projects, steps))
    assert everything_once(house)
    assert house.engine.shard.input_position("tasks", 0) == len(projects)
    assert not house.passing.waiting


async def test_records_of_others_are_taken_in_past_those_of_a_full_project() -> None:
    house = House([*"abacab", *"a" * 20, "b"])
    await house.begin()
    house.full.add("a")
    for _ in range(10):
        await house.read()

    assert (house.taken("a"), house.taken("b"), house.taken("c")) == ([], [1, 5, 26], [3])
    assert house.passing.waiting == {"a"}
    assert house.engine.shard.input_position("tasks", 0) == 0


async def test_lanes_that_are_not_folded_are_noticed_as_holes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = ["a", "read", "crash", "read"]
    assert everything_once(await story([*"abab"], steps))

    reach = InputMarks.reach
    monkeypatch.setattr(
        InputMarks, "reach", lambda marks, reached: None if reached.lane else reach(marks, reached)
    )
    with pytest.raises(NotReady, match="read again"):
        await story([*"abab"], steps)


async def passes_nothing_over(_passing: Passing, run: Run) -> Run:
    return run


async def test_a_lane_that_is_not_passed_over_is_taken_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Passing, "_not_taken", passes_nothing_over)
    assert not everything_once(await story([*"abab"], ["a", "read"]))


async def test_a_project_that_is_created_while_others_wait_misses_nothing() -> None:
    house = House([*"a", "d", "a", "a", "d"])
    await house.begin()
    house.full.add("a")
    await house.read()
    late = bytes(15) + b"\x09"
    engine = house.engine
    wish = CreateProject(late, "d", make_rules())
    await engine.submit(engine.request(project_stream(TENANT, late), wish))
    for _ in range(3):
        await house.read()
    house.full.clear()
    for _ in range(5):
        await house.read()

    assert house.engine.project(TENANT, late).tasks.count == 2
    assert house.letters == []
