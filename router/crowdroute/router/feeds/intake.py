"""From records of an input partition to commands, each with the offset that it brings the input to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterator, Mapping, Sequence
from typing import NamedTuple

from crowdroute.router.adapters.kafka_partition import Found
from crowdroute.router.commands.project import AddTasks
from crowdroute.router.commands.request import InputStep
from crowdroute.router.errors import AtCapacity, NotFound, Refusal, ShuttingDown
from crowdroute.router.feeds.records import TaskRecord, item_of, task_of
from crowdroute.router.feeds.spans import run_span
from crowdroute.router.machine.stream import project_stream
from crowdroute.router.ports import Tracer
from crowdroute.router.rpc.operations.intake import Intake, Row, contents_of
from crowdroute.router.rpc.operations.office import Place
from crowdroute.router.rpc.schemas import Schemas
from crowdroute.router.runtime.engine import Engine
from crowdroute.router.runtime.placement import FIRST_SHARD
from crowdroute.router.runtime.tracing import within
from crowdroute.router.state.project import Project

RECORDS_AT_ONCE = 200
"""Records in one command: a few milliseconds of deciding, so that an input holds nobody up."""


class Refused(NamedTuple):
    """A record that asks for nothing sound."""

    found: Found
    error: Refusal


class Run(NamedTuple):
    """Records in a row that concern one project, with the refused ones between them."""

    project: str
    """Name; empty when all are refused."""
    tasks: tuple[tuple[Found, TaskRecord], ...]
    refused: tuple[Refused, ...]
    next_offset: int


def runs_of(records: Sequence[Found]) -> Iterator[Run]:
    """Cut records, in their order, where the project changes or `RECORDS_AT_ONCE` are together."""
    project = ""
    tasks: list[tuple[Found, TaskRecord]] = []
    refused: list[Refused] = []
    end = 0
    for found in records:
        try:
            task = task_of(found.value)
        except Refusal as error:
            task = None
            problem = Refused(found, error)
        changes = task is not None and project not in ("", task.project)
        if changes or len(tasks) + len(refused) >= RECORDS_AT_ONCE:
            yield Run(project, tuple(tasks), tuple(refused), end)
            project, tasks, refused = "", [], []
        if task is None:
            refused.append(problem)
        else:
            project = task.project
            tasks.append((found, task))
        end = found.offset + 1
    if tasks or refused:
        yield Run(project, tuple(tasks), tuple(refused), end)


class Owned(NamedTuple):
    """A project, and the engine of the shard it lives in."""

    lane: str
    stream: str
    state: Project
    owner: Engine


class TaskIntake:
    """Takes runs of one topic into the shards that own their projects, in the name of one tenant.

    The shard with the tenant's organisation, the *home*, has the partition's mark. A run of its own projects
    and the mark stand in one batch. A run of another shard's project goes there by a step of the project's
    lane, whose mark stands in that shard's log in the batch of what it brought; only then does the home's
    mark pass it. Whoever reads the run again, because the process ended between the two, finds it in the
    lane.
    """

    def __init__(
        self,
        engines: Mapping[int, Engine],
        tenant: str,
        topic: str,
        send_away: Callable[[int, Refused], Awaitable[None]],
        tracer: Tracer | None = None,
    ) -> None:
        """Serve one topic.

        Args:
            engines: of every shard, by its number.
            tenant: whose projects the records name.
            topic: where the records stand.
            send_away: returns once a refused record of a partition is durable elsewhere.
            tracer: is told of what is taken in; None: nobody is.
        """
        self._engines = engines
        self._home = engines[FIRST_SHARD]
        self._tenant = tenant
        self._topic = topic
        self._send_away = send_away
        self._tracer = tracer
        self._schemas = Schemas()
        self.taken = 0
        """Records that became tasks, or were known, since the process began."""

    def position(self, partition: int) -> int:
        """Give the first offset that is not taken in."""
        return self._home.shard.input_position(self._topic, partition)

    def passed(self, partition: int, project: Owned) -> int:
        """Give the offset before which none of a project's records is to be taken in any more."""
        return project.owner.shard.input_position(self._topic, partition, project.lane)

    def project(self, name: str) -> Owned | None:
        """Give a project and who owns it; None when there is none of that name."""
        row = self._home.organisation(self._tenant).find_project(name)
        if row is None:
            return None
        stream = project_stream(self._tenant, row.project)
        owner = self._engines[row.shard]
        return Owned(row.project.hex(), stream, owner.shard.project_state(stream), owner)

    async def take(self, partition: int, run: Run, *, ahead: bool = False) -> None:
        """Take a run in and return when it is durable, with the offset it brings the input to.

        What is not sound is left out, and sent away before the offset passes it.

        Args:
            partition: where the records stand.
            run: of them, without what its project's lane has.
            ahead: whether records before these wait, so that these alone are taken in, by their lane.

        Raises:
            AtCapacity, ShuttingDown: nothing changed.
            AppendFailed: whether it took effect is unknown until the log is folded again.
            StorageError: a refused record could not be sent away; the offset stands before it.
        """
        found = [each for each, _ in run.tasks] + [each.found for each in run.refused]
        found.sort(key=lambda each: each.offset)
        with within(run_span(self._tracer, self._topic, partition, found, len(run.refused))):
            await self._take(partition, run, ahead=ahead)

    async def _take(self, partition: int, run: Run, *, ahead: bool) -> None:
        sent: set[int] = set()
        while True:
            rows, refused, project = self._sound(run, sent)
            for each in refused:
                await self._send_away(partition, each)
                sent.add(each.found.offset)
            if not refused:  # else time has passed, and what was sound may not be so any more
                break
        if project is not None and rows:
            try:
                await self._add(partition, run.next_offset, project, rows, ahead=ahead)
            except (AtCapacity, ShuttingDown):
                raise
            except Refusal as error:
                if len(run.tasks) > 1:
                    for part in _parts(run, sent):
                        await self._take(partition, part, ahead=ahead)
                    return
                await self._send_away(partition, Refused(run.tasks[0][0], error))
            else:
                self.taken += len(rows)
        if not ahead and self.position(partition) < run.next_offset:
            step = InputStep(self._topic, partition, self.position(partition), run.next_offset)
            await self._home.take_in(step, None)

    async def _add(
        self, partition: int, end: int, project: Owned, rows: Sequence[Row], *, ahead: bool
    ) -> None:
        """Have tasks added by the project's owner, with the mark that stands in its log."""
        whole = project.owner is self._home and not ahead
        lane = "" if whole else project.lane
        begin = self.position(partition) if whole else self.passed(partition, project)
        request = project.owner.request(
            project.stream,
            AddTasks(tuple(row.task for row in rows)),
            request=f"{self._topic}/{partition}/{begin}",
        )
        step = InputStep(self._topic, partition, begin, end, lane)
        await project.owner.take_in(step, request, contents_of(project.state, rows))

    def _sound(self, run: Run, sent: Container[int]) -> tuple[list[Row], list[Refused], Owned | None]:
        """Tell the rows that can be added from the records that cannot; those sent away are neither."""
        refused = [each for each in run.refused if each.found.offset not in sent]
        tasks = [each for each in run.tasks if each[0].offset not in sent]
        if not tasks:
            return [], refused, None
        project = self.project(run.project)
        if project is None:
            missing = NotFound(
                f"there is no project named {run.project!r}: create it, then send the record again",
                {"field": "project"},
            )
            return [], refused + [Refused(found, missing) for found, _ in tasks], None
        place = Place(self._tenant, project.stream, project.state, project.owner, self._schemas)
        intake = Intake(self._home.organisation(self._tenant), place)
        rows: list[Row] = []
        for found, task in tasks:
            try:
                rows.append(intake.row(item_of(task)))
            except Refusal as error:
                refused.append(Refused(found, error))
        return rows, refused, project


def _parts(run: Run, sent: Container[int]) -> Iterator[Run]:
    """Cut a run that was refused as a whole into one run for each record that is not sent away."""
    tasks = [each for each in run.tasks if each[0].offset not in sent]
    for place, each in enumerate(tasks):
        last = place + 1 == len(tasks)
        yield Run(run.project, (each,), (), run.next_offset if last else each[0].offset + 1)
