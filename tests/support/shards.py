"""Several shards over disks in memory, in one group after another."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence

from tests.support.wire import TENANT, make_rules

from crowdroute.router.adapters.memory import (
    ManualClock,
    MemoryContents,
    MemoryDisk,
    MemoryLog,
    MemorySnapshots,
    SeededIds,
)
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import AddTasks, CreateProject, NewTask
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model import content
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.ports import ContentChange, StoredBatch
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.group import ShardGroup
from crowdroute.router.runtime.placement import ShardMap
from crowdroute.router.runtime.recovery import recover

ORGANISATION = organisation_stream(TENANT)
FIRST, SECOND = (bytes([number]) * 16 for number in (1, 2))
"""Projects that are placed in the first and in the second shard."""


class FailingLog(MemoryLog):
    """A log of a set whose appends are counted together; from a chosen one on, all of them fail."""

    def __init__(self, disk: MemoryDisk, street: Street) -> None:
        super().__init__(disk)
        self._street = street

    async def append(self, batch: StoredBatch, contents: Sequence[ContentChange]) -> None:
        """Append as the log itself does, or fail."""
        self._street.appends += 1
        if self._street.fail_at and self._street.appends >= self._street.fail_at:
            self.fail()
        await super().append(batch, contents)


class Street:
    """The disks of an installation, and the groups that come and go on them."""

    def __init__(self, shards: int = 2) -> None:
        self.disks = [MemoryDisk(bytes([number] * 32)) for number in range(shards)]
        self.clock = ManualClock()
        self.ids = SeededIds(3)
        self.open: set[int] = set()
        """Numbers of the shards that are open."""
        self.appends = 0
        self.fail_at = 0
        """The append, counted over all shards, from which on every one fails; 0: none."""

    @contextlib.asynccontextmanager
    async def open_shard(self, number: int) -> AsyncIterator[Engine]:
        """Recover one shard from its disk."""
        disk = self.disks[number]
        disk.forget_owner()
        log = FailingLog(disk, self)
        found = recover(log, MemorySnapshots(), lambda: Shard(number))
        engine = Engine(
            found.core,
            log,
            MemoryContents(disk),
            self.clock,
            self.ids,
            content_key=log.content_key,
            last_us=found.last_us,
        )
        self.open.add(number)
        try:
            yield engine
        finally:
            self.open.discard(number)  # two processes may believe that they have it
            if not engine.failed.done():
                await engine.drain()

    @contextlib.asynccontextmanager
    async def group(self, own: Iterable[int] | None = None) -> AsyncIterator[ShardGroup]:
        """Serve some of the shards, or all."""
        group = ShardGroup(self.open_shard, ShardMap(len(self.disks)))
        await group.start(range(len(self.disks)) if own is None else own)
        try:
            yield group
        finally:
            await group.close()


async def found(group: ShardGroup) -> None:
    """Begin the organisation."""
    engine = group.engines[0]
    await engine.submit(engine.request(ORGANISATION, CreateOrganisation(TENANT)))


async def create(group: ShardGroup, project: Id, name: str, key: str = "") -> str:
    """Create a project and give the name of its stream."""
    stream = project_stream(TENANT, project)
    document = ContentChange(content.rules(project, 1), name.encode())
    command = CreateProject(project, name, make_rules())
    await group.submit(group.request(stream, command, key=key, digest=project if key else b""), [document])
    return stream


async def found_with_two(group: ShardGroup) -> tuple[str, str]:
    """Begin the organisation and a project in each of two shards; give the names of their streams."""
    await found(group)
    return await create(group, FIRST, "one"), await create(group, SECOND, "two")


async def add_task(group: ShardGroup, stream: str) -> None:
    """Open a task in a project."""
    row = NewTask(group.new_id(), group.new_id(), digest=bytes([1] * 16))
    await group.submit(group.request(stream, AddTasks((row,))))


async def add_worker(group: ShardGroup, worker: Id, **about: object) -> None:
    """Make a worker known."""
    command = UpsertWorker(worker, NO_ID, NO_ID, **about)  # type: ignore[arg-type]
    await group.submit(group.request(ORGANISATION, command))
