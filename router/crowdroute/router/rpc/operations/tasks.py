"""Tasks: one, a page, and what operators do with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.api.v1 import tasks_pb2 as wire
from crowdroute.router.commands.project import CancelTask, EscalateTask, ProjectCommand, ReopenTask
from crowdroute.router.model.ids import Id, Kind
from crowdroute.router.model.states import Purpose, Stage, TaskState
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.contents import comments_of, external_ids_of, items_of
from crowdroute.router.rpc.convert.annotations import annotation_message
from crowdroute.router.rpc.convert.content import part_messages
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.convert.results import result_message
from crowdroute.router.rpc.convert.states import optional_state_of
from crowdroute.router.rpc.convert.tasks import task_message
from crowdroute.router.rpc.operations.behind import counted_behind
from crowdroute.router.rpc.operations.office import Office, Place
from crowdroute.router.rpc.operations.scanning import Chosen, scan_up
from crowdroute.router.rpc.pages import Page, fill, page_of
from crowdroute.router.state.project import Project
from crowdroute.router.state.tables import NONE

MOST_ANSWERS = 1000
"""Answers given with one task: a task of known answer may have those of everybody."""


class Tasks(Office):
    """The calls that concern tasks."""

    async def get_task(self, call: Call, message: wire.GetTaskRequest) -> wire.GetTaskResponse:
        """Give one task with what was answered, oldest first; of very many answers the newest.

        `ListAnnotations` gives all of them.
        """
        place = self.place(call, message.project_id)
        state = place.state
        task = state.task(id_of(Kind.TASK, message.task_id, "task_id"))
        rows = list(islice(state.assignments_of_task(task), MOST_ANSWERS))[::-1]
        await self.observe()
        item = state.items.id_of(state.tasks.item[task])
        content = (await items_of(place.engine, (item,))).get(item)
        comments: dict[Id, str] = {}
        if message.with_content:
            written = [row for row in rows if state.assignments.has_comment[row]]
            comments = await comments_of(place.engine, map(state.assignments.id_of, written))
        found = wire.GetTaskResponse(
            task=_task(place, task, content.external_id if content else ""),
            annotations=[
                annotation_message(state, place.schema, row, comments.get(state.assignments.id_of(row), ""))
                for row in rows
            ],
            content=part_messages(content.parts) if content and message.with_content else [],
        )
        await self.observe()  # of what was decided while the content was read, too
        return found

    async def list_tasks(self, call: Call, message: wire.ListTasksRequest) -> wire.ListTasksResponse:
        """Give a page of tasks, in the order in which they were opened."""
        place = self.place(call, message.project_id)
        page = page_of(message, int)
        rows = await self._rows(place.state, message, page)
        write = await self._writer(place, rows)
        tasks, token = await fill(page, rows, write, int)
        await self.observe()
        return wire.ListTasksResponse(tasks=tasks, next_page_token=token)

    async def _rows(self, state: Project, message: wire.ListTasksRequest, page: Page) -> list[int]:
        """Give the rows of a page, and one more if there is one."""
        begin = 0 if page.after is None else page.after + 1
        chosen = _chosen(state, message)
        if not message.item_id:
            return await scan_up(state.tasks, begin, page.rows + 1, chosen)
        rows = [
            row
            for row in _of_item(state, id_of(Kind.ITEM, message.item_id, "item_id"))
            if row >= begin and chosen(state.tasks.rows[row : row + 1])[0]
        ]
        return rows[: page.rows + 1]

    async def _writer(self, place: Place, rows: Sequence[int]) -> Callable[[int], wire.Task]:
        """Give what writes these tasks, with their external ids looked up."""
        await self.observe()
        state = place.state
        names = await external_ids_of(
            place.engine, (state.items.id_of(state.tasks.item[row]) for row in rows)
        )
        return lambda row: _task(place, row, names.get(state.items.id_of(state.tasks.item[row]), ""))

    async def cancel_task(self, call: Call, message: wire.CancelTaskRequest) -> wire.Task:
        """Stop work on a task for good."""
        return await self._change(call, message, lambda task: CancelTask(task, message.reason))

    async def reopen_task(self, call: Call, message: wire.ReopenTaskRequest) -> wire.Task:
        """Take answers again on a parked or finalised task."""
        return await self._change(call, message, lambda task: ReopenTask(task, message.reason, message.added))

    async def escalate_task(self, call: Call, message: wire.EscalateTaskRequest) -> wire.Task:
        """Ask an expert about an open task now."""
        return await self._change(call, message, lambda task: EscalateTask(task, message.reason))

    async def _change(self, call: Call, message: Any, command: Callable[[Id], ProjectCommand]) -> wire.Task:
        place = self.place(call, message.project_id)
        task = id_of(Kind.TASK, message.task_id, "task_id")
        await self.act(call, place.stream, command(task), message)
        row = place.state.task(task)
        changed = (await self._writer(place, (row,)))(row)
        await self.observe()
        return changed


def _task(place: Place, row: int, external_id: str) -> wire.Task:
    state = place.state
    newest = state.tasks.result[row]
    result = None
    if newest != NONE:
        schema = place.schema_at(state.results.rules_version[newest])
        result = result_message(state, schema, newest, external_id, counted_behind(state, newest))
    return task_message(state, place.schema, row, external_id, result)


def _of_item(state: Project, item: Id) -> list[int]:
    """Give the tasks on an item, oldest first."""
    rows = []
    row = state.items.first_task[state.item(item)]
    while row != NONE:
        rows.append(row)
        row = state.tasks.next_of_item[row]
    return rows[::-1]


def _chosen(state: Project, message: wire.ListTasksRequest) -> Chosen:
    """Tell which tasks a request wants."""
    wanted: dict[str, int] = {}
    for name, kind, number in (
        ("state", TaskState, message.state),
        ("stage", Stage, message.stage),
        ("purpose", Purpose, message.purpose),
    ):
        value = optional_state_of(kind, number, name)
        if value is not None:
            wanted[name] = int(value)
    if message.batch:
        code = state.batches.find(message.batch)
        wanted["batch"] = NONE if code is None else code

    def chosen(rows: NDArray[Any]) -> NDArray[Any]:
        good = np.ones(len(rows), bool)
        for name, value in wanted.items():
            good &= rows[name] == value
        return good

    return chosen
