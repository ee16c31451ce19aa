"""An owner in another process, and what that process does for who reads: the two ends of a call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.commands.request import InputStep
from crowdroute.router.errors import AtCapacity, InvalidCommand, NotReady, Refusal
from crowdroute.router.feeds.owner import Taken, Tasks
from crowdroute.router.feeds.records import TaskRecord, task_of
from crowdroute.router.feeds.room import RECOUNT_SECONDS
from crowdroute.router.feeds.runs import Refused
from crowdroute.router.model.ids import Id
from crowdroute.router.rpc.group.handing import Handed, InputRecord, Receipt, RefusedRecord

if TYPE_CHECKING:
    from crowdroute.router.feeds.owners import Owners


class Elsewhere(Protocol):
    """The way to the shards of other processes."""

    async def hand_over(self, shard: int, handed: Handed) -> Receipt:
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
        return (await self._hand_over(Handed(self._topic, partition, project))).mark

    async def has_room(self, project: Id) -> bool:
        """See `Owner.has_room`; each answer of the owner tells it anew."""
        known = self._rooms.get(project)
        if known is not None:
            has_room, at = known
            if has_room or asyncio.get_running_loop().time() - at < RECOUNT_SECONDS:
                return has_room
        return (await self._hand_over(Handed(self._topic, 0, project))).has_room

    async def take(self, step: InputStep, project: Id, tasks: Tasks) -> Taken:
        """See `Owner.take`."""
        records = [InputRecord(found.offset, found.value or b"", found.traceparent) for found, _ in tasks]
        receipt = await self._hand_over(
            Handed(self._topic, step.partition, project, step.previous, step.next_offset, records)
        )
        given = {found.offset: found for found, _ in tasks}
        refused = []
        for each in receipt.refused:
            error = Refusal(each.reason, dict(each.details))
            error.code = each.code
            refused.append(Refused(given[each.offset], error))
        return Taken(receipt.mark, refused)

    async def _hand_over(self, handed: Handed) -> Receipt:
        self._rooms.pop(handed.project, None)
        try:
            receipt = await self._way.hand_over(self._shard, handed)
        except NotReady as error:
            if error.code == AtCapacity.code:
                raise AtCapacity(error.message, error.details) from error
            raise
        self._rooms[handed.project] = receipt.has_room, asyncio.get_running_loop().time()
        return receipt


class HandedOver:
    """Takes in what readers in other processes hand over."""

    def __init__(self, owners: Owners) -> None:
        """Serve the shards of this process."""
        self._owners = owners

    async def take(self, shard: int, handed: Handed) -> Receipt:
        """Take in what is handed over to a shard, and say how far the project is.

        Raises:
            NotReady: another mark than the project's is named, or another topic than is read here.
            AtCapacity, ShuttingDown: nothing changed.
            AppendFailed: whether it took effect is unknown.
        """
        if handed.topic != self._owners.topic:
            raise NotReady(
                f"a peer reads topic {handed.topic}, and the settings here name {self._owners.topic}: give"
                " all processes the same feeds",
                {"topic": handed.topic},
            )
        owner, project, partition = self._owners.here(shard), handed.project, handed.partition
        if not handed.records:
            return Receipt(await owner.mark(partition, project), await owner.has_room(project))
        step = InputStep(handed.topic, partition, handed.previous, handed.next_offset, project.hex())
        tasks, refused = _read(handed)
        taken = Taken(step.previous, refused) if refused else await owner.take(step, project, tasks)
        return Receipt(
            taken.mark,
            await owner.has_room(project),
            [
                RefusedRecord(found.offset, error.code, error.message, error.details)
                for found, error in taken.refused
            ],
        )


def _read(handed: Handed) -> tuple[list[tuple[Found, TaskRecord]], list[Refused]]:
    """Read the records; those that the reader's release takes for sound and this one does not are refused."""
    tasks, refused = [], []
    for offset, value, traceparent in handed.records:
        found = Found(offset, None, value, traceparent)
        try:
            tasks.append((found, task_of(found.value)))
        except InvalidCommand as error:
            refused.append(Refused(found, error))
    return tasks, refused
