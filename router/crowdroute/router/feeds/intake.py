"""From records of an input partition to commands, each with the offset that it brings the input to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterator, Sequence
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


class TaskIntake:
    """Takes runs of one topic into an engine, in the name of one tenant."""

    def __init__(
        self,
        engine: Engine,
        tenant: str,
        topic: str,
        send_away: Callable[[int, Refused], Awaitable[None]],
        tracer: Tracer | None = None,
    ) -> None:
        """Serve one topic.

        Args:
            engine: owns the tenant's projects and the input.
            tenant: whose projects the records name.
            topic: where the records stand.
            send_away: returns once a refused record of a partition is durable elsewhere.
            tracer: is told of what is taken in; None: nobody is.
        """
        self._engine = engine
        self._tenant = tenant
        self._topic = topic
        self._send_away = send_away
        self._tracer = tracer
        self._schemas = Schemas()
        self.taken = 0
        """Records that became tasks, or were known, since the process began."""

    def position(self, partition: int, lane: str = "") -> int:
        """Give the first offset that is not taken in: of a project's lane, or of all records."""
        return self._engine.shard.input_position(self._topic, partition, lane)

    def project(self, name: str) -> tuple[str, Project] | None:
        """Give a project's lane and state; None when there is none of that name."""
        known = self._engine.organisation(self._tenant).find_project(name)
        if known is None:
            return None
        stream = project_stream(self._tenant, known.project)
        return known.project.hex(), self._engine.shard.project_state(stream)

    async def take(self, partition: int, run: Run, lane: str = "") -> None:
        """Take a run in and return when it is durable, with the offset it brings the input to.

        What is not sound is left out, and sent away before the offset passes it.

        Args:
            partition: where the records stand.
            run: of them.
            lane: of its project, when only that project's records are taken in; empty: they are all there is
                up to the run's end.

        Raises:
            AtCapacity, ShuttingDown: nothing changed.
            AppendFailed: whether it took effect is unknown until the log is folded again.
            StorageError: a refused record could not be sent away; the offset stands before it.
        """
        found = [each for each, _ in run.tasks] + [each.found for each in run.refused]
        found.sort(key=lambda each: each.offset)
        with within(run_span(self._tracer, self._topic, partition, found, len(run.refused))):
            await self._take(partition, run, lane)

    async def _take(self, partition: int, run: Run, lane: str) -> None:
        sent: set[int] = set()
        while True:
            rows, refused, place = self._sound(run, sent)
            for each in refused:
                await self._send_away(partition, each)
                sent.add(each.found.offset)
            if not refused:  # else time has passed, and what was sound may not be so any more
                break
        step = InputStep(self._topic, partition, self.position(partition, lane), run.next_offset, lane)
        if place is None or not rows:
            await self._engine.take_in(step, None)
            return
        request = self._engine.request(
            place.stream,
            AddTasks(tuple(row.task for row in rows)),
            request=f"{self._topic}/{partition}/{step.previous}",
        )
        try:
            await self._engine.take_in(step, request, contents_of(place.state, rows))
            self.taken += len(rows)
        except (AtCapacity, ShuttingDown):
            raise
        except Refusal as error:
            if len(run.tasks) == 1:
                await self._send_away(partition, Refused(run.tasks[0][0], error))
                await self._engine.take_in(step, None)
                return
            for part in _parts(run, sent):
                await self._take(partition, part, lane)

    def _sound(self, run: Run, sent: Container[int]) -> tuple[list[Row], list[Refused], Place | None]:
        """Tell the rows that can be added from the records that cannot; those sent away are neither."""
        refused = [each for each in run.refused if each.found.offset not in sent]
        tasks = [each for each in run.tasks if each[0].offset not in sent]
        if not tasks:
            return [], refused, None
        organisation = self._engine.organisation(self._tenant)
        known = organisation.find_project(run.project)
        if known is None:
            missing = NotFound(
                f"there is no project named {run.project!r}: create it, then send the record again",
                {"field": "project"},
            )
            return [], refused + [Refused(found, missing) for found, _ in tasks], None
        stream = project_stream(self._tenant, known.project)
        state = self._engine.shard.project_state(stream)
        place = Place(self._tenant, stream, state, self._engine, self._schemas)
        intake = Intake(organisation, place)
        rows: list[Row] = []
        for found, task in tasks:
            try:
                rows.append(intake.row(item_of(task)))
            except Refusal as error:
                refused.append(Refused(found, error))
        return rows, refused, place


def _parts(run: Run, sent: Container[int]) -> Iterator[Run]:
    """Cut a run that was refused as a whole into one run for each record that is not sent away."""
    tasks = [each for each in run.tasks if each[0].offset not in sent]
    for place, each in enumerate(tasks):
        last = place + 1 == len(tasks)
        yield Run(run.project, (each,), (), run.next_offset if last else each[0].offset + 1)
