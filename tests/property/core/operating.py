"""What operators do to tasks, items and answers; rightly and wrongly."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import strategies as st
from hypothesis.stateful import rule
from msgspec.structs import replace
from tests.property.core.base import UNKNOWN, History
from tests.property.core.drawing import LABEL, PLACE, PURPOSES, REQUIREMENTS, WRONG_ANSWERS

from crowdroute.router.commands.project import (
    AddTasks,
    ApplyRules,
    CancelTask,
    CorrectResult,
    EraseItem,
    EscalateTask,
    NewTask,
    ProjectCommand,
    ReopenTask,
    RequestReview,
    RevokeLease,
)
from crowdroute.router.commands.replies import Imported
from crowdroute.router.model.answers import Answer, Choice
from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import Overlap
from crowdroute.router.model.states import AssignmentState, Purpose, Stage, TaskState

REASONS = st.sampled_from(["because", "because", "because", ""])
OPEN, PARKED, FINALISED = TaskState.OPEN, TaskState.PARKED, TaskState.FINALISED

ACTS: dict[str, tuple[Sequence[TaskState], Callable[[Id, str, Answer, int], ProjectCommand]]] = {
    "cancel": ((OPEN, PARKED), lambda task, reason, answer, added: CancelTask(task, reason)),
    "reopen": ((PARKED, FINALISED), lambda task, reason, answer, added: ReopenTask(task, reason, added)),
    "escalate": ((OPEN,), lambda task, reason, answer, added: EscalateTask(task, reason)),
    "correct": ((FINALISED,), lambda task, reason, answer, added: CorrectResult(task, answer, reason)),
    "erase": ((FINALISED, OPEN, PARKED), lambda item, reason, answer, added: EraseItem(item, reason)),
}
"""What operators do to a task, and the states in which it is allowed."""
EVERY_ACT = [*ACTS, "revoke", "review", "nothing"]


class Operating(History):
    """Rules of those who look after tasks."""

    @rule(
        what=st.sampled_from(["tasks", "for few", "known or wrong"]),
        purpose=PURPOSES,
        number=st.integers(1, 3),
        place=PLACE,
        requirement=REQUIREMENTS,
        listed=st.lists(PLACE, max_size=4),
    )
    def add(
        self,
        what: str,
        purpose: Purpose,
        number: int,
        place: int,
        requirement: Requirement,
        listed: list[int],
    ) -> None:
        self.meanwhile(place)
        if what == "tasks":
            self.open_tasks(purpose, number, label=place, priority=place % 4)
        elif what == "for few":
            workers = tuple({self.choose(self.everybody, worker) for worker in listed})
            lists = {"allow": workers[1:], "deny": workers[:1]}
            about = {"requirement": requirement, "capability": "birds", **lists}
            self.open_tasks(Purpose.PRODUCTION, 1, **about)
        else:
            self._add_known_rows(number)
            self._add_what_is_no_task(place)

    def _add_known_rows(self, external: int) -> None:
        row = self.new_task(Purpose.PRODUCTION, external=bytes([external]) * 16)
        first = self.world.ask(AddTasks((row,)))
        again = self.world.ask(AddTasks((replace(row, task=self.world.new_id()),)))
        assert isinstance(first, Imported)
        assert isinstance(again, Imported)
        assert (again.rows[0].item, again.rows[0].task) == (first.rows[0].item, first.rows[0].task)
        self.world.ask(AddTasks((NewTask(first.rows[0].item, self.world.new_id()),)))

    def _add_what_is_no_task(self, place: int) -> None:
        fresh, tasks = self.new_task(Purpose.PRODUCTION), self.world.state.tasks
        wrong = [
            replace(fresh, purpose=Purpose.GOLD),
            replace(fresh, gold=(Choice(0, 0),)),
            replace(fresh, gold=(Choice(0, 99),), purpose=Purpose.GOLD),
            replace(fresh, priority=4),
            replace(fresh, digest=b""),
            replace(fresh, task=NO_ID),
            replace(fresh, item=b"short"),
            replace(fresh, digest=b"short"),
            replace(fresh, deadline_us=-1),
            replace(fresh, requirement=Requirement(skills=(SkillNeed("", 2.0),))),
            replace(fresh, task=tasks.id_of(0)),
        ]
        rows = (self.new_task(Purpose.PRODUCTION), self.choose(wrong, place))
        assert self.world.ask(AddTasks(rows)) is None
        assert self.world.ask(AddTasks((fresh, fresh))) is None

    @rule(
        place=PLACE,
        first=st.integers(0, len(EVERY_ACT) - 1),
        liked=st.sampled_from([None, None, None, OPEN, PARKED, FINALISED]),
        reason=REASONS,
        label=LABEL,
        added=st.integers(-1, 2),
    )
    def act(
        self, place: int, first: int, liked: TaskState | None, reason: str, label: int, added: int
    ) -> None:
        self.meanwhile(place)
        for act in (EVERY_ACT[first], EVERY_ACT[(first + place) % len(EVERY_ACT)]):
            self._act(place, act, liked, reason, label, added)

    def _act(
        self, place: int, act: str, liked: TaskState | None, reason: str, label: int, added: int
    ) -> None:
        if act == "revoke":
            self._revoke(place, reason)
        elif act == "review":
            self._review(place, reason)
        elif act == "nothing":
            self._act_on_nothing(place, reason, self.choose(WRONG_ANSWERS, place))
        else:
            self._act_on_a_task(place, act, liked, reason, label, added)

    def _act_on_a_task(
        self, place: int, act: str, liked: TaskState | None, reason: str, label: int, added: int
    ) -> None:
        fitting, command = ACTS[act]
        turned = (*fitting[place % len(fitting) :], *fitting[: place % len(fitting)])
        thing = self.choose_task(place, *(turned if liked is None else (liked,)))
        if act == "reopen" and place % 4 == 0:
            rules = self.world.state.rules
            raised = replace(rules, version=rules.version + 1, overlap=Overlap(3, 4))
            assert self.world.ask(ApplyRules(raised)) is not None
        if act == "escalate" and liked is None:
            thing = self._undecided(place)
        if act == "erase":
            state = self.world.state
            thing = state.items.id_of(state.tasks.item[state.task(thing)])
        self.world.ask(command(thing, reason, self.answer(label), added))

    def _act_on_nothing(self, place: int, reason: str, answer: Answer) -> None:
        for command in (
            EraseItem(UNKNOWN, reason),
            CancelTask(UNKNOWN, reason),
            EscalateTask(UNKNOWN, reason),
            RevokeLease(UNKNOWN, reason),
            RequestReview(UNKNOWN, reason),
            CorrectResult(self.choose_task(place, FINALISED), answer, reason),
        ):
            assert self.world.ask(command) is None

    def _undecided(self, place: int) -> Id:
        """Give an open task that no expert was asked about, if there is one."""
        tasks = self.world.state.tasks
        rows = [
            row
            for row in range(tasks.count)
            if tasks.state[row] == OPEN
            and tasks.stage[row] == Stage.CROWD
            and tasks.purpose[row] == Purpose.PRODUCTION
        ]
        return tasks.id_of(self.choose(rows, place)) if rows else UNKNOWN

    def _revoke(self, place: int, reason: str) -> None:
        _, lease = self.lease_in(place, AssignmentState.ACTIVE)
        self.world.ask(RevokeLease(lease.assignment, reason))

    def _review(self, place: int, reason: str) -> None:
        assignment = self._reviewable(place)
        self.world.ask(RequestReview(assignment, reason))
        self.world.ask(RequestReview(assignment, reason))

    def _reviewable(self, place: int) -> Id:
        state = self.world.state
        table = state.assignments
        rows = [
            row
            for row in range(table.count)
            if state.counts(row)
            and state.tasks.state[table.task[row]] == TaskState.OPEN
            and state.tasks.purpose[table.task[row]] == Purpose.PRODUCTION
        ]
        if not rows:
            worker, lease = self.take(place, self.crowd)
            self.submit(worker, lease, self.answer(0))
            return lease.assignment
        return table.id_of(self.choose(rows, place))
