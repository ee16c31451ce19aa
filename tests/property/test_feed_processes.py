"""Each record enters its owner's log once and in order, whatever two readers, moves and lost messages do."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.shards import ORGANISATION, Street, create, found
from tests.support.wire import TENANT

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.commands import InputStep
from crowdroute.router.commands.project import AddTasks
from crowdroute.router.errors import NotReady, Refusal, RouterError, StorageError
from crowdroute.router.feeds.elsewhere import HandedOver
from crowdroute.router.feeds.intake import TaskIntake
from crowdroute.router.feeds.owner import ShardOwner
from crowdroute.router.feeds.owners import Owners
from crowdroute.router.feeds.passing import Passing
from crowdroute.router.feeds.room import Room
from crowdroute.router.feeds.runs import Refused
from crowdroute.router.model.content import item
from crowdroute.router.rpc.convert.content import decode_item
from crowdroute.router.rpc.group.handing import (
    Handed,
    Receipt,
    hand_over_message,
    handed_over,
    receipt_message,
    received,
)
from crowdroute.router.rpc.group.wire import refusal_of, status_bytes
from crowdroute.router.runtime.copies import copied
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.state.project import Project

PROJECTS = {name: bytes(15) + bytes([number]) for number, name in enumerate("abcd", 1)}
"""a and c live in shard 0, b and d in shard 1."""
READ = 4
"""Records of one read."""

STEPS = ("read", "read", "read", "zombie", "home", "move", "lost", "silent", "late", "arrive", "b", "d")


class SetRoom(Room):
    """Projects are full when the test says so."""

    def __init__(self, full: set[str]) -> None:
        super().__init__(1)
        self._full = full

    async def has_room(self, lane: str, state: Project) -> bool:
        return state.name not in self._full


class World:
    """A partition, two shards, the processes that serve them or believe so, and the wire between them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.records = [Found(offset, None, told(offset, name)) for offset, name in enumerate(names)]
        self.street = Street(2)
        self.letters: set[int] = set()
        self.full: set[str] = set()
        self.fault = ""
        self.late: list[bytes] = []
        self.rows = 0
        """Tasks that owners were asked to add by steps that became durable."""
        self.groups: list[ShardGroup] = []
        self.zombies: list[Passing] = []

    async def begin(self) -> None:
        """Create the organisation and its projects, and begin two processes."""
        async with self.street.group() as group:
            await found(group)
            for name, project in PROJECTS.items():
                await create(group, project, name)
        self.home = await self._serve(0)
        self.away = await self._serve(1)
        self.reader = self._read_by(self.home)

    async def end(self) -> None:
        """End every process, also those that do not know that they are over."""
        for group in self.groups:
            with contextlib.suppress(RouterError):
                await group.close()

    async def step(self, step: str) -> None:
        """Let something happen."""
        if step == "read":
            await self.read(self.reader)
        elif step == "zombie" and self.zombies:
            await self.read(self.zombies[-1])
        elif step == "home":
            self.zombies.append(self.reader)
            if self.away is self.home:
                self.away = await self._serve(1)
            self.home = await self._serve(0)
            self.reader = self._read_by(self.home)
        elif step == "move":
            if self.away is self.home:
                await self.home.release(1, self.home.shard_map)
                self.away = await self._serve(1)
            else:
                await self.away.close()
                await self.home.take(1, self.home.shard_map)
                self.away = self.home
        elif step in ("lost", "silent", "late"):
            self.fault = step
        elif step == "arrive":
            await self._arrive()
        elif step in PROJECTS:
            self.full ^= {step}

    async def read(self, passing: Passing) -> None:
        """Read once, and go back when that did not succeed, as `feeding` does."""
        try:
            position = await passing.position()
            await passing.take(self.records[position : position + READ])
        except (StorageError, Refusal):
            passing.go_back()

    async def hand_over(self, shard: int, handed: Handed) -> Receipt:
        """Carry records to whoever serves a shard, unless the wire loses them or the answer."""
        message = hand_over_message(handed, shard, generation=1).SerializeToString()
        fault, self.fault = self.fault, ""
        if fault == "late":
            self.late.append(message)
        if fault in ("lost", "late"):
            raise NotReady("no answer")
        answer = await self._deliver(message)
        if fault == "silent":
            raise NotReady("no answer")
        return answer

    async def _arrive(self) -> None:
        late, self.late = self.late, []
        for each in late:
            with contextlib.suppress(NotReady):
                await self._deliver(each)

    async def _deliver(self, raw: bytes) -> Receipt:
        message = peer_pb2.HandOverRequest.FromString(raw)
        try:
            taken = await HandedOver(self._owners(self.away)).take(message.shard, handed_over(message))
        except RouterError as error:
            raise refusal_of(status_bytes(error, "")) from error
        return received(peer_pb2.HandOverResponse.FromString(receipt_message(taken).SerializeToString()))

    async def _serve(self, shard: int) -> ShardGroup:
        group = ShardGroup(self._open, ShardMap(2))
        await group.start([shard])
        if shard != 0:
            machine = self.home.engines[0].shard.organisation(TENANT)
            copy = group.where.copy_of(ORGANISATION, 0)
            group.crossing.begin_copy(copy, await copied(machine.state), 1)
            copy.heard(1)
        self.groups.append(group)
        return group

    @contextlib.asynccontextmanager
    async def _open(self, shard: int) -> AsyncIterator[Engine]:
        async with self.street.open_shard(shard) as engine:
            take_in = engine.take_in

            async def counted(step: InputStep, request: Any, contents: Any = ()) -> None:
                await take_in(step, request, contents)
                if request is not None and isinstance(request.command, AddTasks):
                    self.rows += len(request.command.tasks)

            engine.take_in = counted  # type: ignore[method-assign]
            yield engine

    def _read_by(self, group: ShardGroup) -> Passing:
        return Passing(TaskIntake(self._owners(group), self._send_away), 0)

    def _owners(self, group: ShardGroup) -> Owners:
        return Owners(group, TENANT, "tasks", SetRoom(self.full), self)

    async def _send_away(self, partition: int, refused: Refused) -> None:
        self.letters.add(refused.found.offset)

    async def read_to_the_end(self) -> bool:
        """Have the wire and every project take what there is; say whether it was taken in to the end."""
        self.full.clear()
        self.fault = ""
        await self._arrive()
        await self.step("home")
        for _ in range(2 * len(self.records) + 2):
            await self.read(self.reader)
        return self.home.engines[0].shard.input_position("tasks", 0) == len(self.records)

    def taken(self, name: str) -> list[int]:
        """Give the offsets of a project's tasks in the order in which they were opened."""
        group, shard = (self.home, 0) if name in "ac" else (self.away, 1)
        state = group.engines[shard].project(TENANT, PROJECTS[name])
        items = [state.items.id_of(row) for row in range(state.items.count)]
        contents = self.street.disks[shard].contents
        return [int(decode_item(contents[item(each)]).external_id) for each in items]

    def is_whole(self) -> bool:
        """Say whether each project was given its records once and in order, and only unsound ones have
        letters.

        An item that is known adds nothing, so that what owners were asked to add is counted too.
        """
        places = {name: [at for at, other in enumerate(self.names) if other == name] for name in "abcd!"}
        return (
            all(self.taken(name) == places[name] for name in PROJECTS)
            and self.letters == set(places["!"])
            and self.rows == len(self.names) - len(places["!"])
        )


def told(offset: int, name: str) -> bytes:
    """Give a sound record, or one that asks for nothing (!): labels that there are not, seen by the owner."""
    record = {"project": name, "external_id": str(offset), "content": {"t": "x"}}
    if name == "!":
        record = {**record, "project": "b", "purpose": "gold", "gold": {"none": "such"}}
    return json.dumps(record).encode()


async def story(names: Sequence[str], steps: Sequence[str]) -> tuple[bool, World]:
    """Take steps, then read to the end; say whether everything came in once."""
    world = World(names)
    await world.begin()
    try:
        for step in steps:
            await world.step(step)
        ended = await world.read_to_the_end()
        return ended and world.is_whole(), world
    finally:
        await world.end()


@given(st.lists(st.sampled_from("abbcd!"), max_size=12), st.lists(st.sampled_from(STEPS), max_size=20))
def test_each_record_is_taken_in_once_and_in_order(names: list[str], steps: list[str]) -> None:
    is_whole, _ = asyncio.run(story(names, steps))
    assert is_whole


async def test_a_reader_that_was_replaced_and_wakes_up_doubles_nothing() -> None:
    """The old reader stands before what the new one has handed over, and believes itself the home."""
    is_whole, world = await story([*"bbdbdb"], ["home", "read", "read", "zombie", "zombie"])
    assert is_whole
    assert world.rows == 6


@pytest.mark.parametrize("fault", ["lost", "silent", "late"])
async def test_after_a_lost_message_the_reader_goes_back_to_what_is_durable(fault: str) -> None:
    is_whole, _ = await story([*"bbdb"], ["read", fault, "read", "read", "arrive", "read"])
    assert is_whole


async def test_a_project_that_is_full_elsewhere_holds_up_its_own_records_alone() -> None:
    world = World([*"babdab", *"b" * 8, "d"])
    await world.begin()
    try:
        world.full.add("b")
        for _ in range(6):
            await world.step("read")
        assert (world.taken("a"), world.taken("b"), world.taken("d")) == ([1, 4], [], [3, 14])
        assert world.reader.waiting == {"b"}
        assert await world.read_to_the_end()
        assert world.is_whole()
    finally:
        await world.end()


async def test_an_owner_that_takes_a_hole_or_a_repetition_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ["read", "home", "read", "read", "zombie"]

    def believe(owner: ShardOwner, step: InputStep) -> None:
        """Take the reader's word for how far the owner is."""
        owner._engine.shard._inputs._next[step.topic, step.partition, step.lane] = step.previous

    assert (await story([*"bbbbbbbb"], steps))[0]
    monkeypatch.setattr(ShardOwner, "_require_next", believe)
    assert not (await story([*"bbbbbbbb"], steps))[0]
