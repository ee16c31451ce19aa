"""Why things are as they are, in the words of the people who ask."""

from __future__ import annotations

from crowdroute.api.v1 import explanations_pb2 as wire
from crowdroute.router.model.ids import Kind
from crowdroute.router.rpc.calls import Call
from crowdroute.router.rpc.convert.ids import id_of
from crowdroute.router.rpc.convert.times import timestamp
from crowdroute.router.rpc.operations.assignment_reasons import why_assignment
from crowdroute.router.rpc.operations.office import Office
from crowdroute.router.rpc.operations.task_reasons import Why, why_task


class Explanations(Office):
    """The calls that explain."""

    async def explain_task(self, call: Call, message: wire.ExplainTaskRequest) -> wire.Explanation:
        """Tell why a task is where it is."""
        place = self.place(call, message.project_id)
        explained = why_task(place.state, id_of(Kind.TASK, message.task_id, "task_id"))
        await self.observe()
        return _explanation(*explained)

    async def explain_assignment(
        self, call: Call, message: wire.ExplainAssignmentRequest
    ) -> wire.Explanation:
        """Tell why a worker was given a task, and what became of the answer."""
        place = self.place(call, message.project_id)
        assignment = id_of(Kind.ASSIGNMENT, message.assignment_id, "assignment_id")
        explained = why_assignment(place.state, assignment)
        await self.observe()
        return _explanation(*explained)


def _explanation(summary: str, reasons: list[Why]) -> wire.Explanation:
    return wire.Explanation(
        summary=summary,
        reasons=[
            wire.Reason(
                at=timestamp(why.at_us),
                text=why.text,
                code=why.code,
                numbers=why.numbers,
                details=why.details,
            )
            for why in reasons
        ],
    )
