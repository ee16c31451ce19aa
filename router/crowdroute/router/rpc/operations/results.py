"""Results: one, a page, all, and corrections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crowdroute.api.v1 import results_pb2 as wire
from crowdroute.router.commands.project import CorrectResult
from crowdroute.router.commands.replies import Created
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.model.content import ItemContent
from crowdroute.router.model.ids import Id, Kind
from crowdroute.router.model.states import Purpose
from crowdroute.router.rpc.actions import expect
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.contents import AT_ONCE, comments_of, external_ids_of, items_of
from crowdroute.router.rpc.convert.annotations import annotation_message
from crowdroute.router.rpc.convert.content import part_messages
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.convert.results import result_message
from crowdroute.router.rpc.operations.behind import annotations_behind, counted_behind, result_row
from crowdroute.router.rpc.operations.office import Office, Place
from crowdroute.router.rpc.operations.scanning import Chosen, scan_all, scan_up
from crowdroute.router.rpc.pages import fill, page_of
from crowdroute.router.state.project import Project
from crowdroute.router.state.tables import NONE

AT_A_STRETCH = 8
"""Results written between two looks at the network, 0.6 ms of CPU: a pick waits for one of these, a few times
over (`benchmarks/bench_exports.py`)."""


class _Contents(NamedTuple):
    """What is written about some results beside the log."""

    items: dict[Id, ItemContent]
    comments: dict[Id, str]


class Results(Office):
    """The calls that concern results.

    Lists and exports hold the results of production tasks alone: those of audits and calibrations are about
    the engine, and tasks with a known answer have none. So a vendor must not read them: what never comes to a
    result would be gold.
    """

    async def get_result(self, call: Call, message: wire.GetResultRequest) -> wire.Result:
        """Give one revision of a task's result."""
        place = self.place(call, message.project_id)
        state = place.state
        task = state.task(id_of(Kind.TASK, message.task_id, "task_id"))
        if message.revision < 0:
            raise InvalidCommand("revision is negative; 0 is the newest", {"field": "revision"})
        row = result_row(state, task, message.revision)
        if row == NONE:
            which = f"revision {message.revision} of a result" if message.revision else "result"
            raise NotFound(f"{message.task_id} has no {which}", {"task": message.task_id})
        return await self._result(place, row)

    async def list_results(self, call: Call, message: wire.ListResultsRequest) -> wire.ListResultsResponse:
        """Give a page of results, in the order in which they were published."""
        place = self.place(call, message.project_id)
        page = page_of(message, int)
        chosen = _chosen(place.state, message.batch, message.all_revisions)
        begin = 0 if page.after is None else page.after + 1
        rows = await scan_up(place.state.results, begin, page.rows + 1, chosen)
        await self.observe()
        names = await external_ids_of(place.engine, _items(place.state, rows))
        results, token = await fill(page, rows, lambda row: self._written(place, row, names), int)
        await self.observe()
        return wire.ListResultsResponse(results=results, next_page_token=token)

    async def export_results(
        self, call: Call, message: wire.ExportResultsRequest
    ) -> AsyncIterator[wire.ExportedResult]:
        """Give all results, and those that come while the export is under way.

        Rows are read as fast as they are taken: gRPC lets the next one be written when there is room.
        """
        place = self.place(call, message.project_id)
        state = place.state
        chosen = _chosen(state, message.batch, message.all_revisions)
        async for rows in scan_all(state.results, chosen):
            for begin in range(0, len(rows), AT_ONCE):
                some = rows[begin : begin + AT_ONCE]
                await self.observe()
                known = await self._read(place, some, message)
                for first in range(0, len(some), AT_A_STRETCH):
                    exported = [
                        self._exported(place, row, known, message)
                        for row in some[first : first + AT_A_STRETCH]
                        if _to_export(state, row, message)
                    ]
                    await self.observe()  # of what was decided since it was looked at last, too
                    for one in exported:
                        yield one

    async def _read(self, place: Place, rows: list[int], message: wire.ExportResultsRequest) -> _Contents:
        """Read what is written about some results beside the log."""
        state = place.state
        items = await items_of(place.engine, _items(state, rows))
        if not (message.with_content and message.with_annotations):
            return _Contents(items, {})
        remarked = [
            state.assignments.id_of(one)
            for row in rows
            for one in annotations_behind(state, row)
            if state.assignments.has_comment[one]
        ]
        return _Contents(items, await comments_of(place.engine, remarked))

    def _exported(
        self, place: Place, row: int, known: _Contents, message: wire.ExportResultsRequest
    ) -> wire.ExportedResult:
        state = place.state
        item = state.items.id_of(state.tasks.item[state.results.task[row]])
        content = known.items.get(item)
        behind = annotations_behind(state, row) if message.with_annotations else []
        return wire.ExportedResult(
            result=self._written(place, row, {item: content.external_id} if content else {}),
            annotations=[
                annotation_message(
                    state, place.schema, one, known.comments.get(state.assignments.id_of(one), "")
                )
                for one in behind
            ],
            content=part_messages(content.parts) if content and message.with_content else [],
            guideline_digest=place.schema_at(state.results.rules_version[row]).guideline_digest,
        )

    async def correct_result(self, call: Call, message: wire.CorrectResultRequest) -> wire.Result:
        """Publish another result for a finalised task."""
        place = self.place(call, message.project_id)
        task = id_of(Kind.TASK, message.task_id, "task_id")
        command = CorrectResult(task, place.schema.answer_of(message.answers), message.reason)
        reply = expect(Created, await self.act(call, place.stream, command, message))
        return await self._result(place, result_row(place.state, place.state.task(task), reply.version))

    async def _result(self, place: Place, row: int) -> wire.Result:
        await self.observe()
        names = await external_ids_of(place.engine, _items(place.state, [row]))
        result = self._written(place, row, names)
        await self.observe()  # of what was decided while the name was read, too
        return result

    def _written(self, place: Place, row: int, names: dict[Id, str]) -> wire.Result:
        state = place.state
        item = state.items.id_of(state.tasks.item[state.results.task[row]])
        return result_message(
            state,
            place.schema_at(state.results.rules_version[row]),
            row,
            names.get(item, ""),
            counted_behind(state, row),
        )


def _chosen(state: Project, batch: str, all_revisions: bool) -> Chosen:
    """Tell which results are listed: of production tasks, of items that are not erased."""
    code = state.batches.find(batch) if batch else NONE

    def chosen(rows: NDArray[Any]) -> NDArray[Any]:
        tasks, places = state.tasks.rows, rows["task"]
        good = tasks["purpose"][places] == Purpose.PRODUCTION
        good &= state.items.rows["erased"][tasks["item"][places]] == 0
        if batch:
            good &= tasks["batch"][places] == (NONE if code is None else code)
        if not all_revisions:
            good &= tasks["revision"][places] == rows["revision"]
        return np.asarray(good)

    return chosen


def _to_export(state: Project, row: int, message: wire.ExportResultsRequest) -> bool:
    """Say whether a result is still wanted: the export is slow, and some were superseded meanwhile."""
    task = state.results.task[row]
    if state.items.erased[state.tasks.item[task]]:
        return False
    return message.all_revisions or state.tasks.result[task] == row


def _items(state: Project, rows: list[int]) -> list[Id]:
    return [state.items.id_of(state.tasks.item[state.results.task[row]]) for row in rows]
