"""What the rules of the machine share: the world, its people, and how they choose what they act on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hypothesis.stateful import RuleBasedStateMachine
from tests.property.core.seen import Seen
from tests.property.core.world import World
from tests.support.desk import CROWD, EXPERT, SENIOR
from tests.support.engine import ORGANISATION

from crowdroute.router.commands.organisation import UpsertWorker
from crowdroute.router.commands.project import AddTasks, NewTask, RequestNext, ResumeProject, SubmitAnswer
from crowdroute.router.commands.replies import Granted, Offered, Received
from crowdroute.router.model.answers import Answer, Choice
from crowdroute.router.model.facts import SkillFact
from crowdroute.router.model.ids import NO_ID, Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import AssignmentState, Purpose, Stage, TaskState, WorkerKind
from crowdroute.router.state.project import WITH_KNOWN_ANSWER

Thing = TypeVar("Thing")

SEEN = Seen()
"""Counts over all histories of this process."""

UNKNOWN = b"?" * 16


class History(RuleBasedStateMachine):
    """The world of one history, and its people."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.crowd: list[Id] = []
        self.seniors: list[Id] = []
        self.experts: list[Id] = []

    def begin(self, rules: ProjectRules) -> None:
        """Make the world: three of the crowd are one person, two are models; seniors, experts, some tasks."""
        self.world = World(SEEN, rules)
        person = self.world.new_id()
        self.crowd = [
            *(self.make_worker(person=person) for _ in range(3)),
            *(self.make_worker(languages=("de",)) for _ in range(3)),
            self.make_worker(skills=(SkillFact("law", 0.7, 3),)),
            *(self.make_worker(kind=WorkerKind.MODEL) for _ in range(2)),
        ]
        self.seniors = [self.make_worker(SENIOR), self.make_worker((*CROWD, *SENIOR))]
        self.experts = [self.make_worker(EXPERT), self.make_worker((*SENIOR, *EXPERT))]
        self.open_tasks(Purpose.PRODUCTION, 3)
        self.open_tasks(Purpose.GOLD, 2)

    def make_worker(self, stages: tuple[Stage, ...] = CROWD, **fields: object) -> Id:
        """Make a worker known to the organisation."""
        worker = self.world.new_id()
        described = {"person": NO_ID, "external": NO_ID, "stages": stages, **fields}
        self.world.send_to(ORGANISATION, UpsertWorker(worker, **described))
        return worker

    @property
    def everybody(self) -> list[Id]:
        """All workers."""
        return [*self.crowd, *self.seniors, *self.experts]

    def choose(self, things: Sequence[Thing], place: int) -> Thing:
        """Give one of the things; there must be one."""
        return things[place % len(things)]

    def choose_task(self, place: int, *liked: TaskState) -> Id:
        """Give a task, in the first of the states in which there is one."""
        tasks = self.world.state.tasks
        every = list(range(tasks.count))
        by_state = [[row for row in every if tasks.state[row] == state] for state in liked]
        return tasks.id_of(self.choose(next(filter(None, by_state), every), place))

    def answer(self, label: int) -> Answer:
        """Answer every field that the schema has now."""
        fields = self.world.state.rules.fields
        return tuple(Choice(place, label % 3 % len(field.labels)) for place, field in enumerate(fields))

    def new_task(self, purpose: Purpose, label: int = 0, **fields: object) -> NewTask:
        """Describe a task on a new item, with a known answer where its purpose wants one."""
        gold = self.answer(label) if purpose in WITH_KNOWN_ANSWER else ()
        given = {"digest": b"d" * 16, "purpose": purpose, "gold": gold, **fields}
        return NewTask(self.world.new_id(), self.world.new_id(), **given)

    def open_tasks(self, purpose: Purpose, count: int, **fields: object) -> None:
        """Open several tasks alike."""
        rows = tuple(self.new_task(purpose, **fields) for _ in range(count))
        assert self.world.ask(AddTasks(rows)) is not None

    def request(self, worker: Id, count: int = 1) -> list[Granted]:
        """Ask for work; what was granted, if anything."""
        reply = self.world.ask(RequestNext(worker, count))
        assert reply is None or isinstance(reply, Offered)
        return [] if reply is None else list(reply.leases)

    def submit(self, worker: Id, lease: Granted, answer: Answer) -> Received | None:
        """Answer a lease."""
        reply = self.world.ask(SubmitAnswer(worker, lease.assignment, lease.fence, answer))
        assert reply is None or isinstance(reply, Received)
        return reply

    def meanwhile(self, place: int) -> None:
        """Have two workers ask and answer, as they do whatever else happens; a few disagree."""
        for number in (place, place + 5):
            worker = self.choose(self.everybody, number)
            for lease in self.request(worker):
                self.submit(worker, lease, self.answer(number % 7 == 3))

    def take(self, place: int, workers: Sequence[Id] = ()) -> tuple[Id, Granted]:
        """Have one of the workers given a task, whatever it takes."""
        among = workers or self.everybody
        for number in range(4):
            worker = self.choose(among, place + number)
            for lease in self.request(worker):
                return worker, lease
        self.world.ask(ResumeProject())
        self.open_tasks(Purpose.PRODUCTION, 1, priority=3)
        self.crowd.append(self.make_worker())
        return self.crowd[-1], self.request(self.crowd[-1])[0]

    def lease_in(self, place: int, *states: AssignmentState) -> tuple[Id, Granted]:
        """Give a lease whose assignment is in one of the states; a new one where there is none."""
        leases = self.world.assignments_in(*states)
        return self.choose(leases, place) if leases else self.take(place)
