"""What the histories of one test run went through, so that a law that was never tried is noticed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from crowdroute.router.commands.base import Wish
from crowdroute.router.commands.project import PROJECT_COMMANDS, PauseProject, ResumeProject
from crowdroute.router.events import Event
from crowdroute.router.events.base import Fact
from crowdroute.router.events.project import AnswerSubmitted
from crowdroute.router.lifecycle import ASSIGNMENT, TASK
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import AssignmentState, Receipt, TaskState
from crowdroute.router.state.project import Project

LEAST = 20
"""How often each command must be accepted, and refused, in a run that counts."""

NEVER_REFUSED: dict[type[Wish], str] = {
    PauseProject: "any reason will do, and a second time changes nothing",
    ResumeProject: "it says nothing that could be wrong, and a second time changes nothing",
}
"""Commands that a project which exists cannot refuse, and why."""

LATE_REFUSED = {
    (AssignmentState.EXPIRED, AnswerSubmitted): AssignmentState.REFUSED,
    (AssignmentState.REVOKED, AnswerSubmitted): AssignmentState.REFUSED,
}
"""What `lifecycle.late_refused` allows beside the table."""


@dataclass
class Seen:
    """Counters of one run."""

    accepted: Counter[type[Wish]] = field(default_factory=Counter)
    refused: Counter[type[Wish]] = field(default_factory=Counter)
    tasks: Counter[tuple[TaskState, type[Fact], TaskState]] = field(default_factory=Counter)
    assignments: Counter[tuple[AssignmentState, type[Fact], AssignmentState]] = field(default_factory=Counter)
    receipts: Counter[tuple[AssignmentState, Receipt, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Codes of refusals."""

    def missing(self) -> list[str]:
        """Name every command, transition and receipt that was seen too rarely to say anything about it."""
        lacking = [f"{kind.__name__} accepted" for kind in PROJECT_COMMANDS if self.accepted[kind] < LEAST]
        lacking += [
            f"{kind.__name__} refused"
            for kind in PROJECT_COMMANDS
            if self.refused[kind] < LEAST and kind not in NEVER_REFUSED
        ]
        lacking += [
            f"task {before.name} + {event.__name__}"
            for (before, event), after in TASK.items()
            if not self.tasks[before, event, after]
        ]
        lacking += [
            f"assignment {before.name} + {event.__name__} -> {after.name}"
            for table in (ASSIGNMENT, LATE_REFUSED)
            for (before, event), after in table.items()
            if not self.assignments[before, event, after]
        ]
        lacking += [
            f"an answer {receipt.name} ({reason})"
            for receipt, reason in RECEIPTS
            if not self._received(receipt, reason)
        ]
        return lacking

    def _received(self, receipt: Receipt, reason: str) -> int:
        return sum(
            count for (_, seen, why), count in self.receipts.items() if (seen, why) == (receipt, reason)
        )


RECEIPTS = (
    (Receipt.COUNTED, ""),
    (Receipt.SURPLUS, "TASK_DECIDED"),
    (Receipt.REFUSED, "LEASE_REVOKED"),
    (Receipt.SURPLUS, "SLOT_TAKEN"),
    (Receipt.REFUSED, "TASK_CLOSED"),
    (Receipt.REFUSED, "TOO_LATE"),
)
"""Every way in which an answer is taken in."""


class Transitions:
    """Notes what one event does to its task and its assignment, while a fold applies it."""

    def __init__(self, seen: Seen, state: Project, event: Event) -> None:
        """Look at the states before the event."""
        self._seen, self._state, self._event = seen, state, event
        self._task = self._assignment = -1
        if any(type(event) is kind for _, kind in TASK):
            self._task = state.tasks.find(event.task)
            self._task_before = TaskState(state.tasks.state[self._task])
        if any(type(event) is kind for _, kind in ASSIGNMENT):
            self._assignment = state.assignments.find(_assignment(event))
            self._assignment_before = AssignmentState(state.assignments.state[self._assignment])

    def note(self) -> None:
        """Look at the states after the event, sure that the tables allow them."""
        event, kind = self._event, type(self._event)
        if self._task >= 0:
            after = TaskState(self._state.tasks.state[self._task])
            assert TASK[self._task_before, kind] == after
            self._seen.tasks[self._task_before, kind, after] += 1
        if self._assignment >= 0:
            before = self._assignment_before
            now = AssignmentState(self._state.assignments.state[self._assignment])
            allowed = {table.get((before, kind)) for table in (ASSIGNMENT, LATE_REFUSED)}
            assert now in allowed
            self._seen.assignments[before, kind, now] += 1
            if isinstance(event, AnswerSubmitted):
                self._seen.receipts[before, event.receipt, event.reason] += 1


def _assignment(event: Event) -> Id:
    identity: Id = event.assignment
    return identity
