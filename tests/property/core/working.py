"""What workers do: ask, answer, keep, give back, change their minds; rightly and wrongly."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.property.core.base import UNKNOWN, History
from tests.property.core.drawing import LABEL, PLACE, WRONG_ANSWERS
from tests.support.engine import MINUTE

from crowdroute.router.commands.project import (
    AmendAnswer,
    CancelTask,
    ExtendLease,
    ProjectCommand,
    ReleaseLease,
    ReportProblem,
    RequestNext,
    RevokeLease,
    SaveDraft,
    SkipAssignment,
    SubmitAnswer,
    WithdrawAnswer,
)
from crowdroute.router.commands.replies import Granted
from crowdroute.router.model.answers import Answer
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import AssignmentState

Held = tuple[Id, Id, int]
"""Worker, assignment and fence: what every use of a lease brings."""

USES: dict[str, Callable[[Held, Answer, str], ProjectCommand]] = {
    "extend": lambda held, answer, reason: ExtendLease(*held),
    "release": lambda held, answer, reason: ReleaseLease(*held),
    "skip": lambda held, answer, reason: SkipAssignment(*held, reason),
    "skip it as broken": lambda held, answer, reason: SkipAssignment(*held, reason, True, b"why"),
    "report": lambda held, answer, reason: ReportProblem(*held, reason, b"why"),
    "draft": lambda held, answer, reason: SaveDraft(*held, b"d" * 16),
    "submit": lambda held, answer, reason: SubmitAnswer(*held, answer, 900, b"c" * 16, ("odd",)),
    "amend": lambda held, answer, reason: AmendAnswer(*held, answer),
    "withdraw": lambda held, answer, reason: WithdrawAnswer(*held, reason),
}
AFTER_AN_ANSWER = ("amend", "withdraw")
REASONS = st.sampled_from(["too hard", "too hard", "cannot see it", "  "])
STATES = {"any": tuple(AssignmentState), "answered": (AssignmentState.SUBMITTED,)}
SLIPS = st.sampled_from(["", "", "", "", "fence", "worker", "assignment", *STATES])
"""What is wrong about the use of a lease, mostly nothing; or the states of those that it is chosen from."""

HOW = st.sampled_from(["work", "race", "ask", "skip"])
TEAMS = st.sampled_from(["everybody", "crowd", "seniors", "experts"])
COUNTS = (1, 2, 5, 100, 0, 101)
"""Leases asked for at once; the last two are too few and too many."""


def spoil(held: Held, slip: str) -> Held:
    """Put something wrong into the use of a lease."""
    worker, assignment, fence = held
    return (
        UNKNOWN if slip == "worker" else worker,
        UNKNOWN if slip == "assignment" else assignment,
        fence + (slip == "fence"),
    )


class Working(History):
    """Rules of those who label."""

    @rule(place=PLACE, label=LABEL, team=TEAMS, how=HOW)
    def several_work(self, place: int, label: int, team: str, how: str) -> None:
        workers: list[Id] = getattr(self, team)
        if how == "ask":
            self.request(self.choose([*workers, UNKNOWN], place), self.choose(COUNTS, place))
            return
        if how == "skip":
            self._several_skip(1 + place % 4)
            return
        held = []
        for number in range(min(4, len(workers))):
            worker = self.choose(workers, place + number)
            for lease in self.request(worker, 2):
                held.append((worker, lease, self.answer(label if number != 2 else label + 1)))
                if how == "work":
                    self.submit(*held.pop())
        for worker, lease, answer in held:
            self.submit(worker, lease, answer)

    @rule(
        place=PLACE, use=st.sampled_from([*USES, *AFTER_AN_ANSWER]), slip=SLIPS, label=LABEL, reason=REASONS
    )
    def use_a_lease(self, place: int, use: str, slip: str, label: int, reason: str) -> None:
        self.meanwhile(place)
        uses = list(USES)
        for number in range(3):
            also = uses[(uses.index(use) + number * (1 + place)) % len(uses)]
            self._use(place, also, slip, label, reason)

    def _use(self, place: int, use: str, slip: str, label: int, reason: str) -> None:
        if slip in STATES:
            worker, lease = self.lease_in(place, *STATES[slip])
        else:
            worker, lease = self.lease_in(place, AssignmentState.ACTIVE)
        if use in AFTER_AN_ANSWER and slip not in STATES:
            self.submit(worker, lease, self.answer(label + 1))
        held = spoil((worker, lease.assignment, lease.fence), slip)
        reply = self.world.ask(USES[use](held, self.answer(label), reason))
        assert reply is None or held == (worker, lease.assignment, lease.fence)

    @rule(place=PLACE, label=LABEL, how=st.sampled_from(["expire", "revoke", "wait", "fill", "cancel"]))
    def answer_too_late(self, place: int, label: int, how: str) -> None:
        over = (AssignmentState.EXPIRED, AssignmentState.REVOKED)
        if how == "wait":
            worker, lease = self.lease_in(place, *over)
        else:
            worker, lease = self.take(place)
            self._end(lease, how)
        self.submit(worker, lease, self.answer(label))

    def _end(self, lease: Granted, how: str) -> None:
        """End a lease, and perhaps have everybody take what that leaves free, or nobody ever."""
        if how == "revoke":
            self.world.ask(RevokeLease(lease.assignment, "because"))
            return
        self.world.wait(11 * MINUTE)
        if how == "fill":
            for worker in self.everybody:
                self.world.ask(RequestNext(worker, 100))
        if how == "cancel":
            state = self.world.state
            row = state.assignments.task[state.assignments.find(lease.assignment)]
            self.world.ask(CancelTask(state.tasks.id_of(row), "because"))

    def _several_skip(self, count: int) -> None:
        for worker in self.crowd[-count:]:
            for lease in self.request(worker):
                self.world.ask(SkipAssignment(worker, lease.assignment, lease.fence, "too dark"))

    @rule(place=PLACE, answer=st.sampled_from(WRONG_ANSWERS))
    def repeat(self, place: int, answer: Answer) -> None:
        """What was answered before is answered the same, whatever happened since; nonsense never is."""
        worker, lease = self.lease_in(place, AssignmentState.ACTIVE)
        assert self.world.ask(SubmitAnswer(worker, lease.assignment, lease.fence, answer)) is None
        if self.world.submits:
            self.world.repeat_submit(place % len(self.world.submits))
        if self.world.keyed:
            self.world.repeat(place % len(self.world.keyed))
