"""What a work stream has to tell its client next, as one message."""

from __future__ import annotations

from crowdroute.api.v1 import work_pb2
from crowdroute.router.commands import Reply
from crowdroute.router.commands.replies import Granted
from crowdroute.router.errors import Refusal
from crowdroute.router.model.ids import Id, Kind, to_text
from crowdroute.router.rpc.actions import ACTIONS, Desk, offers_of, resumed_offers
from crowdroute.router.rpc.convert.offers import no_task
from crowdroute.router.rpc.status import problem_message

Stated = tuple[int, str, Reply | Refusal]
"""Sequence number, name of the action, what the core said."""


class Untold:
    """What the next message will tell."""

    __slots__ = ("idle", "leases", "replies", "resumed", "revoked")

    def __init__(self) -> None:
        self.replies: list[Stated] = []
        self.leases: list[Granted] = []
        self.resumed: list[Granted] = []
        self.revoked: list[tuple[Id, str]] = []
        self.idle = ""

    async def message(self, desk: Desk) -> work_pb2.WorkResponse:
        """Give all of it to whoever works at this desk; empty when there is nothing."""
        response = work_pb2.WorkResponse()
        for sequence, name, reply in self.replies:
            told = response.replies.add(sequence=sequence)
            if isinstance(reply, Refusal):
                told.problem.CopyFrom(problem_message(reply))
            else:
                getattr(told, name).CopyFrom(ACTIONS[name].write(desk, reply))
        if self.resumed:
            response.resumed.extend(await resumed_offers(desk, self.resumed))
        if self.leases:
            response.offers.extend(await offers_of(desk, self.leases))
        for assignment, reason in self.revoked:
            response.revocations.add(assignment_id=to_text(Kind.ASSIGNMENT, assignment), reason=reason)
        if self.idle:
            response.no_task.CopyFrom(no_task(self.idle))
        return response
