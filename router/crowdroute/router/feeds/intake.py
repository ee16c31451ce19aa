"""From records of an input partition to tasks of their projects, each with the offset that it reaches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from crowdroute.router.commands.request import InputStep
from crowdroute.router.errors import NotFound, NotReady
from crowdroute.router.feeds.owner import Owner, Tasks
from crowdroute.router.feeds.owners import Owners
from crowdroute.router.feeds.runs import Refused, Run
from crowdroute.router.feeds.spans import run_span
from crowdroute.router.machine.stream import organisation_stream
from crowdroute.router.model.ids import Id
from crowdroute.router.ports import Tracer
from crowdroute.router.runtime.placement import FIRST_SHARD
from crowdroute.router.runtime.tracing import within


class Owned(NamedTuple):
    """A project, and who owns it."""

    project: Id
    shard: int
    owner: Owner


class TaskIntake:
    """Takes runs of one topic into the shards that own their projects, in the name of one tenant.

    The shard with the tenant's organisation, the *home*, has the partition's mark, and its process reads. A
    run of its own projects and the mark stand in one batch. A run of another shard's project goes there, to
    whichever process serves it, by a step of the project's lane, whose mark stands in that shard's log in the
    batch of what it brought; only then does the home's mark pass it. Whoever reads the run again, because a
    process ended between the two or another one reads as well, finds it in the lane.
    """

    def __init__(
        self,
        owners: Owners,
        send_away: Callable[[int, Refused], Awaitable[None]],
        tracer: Tracer | None = None,
    ) -> None:
        """Serve one topic; the home must be served by this process.

        Args:
            owners: of the projects that the records name.
            send_away: returns once a refused record of a partition is durable elsewhere.
            tracer: is told of what is taken in; None: nobody is.
        """
        self._owners = owners
        self._engine = owners.group.engines[FIRST_SHARD]
        self._topic = owners.topic
        self._send_away = send_away
        self._tracer = tracer
        self._marks: dict[tuple[int, Id], int] = {}
        """By partition and project: how far its owner was when it was last heard."""
        self.taken = 0
        """Records that became tasks, or were known, since the process began."""

    def position(self, partition: int) -> int:
        """Give the first offset that is not taken in."""
        return self._engine.shard.input_position(self._topic, partition)

    async def passed(self, partition: int, owned: Owned) -> int:
        """Give the offset before which none of a project's records is to be taken in any more.

        Raises:
            NotReady: the owner cannot be asked at the moment.
        """
        place = partition, owned.project
        if place not in self._marks:
            self._marks[place] = await owned.owner.mark(partition, owned.project)
        return max(self._marks[place], self.position(partition) if owned.shard == FIRST_SHARD else 0)

    def go_back(self) -> None:
        """Forget how far the owners are said to be, so that they are asked again."""
        self._marks.clear()

    def project(self, name: str) -> Owned | None:
        """Give a project and who owns it; None when there is none of that name.

        Raises:
            NotReady: nobody serves it, or the organisation has not begun.
        """
        tenant = self._owners.tenant
        if not self._engine.shard.has(organisation_stream(tenant)):
            raise NotReady(f"the organisation {tenant} has not begun yet")
        row = self._engine.organisation(tenant).find_project(name)
        return None if row is None else Owned(row.project, row.shard, self._owners.of(row.shard))

    async def take(self, partition: int, run: Run, *, ahead: bool = False) -> None:
        """Take a run in and return when it is durable, with the offset it brings the input to.

        What is not sound is left out, and sent away before the offset passes it.

        Args:
            partition: where the records stand.
            run: of them, without what its project's lane has.
            ahead: whether records before these wait, so that these alone are taken in, by their lane.

        Raises:
            AtCapacity, ShuttingDown: nothing changed.
            NotReady: an owner cannot be asked, or is elsewhere in the partition: go back.
            AppendFailed: whether it took effect is unknown until the log is folded again.
            StorageError: a refused record could not be sent away; the offset stands before it.
        """
        found = [each for each, _ in run.tasks] + [each.found for each in run.refused]
        found.sort(key=lambda each: each.offset)
        with within(run_span(self._tracer, self._topic, partition, found, len(run.refused))):
            for each in run.refused:
                await self._send_away(partition, each)
            if run.tasks:
                await self._hand_over(partition, run, ahead=ahead)
            if not ahead and self.position(partition) < run.next_offset:
                step = InputStep(self._topic, partition, self.position(partition), run.next_offset)
                await self._engine.take_in(step, None)

    async def _hand_over(self, partition: int, run: Run, *, ahead: bool) -> None:
        """Give a run's tasks to their owner until it has all that are sound, and send the others away."""
        left: Tasks = run.tasks
        while left:
            owned = self.project(run.project)
            if owned is None:
                missing = NotFound(
                    f"there is no project named {run.project!r}: create it, then send the record again",
                    {"field": "project"},
                )
                for found, _ in left:
                    await self._send_away(partition, Refused(found, missing))
                return
            refused = await self._give(partition, run.next_offset, owned, left, ahead=ahead)
            for each in refused:
                await self._send_away(partition, each)
            if not refused:
                return
            away = {each.found.offset for each in refused}
            whole = owned.shard == FIRST_SHARD and not ahead
            mark = self.position(partition) if whole else await self.passed(partition, owned)
            left = [each for each in left if each[0].offset >= mark and each[0].offset not in away]

    async def _give(
        self, partition: int, end: int, owned: Owned, tasks: Tasks, *, ahead: bool
    ) -> Sequence[Refused]:
        """Give tasks to their owner once, with the mark that stands in its log; tells what it refused."""
        whole = owned.shard == FIRST_SHARD and not ahead
        begin = self.position(partition) if whole else await self.passed(partition, owned)
        step = InputStep(self._topic, partition, begin, end, "" if whole else owned.project.hex())
        taken = await owned.owner.take(step, owned.project, tasks)
        if not whole:
            self._marks[partition, owned.project] = taken.mark
        self.taken += sum(found.offset < taken.mark for found, _ in tasks)
        return taken.refused
