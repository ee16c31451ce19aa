"""In which order one partition's records are taken in when some of their projects are full.

Records of a full project wait in the topic, and the partition's mark before the first of them. What follows
is still read, and records of other projects are taken in, each project's in a lane with a mark of its own.
When a project that waits has room again, reading goes back to the partition's mark: what lanes had is passed
over.
"""

from __future__ import annotations

from collections.abc import Sequence

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.feeds.intake import TaskIntake
from crowdroute.router.feeds.runs import Run, runs_of


class Passing:
    """Takes in one partition, in order for each project."""

    def __init__(self, intake: TaskIntake, partition: int) -> None:
        """Begin at the partition's mark."""
        self._intake = intake
        self._partition = partition
        self._ahead: int | None = None
        self.waiting: set[str] = set()
        """Names of the projects whose records wait."""
        self._unknown: set[str] = set()
        """Names of no project when a record was passed over: were one created now, its lane would begin too
        late."""

    async def position(self) -> int:
        """Give the offset to read from."""
        if self._ahead is not None:
            for name in self.waiting:
                if await self._has_room(name):
                    self._begin_anew()
                    break
        return self._intake.position(self._partition) if self._ahead is None else self._ahead

    def go_back(self) -> None:
        """Forget everything but what the logs say, as a process that starts anew does."""
        self._intake.go_back()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._ahead = None
        self.waiting, self._unknown = set(), set()

    async def take(self, records: Sequence[Found]) -> None:
        """Take in what was read from `position`, but what must wait.

        Raises:
            AtCapacity, ShuttingDown, NotReady, AppendFailed, StorageError: as `TaskIntake.take`; read again.
        """
        for run in runs_of(records):
            if run.tasks and not (left := await self._not_taken(run)).tasks and self._ahead is None:
                await self._intake.take(self._partition, left)
                continue
            if run.tasks and not await self._has_room(run.project):
                self.waiting.add(run.project)
                if self._ahead is None:
                    self._ahead = run.next_offset
            elif self._ahead is None:
                await self._intake.take(self._partition, await self._not_taken(run))
            elif run.tasks and run.project not in self.waiting | self._unknown:
                await self._take_ahead(run)
            if self._ahead is not None:
                self._ahead = run.next_offset

    async def _take_ahead(self, run: Run) -> None:
        """Take a run's tasks in; its refused records are sent away when the partition's mark comes there."""
        known = self._intake.project(run.project)
        left = await self._not_taken(run)
        if known is None:
            self._unknown.add(run.project)
        elif left.tasks:
            await self._intake.take(self._partition, left._replace(refused=()), ahead=True)

    async def _not_taken(self, run: Run) -> Run:
        """Leave out of a run what its project's lane had."""
        known = self._intake.project(run.project) if run.tasks else None
        if known is None:
            return run
        mark = await self._intake.passed(self._partition, known)
        return run._replace(tasks=tuple(each for each in run.tasks if each[0].offset >= mark))

    async def _has_room(self, name: str) -> bool:
        """Say whether a project takes more; of one that does not exist the records are refused, not kept."""
        known = self._intake.project(name)
        return known is None or await known.owner.has_room(known.project)
