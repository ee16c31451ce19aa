"""Who takes the records of a project in: the shard that it lives in, in this process or another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.commands.project import AddTasks
from crowdroute.router.commands.request import InputStep
from crowdroute.router.errors import AtCapacity, NotReady, Refusal, ShuttingDown
from crowdroute.router.feeds.records import TaskRecord, item_of
from crowdroute.router.feeds.room import Room
from crowdroute.router.feeds.runs import Refused
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.model.ids import Id
from crowdroute.router.rpc.operations.intake import Intake, Row, contents_of
from crowdroute.router.rpc.operations.office import Place
from crowdroute.router.rpc.schemas import Schemas
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup

Tasks = Sequence[tuple[Found, TaskRecord]]
"""Records with what they say, in their order."""


class Taken(NamedTuple):
    """What became of records that an owner was given."""

    mark: int
    """First offset that is not taken in: what stands before it is durable."""
    refused: Sequence[Refused] = ()
    """Those that ask for nothing sound. Nothing from the mark on was taken in: they are to be sent away, and
    the others to be given again."""


class Owner(Protocol):
    """A shard, as who reads an input partition sees it."""

    async def mark(self, partition: int, project: Id) -> int:
        """Give the offset before which none of a project's records is to be taken in any more, durably.

        Raises:
            NotReady: the owner cannot be asked at the moment.
        """

    async def has_room(self, project: Id) -> bool:
        """Say whether a project takes more.

        Raises:
            NotReady: the owner cannot be asked at the moment.
        """

    async def take(self, step: InputStep, project: Id, tasks: Tasks) -> Taken:
        """Take a project's records in, and return when they are durable with the offset that they reach.

        Args:
            step: which records; it must begin at the owner's mark.
            project: whose.
            tasks: all that it has between the step's ends, but those that were sent away.

        Raises:
            AtCapacity, ShuttingDown: nothing changed.
            NotReady: the step begins elsewhere, or the owner cannot be asked: ask for the mark again.
            AppendFailed: whether it took effect is unknown until the log is folded again.
        """


class ShardOwner:
    """A shard of this process."""

    def __init__(self, group: ShardGroup, engine: Engine, tenant: str, topic: str, room: Room) -> None:
        """Take in for one tenant's projects.

        Args:
            group: knows the organisation, wherever that lives.
            engine: of the shard, serving.
            tenant: whose projects the records name.
            topic: where the records stand.
            room: knows which projects are full.
        """
        self._group = group
        self._engine = engine
        self._tenant = tenant
        self._topic = topic
        self._room = room
        self._schemas = Schemas()

    async def mark(self, partition: int, project: Id) -> int:
        """See `Owner.mark`."""
        mark = self._engine.shard.input_position(self._topic, partition, project.hex())
        await self._engine.observe()
        return mark

    async def has_room(self, project: Id) -> bool:
        """See `Owner.has_room`."""
        state = self._engine.shard.project_state(self._stream(project))
        return await self._room.has_room(project.hex(), state)

    async def take(self, step: InputStep, project: Id, tasks: Tasks) -> Taken:
        """See `Owner.take`."""
        place = self._place(project)
        rows, refused = self._sound(place, tasks)
        if refused:
            return Taken(step.previous, refused)
        self._require_next(step)
        try:
            command = AddTasks(tuple(row.task for row in rows))
            name = f"{step.topic}/{step.partition}/{step.previous}"
            request = self._engine.request(place.stream, command, request=name)
            await self._engine.take_in(step, request, contents_of(place.state, rows))
        except (AtCapacity, ShuttingDown):
            raise
        except Refusal as error:
            if len(tasks) == 1:
                return Taken(step.previous, [Refused(tasks[0][0], error)])
            return await self._one_by_one(step, project, tasks)
        return Taken(step.next_offset)

    async def _one_by_one(self, step: InputStep, project: Id, tasks: Tasks) -> Taken:
        """Take in what was refused as a whole, up to the first record that is refused alone."""
        taken = Taken(step.previous)
        for place, each in enumerate(tasks, 1):
            end = step.next_offset if place == len(tasks) else each[0].offset + 1
            part = InputStep(step.topic, step.partition, taken.mark, end, step.lane)
            taken = await self.take(part, project, [each])
            if taken.refused:
                break
        return taken

    def _require_next(self, step: InputStep) -> None:
        """Refuse a hole, and what was taken in, before it could be mistaken for a refusal of its records."""
        position = self._engine.shard.input_position(step.topic, step.partition, step.lane)
        if step.previous != position:
            raise NotReady(
                f"{step.topic}/{step.partition} was handed over from offset {step.previous}, and is taken in"
                f" up to {position}: read again from there",
                {"position": str(position)},
            )

    def _sound(self, place: Place, tasks: Tasks) -> tuple[list[Row], list[Refused]]:
        """Tell the rows that can be added from the records that cannot."""
        intake = Intake(self._group.where.organisation(self._tenant), place)
        rows: list[Row] = []
        refused: list[Refused] = []
        for found, task in tasks:
            try:
                rows.append(intake.row(item_of(task)))
            except Refusal as error:
                refused.append(Refused(found, error))
        return rows, refused

    def _place(self, project: Id) -> Place:
        stream = self._stream(project)
        state = self._engine.shard.project_state(stream)
        return Place(self._tenant, stream, state, self._engine, self._schemas)

    def _stream(self, project: Id) -> str:
        stream = project_stream(self._tenant, project)
        if not self._engine.shard.has(stream):
            number = self._engine.shard.number
            raise NotReady(f"shard {number} does not have that project yet: ask again")
        return stream
