"""Items: add in bulk, add the rows of a file, erase."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from crowdroute.api.v1 import tasks_pb2 as wire
from crowdroute.router.commands.project import AddTasks, EraseItem
from crowdroute.router.commands.replies import Imported, RowTaken
from crowdroute.router.errors import AtCapacity, InvalidCommand, Refusal
from crowdroute.router.machine.project.intake import LARGEST_IMPORT
from crowdroute.router.model.ids import Kind, to_text
from crowdroute.router.rpc.actions import expect
from crowdroute.router.rpc.calls import Call, Stream
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.operations.importing import FileRow, Importing
from crowdroute.router.rpc.operations.intake import Intake, Row, contents_of
from crowdroute.router.rpc.operations.office import Office, Place
from crowdroute.router.rpc.pages import spaced
from crowdroute.router.rpc.status import problem_message

ROWS_AT_ONCE = 200
"""Rows of a file in one command: a few milliseconds of deciding, so that an import holds nobody up."""

BYTES_AT_ONCE = 1 << 20
"""Bytes of a file in one command, for the same reason."""

REFUSALS_TOLD = 100

CAPACITY_SECONDS = 0.2
"""How long an import waits before it tries again when too much waits for the disk."""


class Items(Office):
    """The calls that concern items."""

    async def add_items(self, call: Call, message: wire.AddItemsRequest) -> wire.AddItemsResponse:
        """Add items, all or none."""
        place = self.place(call, message.project_id)
        if len(message.items) > LARGEST_IMPORT:
            raise InvalidCommand(
                f"{len(message.items)} items at once; send at most {LARGEST_IMPORT}", {"field": "items"}
            )
        intake = Intake(self.tenant(call), place)
        rows: list[Row] = []
        async for item in spaced(message.items):
            try:
                rows.append(intake.row(item))
            except Refusal as error:
                await self.observe()
                raise _in_row(error, len(rows)) from error
        command = AddTasks(tuple(row.task for row in rows))
        reply = await self.act(call, place.stream, command, message, contents_of(place.state, rows))
        return wire.AddItemsResponse(items=[_added(row) for row in expect(Imported, reply).rows])

    async def import_items(
        self, call: Call, stream: Stream[wire.ImportItemsRequest]
    ) -> wire.ImportItemsResponse:
        """Add the rows of a file as its bytes come; a row that is not sound does not stop the others."""
        first = await stream.read()
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidCommand("the first message must be the header", {"field": "header"})
        place = self.place(call, first.header.project_id)
        importing = Importing(first.header)
        response = wire.ImportItemsResponse()
        rows: list[FileRow] = []
        size = 0
        async for message in stream:
            if message.WhichOneof("part") != "chunk":
                raise InvalidCommand("after the header only chunks may come", {"field": "part"})
            for row in importing.feed(message.chunk):
                rows.append(row)
                size += row.size
                if len(rows) >= ROWS_AT_ONCE or size >= BYTES_AT_ONCE:
                    await self._take_rows(call, place, importing, rows, response)
                    rows, size = [], 0
        rows.extend(importing.end())
        await self._take_rows(call, place, importing, rows, response)
        return response

    async def _take_rows(
        self,
        call: Call,
        place: Place,
        importing: Importing,
        rows: Sequence[FileRow],
        response: wire.ImportItemsResponse,
    ) -> None:
        """Add rows of a file and count what became of them; waits while too much waits for the disk."""
        while True:
            sound, refused = self._sound(call, place, importing, rows)
            try:
                taken = await self._take(call, place, sound)
            except AtCapacity:
                await asyncio.sleep(CAPACITY_SECONDS)
            else:
                break
        await asyncio.sleep(0)  # rows that are all known wait for nothing else
        response.known += sum(row.known for row in taken)
        response.added += sum(not row.known for row in taken)
        response.refused += len(refused)
        response.refusals.extend(refused[: REFUSALS_TOLD - len(response.refusals)])

    async def _take(self, call: Call, place: Place, rows: Sequence[Row]) -> Sequence[RowTaken]:
        if not rows:
            return ()
        request = place.engine.request(
            place.stream,
            AddTasks(tuple(row.task for row in rows)),
            principal=call.principal.name,
            request=call.request,
        )
        reply = await place.engine.submit(request, contents_of(place.state, rows))
        return expect(Imported, reply).rows

    def _sound(
        self, call: Call, place: Place, importing: Importing, rows: Sequence[FileRow]
    ) -> tuple[list[Row], list[wire.RefusedRow]]:
        """Tell the rows that can be added from those that cannot, in the step in which they are decided."""
        intake = Intake(self.tenant(call), place)
        sound: list[Row] = []
        refused: list[wire.RefusedRow] = []
        for row in rows:
            try:
                sound.append(intake.row(importing.item(row)))
            except Refusal as error:
                refused.append(wire.RefusedRow(row=row.number, problem=problem_message(error)))
        return sound, refused

    async def erase_item(self, call: Call, message: wire.EraseItemRequest) -> wire.EraseItemResponse:
        """Delete an item's content and everything written about it."""
        place = self.place(call, message.project_id)
        item = id_of(Kind.ITEM, message.item_id, "item_id")
        await self.act(call, place.stream, EraseItem(item, message.reason), message)
        return wire.EraseItemResponse()


def _in_row(error: Refusal, number: int) -> Refusal:
    """Say in which row the trouble is."""
    details = dict(error.details)
    if "field" in details:
        details["field"] = f"items[{number}].{details['field']}"
    return type(error)(f"items[{number}]: {error.message}", details | {"row": str(number)})


def _added(row: RowTaken) -> wire.AddedItem:
    return wire.AddedItem(
        item_id=to_text(Kind.ITEM, row.item), task_id=to_text(Kind.TASK, row.task), known=row.known
    )
