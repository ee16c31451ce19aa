"""Annotations: lists, reviews that operators ask for, leases that they take away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import dropwhile, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.api.v1 import answers_pb2 as wire
from crowdroute.router.commands.project import ProjectCommand, RequestReview, RevokeLease
from crowdroute.router.model.ids import Id, Kind
from crowdroute.router.model.states import Review
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.convert.annotations import annotation_message
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.convert.states import optional_state_of
from crowdroute.router.rpc.operations.office import Office
from crowdroute.router.rpc.operations.scanning import scan_down
from crowdroute.router.rpc.pages import fill, page_of
from crowdroute.router.state.project import Project


class Annotations(Office):
    """The calls that concern single assignments and their answers."""

    async def list_annotations(
        self, call: Call, message: wire.ListAnnotationsRequest
    ) -> wire.ListAnnotationsResponse:
        """Give a page of annotations, newest first."""
        place = self.place(call, message.project_id)
        page = page_of(message, int)
        rows = await _rows(place.state, message, page.after, page.rows + 1)
        annotations, token = await fill(
            page, rows, lambda row: annotation_message(place.state, place.schema, row), int
        )
        await self.observe()
        return wire.ListAnnotationsResponse(annotations=annotations, next_page_token=token)

    async def request_review(self, call: Call, message: wire.RequestReviewRequest) -> wire.Annotation:
        """Have one counted crowd answer checked at the senior stage."""
        return await self._touch(call, message, lambda one: RequestReview(one, message.reason))

    async def revoke_lease(self, call: Call, message: wire.RevokeLeaseRequest) -> wire.Annotation:
        """Take a live lease away."""
        return await self._touch(call, message, lambda one: RevokeLease(one, message.reason))

    async def _touch(
        self, call: Call, message: Any, command: Callable[[Id], ProjectCommand]
    ) -> wire.Annotation:
        place = self.place(call, message.project_id)
        assignment = id_of(Kind.ASSIGNMENT, message.assignment_id, "assignment_id")
        await self.act(call, place.stream, command(assignment), message)
        touched = annotation_message(place.state, place.schema, place.state.assignment(assignment))
        await self.observe()
        return touched


async def _rows(
    state: Project, message: wire.ListAnnotationsRequest, after: int | None, wanted: int
) -> list[int]:
    """Give the rows of a page, newest first, which is by falling number."""
    review = optional_state_of(Review, message.review, "review")
    table = state.assignments
    chain: Iterable[int]
    match message.WhichOneof("of"):
        case "task_id":
            chain = state.assignments_of_task(state.task(id_of(Kind.TASK, message.task_id, "task_id")))
        case "worker_id":
            worker = id_of(Kind.WORKER, message.worker_id, "worker_id")
            chain = state.assignments_of_worker(state.worker(worker))
        case _:

            def chosen(rows: NDArray[Any]) -> NDArray[Any]:
                return np.ones(len(rows), bool) if review is None else rows["review"] == review

            return await scan_down(table, table.count if after is None else after, wanted, chosen)
    if after is not None:
        chain = dropwhile(lambda row: row >= after, chain)
    return list(islice((row for row in chain if review is None or table.review[row] == review), wanted))
