"""What clients were told, kept apart from the engine: it must all be in the log, and never change."""

from __future__ import annotations

from tests.checker import Acknowledgement, GrantAcknowledged, KeyAcknowledged, SubmitAcknowledged
from tests.simulation.knowledge import Held, KnownProject, KnownTask
from tests.simulation.process import Call, Outcome

from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.replies import Imported, Offered, Received
from crowdroute.router.errors import Refusal
from crowdroute.router.model.answers import Answer

KEYS_HOLD_US = 23 * 3_600_000_000
"""A key is good for 24 hours of logged time; a call that is repeated nearly a day later is not compared."""


class Journal:
    """All acknowledgements of a run."""

    def __init__(self) -> None:
        """Begin with none."""
        self.acknowledged: list[Acknowledgement] = []

    def told(self, call: Call, outcome: Outcome, decided_us: int) -> str:
        """Note what a client was told; gives a complaint when it was told otherwise before."""
        complaint = self._compare(call, outcome, decided_us)
        if not call.binding:
            submits = isinstance(call.request.command, wishes.SubmitAnswer)
            call.told, call.decided_us = outcome, decided_us
            call.binding = (submits or call.kept) and not isinstance(outcome, Refusal)
        self._note(call, outcome)
        return complaint

    def leases(self, call: Call) -> list[Held]:
        """Give the leases that a call was told of."""
        if not isinstance(call.told, Offered):
            return []
        return [
            Held(call.request.stream, lease.assignment, lease.fence, lease.item, lease.stage)
            for lease in call.told.leases
        ]

    def teach(self, project: KnownProject, outcome: Outcome) -> None:
        """Let operators know of the tasks and assignments that a reply names."""
        if isinstance(outcome, Imported):
            project.tasks += [
                KnownTask(row.task, row.item, row.purpose) for row in outcome.rows if not row.known
            ]
        elif isinstance(outcome, Offered):
            project.assignments += [lease.assignment for lease in outcome.leases]

    def _compare(self, call: Call, outcome: Outcome, decided_us: int) -> str:
        for_ever = isinstance(call.request.command, wishes.SubmitAnswer)
        holds = for_ever or abs(decided_us - call.decided_us) < KEYS_HOLD_US
        if not call.binding or not holds or outcome == call.told:
            return ""
        return f"{call.request.command} was told {call.told}, and when asked again {outcome}"

    def _note(self, call: Call, outcome: Outcome) -> None:
        request = call.request
        if isinstance(outcome, Refusal):
            return
        if call.kept:
            self.acknowledged.append(
                KeyAcknowledged(
                    request.stream, request.principal, type(request.command).__name__, request.key
                )
            )
        if isinstance(outcome, Offered) and isinstance(request.command, wishes.RequestNext):
            self.acknowledged += [
                GrantAcknowledged(request.stream, lease.assignment, request.command.worker, lease.fence)
                for lease in outcome.leases
            ]
        if isinstance(outcome, Received) and isinstance(request.command, wishes.SubmitAnswer):
            self.acknowledged.append(
                SubmitAcknowledged(
                    request.stream,
                    request.command.assignment,
                    outcome.receipt,
                    _pairs(request.command.answer),
                )
            )


def _pairs(answer: Answer) -> tuple[tuple[int, int], ...]:
    return tuple((value.field, value.label) for value in answer)
