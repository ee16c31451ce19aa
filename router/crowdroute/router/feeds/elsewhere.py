"""An owner in another process, and what that process does for who reads: the two ends of a call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from crowdroute.peer.v1 import peer_pb2
from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.commands.request import InputStep
from crowdroute.router.errors import AtCapacity, InvalidCommand, NotReady, Refusal
from crowdroute.router.feeds.owner import Taken, Tasks
from crowdroute.router.feeds.records import TaskRecord, task_of
from crowdroute.router.feeds.room import RECOUNT_SECONDS
from crowdroute.router.feeds.runs import Refused
from crowdroute.router.model.ids import Id

if TYPE_CHECKING:
    from crowdroute.router.feeds.owners import Owners


class Elsewhere(Protocol):
    """The way to the shards of other processes."""

    async def hand_over(self, shard: int, message: peer_pb2.HandOverRequest) -> peer_pb2.HandOverResponse:
        """Have records taken in by a shard.

        Raises:
            NotReady: refused, or not answered; whether it took effect is unknown.
        """


class OwnerElsewhere:
    """A shard of another process; see `Owner`. One message at a time for each partition keeps their order."""

    def __init__(self, way: Elsewhere, shard: int, topic: str) -> None:
        """Prepare.

        Args:
            way: to the other processes.
            shard: number of the shard.
            topic: where the records stand.
        """
        self._way = way
        self._shard = shard
        self._topic = topic
        self._rooms: dict[Id, tuple[bool, float]] = {}
        """By project: whether it took more when its owner was last heard, and when that was."""

    async def mark(self, partition: int, project: Id) -> int:
        """See `Owner.mark`."""
        return (await self._ask(partition, project)).mark

    async def has_room(self, project: Id) -> bool:
        """See `Owner.has_room`; each answer of the owner tells it anew."""
        known = self._rooms.get(project)
        if known is not None:
            has_room, at = known
            if has_room or asyncio.get_running_loop().time() - at < RECOUNT_SECONDS:
                return has_room
        return (await self._ask(0, project)).has_room

    async def take(self, step: InputStep, project: Id, tasks: Tasks) -> Taken:
        """See `Owner.take`."""
        message = self._message(step.partition, project)
        message.previous, message.next_offset = step.previous, step.next_offset
        for found, _ in tasks:
            message.records.add(offset=found.offset, value=found.value or b"", traceparent=found.traceparent)
        answer = await self._told(project, message)
        given = {found.offset: found for found, _ in tasks}
        refused = []
        for each in answer.refused:
            error = Refusal(each.reason, dict(each.details))
            error.code = each.code
            refused.append(Refused(given[each.offset], error))
        return Taken(answer.mark, refused)

    async def _ask(self, partition: int, project: Id) -> peer_pb2.HandOverResponse:
        return await self._told(project, self._message(partition, project))

    def _message(self, partition: int, project: Id) -> peer_pb2.HandOverRequest:
        return peer_pb2.HandOverRequest(topic=self._topic, partition=partition, project=project)

    async def _told(self, project: Id, message: peer_pb2.HandOverRequest) -> peer_pb2.HandOverResponse:
        self._rooms.pop(project, None)
        try:
            answer = await self._way.hand_over(self._shard, message)
        except NotReady as error:
            if error.code == AtCapacity.code:
                raise AtCapacity(error.message, error.details) from error
            raise
        self._rooms[project] = answer.has_room, asyncio.get_running_loop().time()
        return answer


class HandedOver:
    """Takes in what readers in other processes hand over."""

    def __init__(self, owners: Owners) -> None:
        """Serve the shards of this process."""
        self._owners = owners

    async def take(self, message: peer_pb2.HandOverRequest) -> peer_pb2.HandOverResponse:
        """Take in what a message holds, and say how far the project is.

        Raises:
            NotReady: the message names another mark than the project's, or another topic than is read here.
            AtCapacity, ShuttingDown: nothing changed.
            AppendFailed: whether it took effect is unknown.
        """
        if message.topic != self._owners.topic:
            raise NotReady(
                f"a peer reads topic {message.topic}, and the settings here name {self._owners.topic}: give"
                " all processes the same feeds",
                {"topic": message.topic},
            )
        owner, project, partition = self._owners.here(message.shard), message.project, message.partition
        taken = Taken(0)
        if message.records:
            lane = project.hex()
            step = InputStep(message.topic, partition, message.previous, message.next_offset, lane)
            tasks, refused = _read(message)
            taken = Taken(step.previous, refused) if refused else await owner.take(step, project, tasks)
        answer = peer_pb2.HandOverResponse(
            mark=taken.mark if message.records else await owner.mark(partition, project),
            has_room=await owner.has_room(project),
        )
        for found, error in taken.refused:
            details = error.details
            answer.refused.add(offset=found.offset, code=error.code, reason=error.message, details=details)
        return answer


def _read(message: peer_pb2.HandOverRequest) -> tuple[list[tuple[Found, TaskRecord]], list[Refused]]:
    """Read the records; those that the reader's release takes for sound and this one does not are refused."""
    tasks, refused = [], []
    for each in message.records:
        found = Found(each.offset, None, each.value, each.traceparent)
        try:
            tasks.append((found, task_of(found.value)))
        except InvalidCommand as error:
            refused.append(Refused(found, error))
    return tasks, refused
