"""The door of a project's stream: which module decides which command, and how the state is kept and saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crowdroute.router.commands import Request
from crowdroute.router.commands import project as wishes
from crowdroute.router.commands.base import Wish
from crowdroute.router.errors import InvalidCommand, NotFound
from crowdroute.router.events import Event
from crowdroute.router.events import project as facts
from crowdroute.router.machine.project import (
    answering,
    checking,
    due,
    intake,
    leasing,
    operating,
    people,
    refitting,
    reviewing,
    saving,
)
from crowdroute.router.machine.project.fold import EVERYTHING, HANDLERS
from crowdroute.router.machine.stream import Decision, Steps
from crowdroute.router.model.ids import Id
from crowdroute.router.policy.known import KnownTasks
from crowdroute.router.policy.registry import make_policy
from crowdroute.router.state.project import Project

Decide = Callable[[Project, Any, int], Decision]

DECIDERS: dict[type[Wish], Decide] = {
    wishes.CreateProject: intake.create,
    wishes.BeginProject: intake.begin,
    wishes.ApplyRules: intake.apply_rules,
    wishes.PauseProject: intake.pause,
    wishes.ResumeProject: intake.resume,
    wishes.ApplyWorkerFact: people.apply_fact,
    wishes.AddTasks: intake.add_tasks,
    wishes.CancelTask: operating.cancel,
    wishes.ReopenTask: operating.reopen,
    wishes.CorrectResult: operating.correct,
    wishes.ExtendLease: leasing.extend,
    wishes.ReleaseLease: leasing.release,
    wishes.SkipAssignment: leasing.skip,
    wishes.ReportProblem: leasing.report,
    wishes.AmendAnswer: answering.amend,
    wishes.WithdrawAnswer: answering.withdraw,
    wishes.SaveDraft: leasing.save_draft,
    wishes.RevokeLease: leasing.revoke,
    wishes.DiscountWorker: people.discount,
    wishes.RequestReview: reviewing.request,
    wishes.EscalateTask: operating.escalate,
    wishes.EraseItem: operating.erase,
    wishes.SeverPerson: people.sever,
    wishes.NoteOutage: leasing.note_outage,
    wishes.InstallModel: refitting.install,
}
"""The commands whose decision depends on nothing but the state and the moment."""

BEGINNING = frozenset({wishes.CreateProject, wishes.BeginProject})
"""The commands that a stream may begin with."""

GIVING_BACK = frozenset(
    {facts.LeaseExpired, facts.LeaseReleased, facts.AssignmentSkipped, facts.AnswerWithdrawn}
)
"""The events after which a task is given out again as work is."""


class ProjectMachine:
    """One project: decide, apply, due, check, pack."""

    def __init__(self) -> None:
        """Make the machine before the stream's first event; call `settle` before the first decision."""
        self.state = Project()
        self._chooser: leasing.Chooser | None = None

    def decide(self, request: Request, now_us: int) -> Decision:
        """Begin to decide a command.

        Raises:
            Refusal: before the first event; nothing changed.
        """
        wish = request.command
        state = self.state
        if type(wish) is wishes.SubmitAnswer:
            return answering.submit(state, wish, now_us, request.entropy)
        if not state.history and type(wish) not in BEGINNING:
            raise NotFound("the project does not exist")
        if type(wish) is wishes.RequestNext:
            return leasing.grant(state, wish, now_us, request.entropy, self.chooser())
        decide = DECIDERS.get(type(wish))
        if decide is None:
            raise InvalidCommand(f"{type(wish).__name__} is not for a project's stream")
        return decide(state, wish, now_us)

    def chooser(self) -> leasing.Chooser:
        """Give what chooses tasks, building its indexes when a replay or new rules made them stale."""
        if self._chooser is None:
            self._policy = make_policy(self.state.rules.routing.policy, self.state)
            self._known = KnownTasks(self.state)
            self._policy.rebuild()
            self._known.rebuild()
            # What every event calls is looked up once.
            self._touch = self._policy.touch
            self._chooser = leasing.Chooser(self.state, self._policy, self._known)
        return self._chooser

    def apply(self, event: Event, at_us: int) -> None:
        """Fold one event that happened at the logged moment `at_us`."""
        state = self.state
        state.last_us = at_us
        task = HANDLERS[type(event)](state, event, at_us)
        if self._chooser is None:
            return
        if task >= 0:
            # Also tasks with known answers: the policy's tables must be as long as the state's.
            self._touch(task)
            if state.known and state.tasks.known[task] >= 0:
                self._known.touch(task)
                if type(event) in GIVING_BACK:
                    self._known.give_back(task)
        elif task == EVERYTHING:
            self._chooser = None

    def due(self, now_us: int, entropy: Id) -> Steps:
        """Yield what is due, in a bounded number of events."""
        return due.steps(self.state, now_us)

    def next_due_us(self) -> int | None:
        """Give the moment at which `due` has something to yield, or None."""
        return due.next_us(self.state)

    def pack(self) -> dict[str, bytes]:
        """Give the state as named sections."""
        return saving.pack(self.state)

    def unpack(self, sections: Mapping[str, bytes | memoryview]) -> None:
        """Take over a state given by `pack`.

        Raises:
            SnapshotUnusable: the sections do not fit together.
        """
        self.state = saving.unpack(sections)
        self._chooser = None

    def digest(self) -> str:
        """Give a hash of all discrete facts; the models' floating-point numbers are not part of it."""
        return saving.digest(self.state)

    def check(self) -> None:
        """Verify every invariant of the state.

        Raises:
            InvariantBroken: with what does not hold.
        """
        checking.check(self.state)
