"""The demonstration's crowd and rules around a bare shard: pauses are only numbers, so nothing waits."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

from crowdroute.router.commands import Command, Reply, Request
from crowdroute.router.commands.organisation import CreateOrganisation, UpsertWorker
from crowdroute.router.commands.project import AddTasks, CreateProject, NewTask, RequestNext, SubmitAnswer
from crowdroute.router.commands.replies import Granted, Offered
from crowdroute.router.demo.crowd import SimulatedWorker
from crowdroute.router.demo.pictures import GOLD_EVERY
from crowdroute.router.demo.play import ROUNDS_WITHOUT_WORK
from crowdroute.router.demo.rules import DOCUMENT
from crowdroute.router.demo.working import LABELS, THINK_S, WAIT_S
from crowdroute.router.machine.project.reviewing import record_of
from crowdroute.router.machine.shard import Shard
from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.ids import Id
from crowdroute.router.model.states import Purpose, Stage
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.state.project import Project
from crowdroute.workers.reliability import AccuracyInterval, accuracy_interval

SECOND_US = 1_000_000
START_US = 1_700_000_000 * SECOND_US
TENANT = "demo"
RETRY_S = 0.5
"""How soon somebody without work asks again: a parked call would wake them, here they look."""


@dataclass
class _Person:
    who: SimulatedWorker
    identity: Id
    draw: random.Random
    idle_s: float = 0.0


class DemoWorld:
    """One demonstration: every worker looks at a picture for a moment, answers, and asks for the next."""

    def __init__(self, crowd: list[SimulatedWorker], pictures: int, seed: int) -> None:
        self._draw = random.Random(f"{seed}/world")
        self._now_us = START_US
        self._shard = Shard()
        organisation, self._project_id = organisation_stream(TENANT), self._entropy()
        self._project = project_stream(TENANT, self._project_id)
        self._run(organisation, CreateOrganisation(TENANT))
        self._run(self._project, CreateProject(self._project_id, "digits", compile_rules(DOCUMENT, 1)))
        self._people = []
        for who in crowd:
            worker = self._entropy()
            stages = (Stage.SENIOR,) if who.senior else (Stage.CROWD,)
            self._run(organisation, UpsertWorker(worker, self._entropy(), self._entropy(), stages=stages))
            self._people.append(_Person(who, worker, random.Random(f"{seed}/{who.name}")))
        self._digit_of: dict[Id, int] = {}
        self._run(self._project, AddTasks(tuple(self._picture(number) for number in range(pictures))))

    @property
    def state(self) -> Project:
        """The project as it stands."""
        return self._shard.project(TENANT, self._project_id).state

    def play(self) -> None:
        """Let everybody work until nobody finds anything."""
        coming: list[tuple[int, int]] = [(self._now_us, place) for place in range(len(self._people))]
        held: dict[int, Granted] = {}
        while coming:
            self._now_us, place = heapq.heappop(coming)
            self._shard.due(self._now_us)
            person = self._people[place]
            if place in held:
                self._answer(person, held.pop(place))
            reply = self._run(self._project, RequestNext(person.identity))
            assert isinstance(reply, Offered)
            if reply.leases:
                held[place] = reply.leases[0]
                person.idle_s, pause_s = 0.0, person.draw.uniform(*THINK_S)
            else:
                person.idle_s, pause_s = person.idle_s + RETRY_S, RETRY_S
            if person.idle_s <= ROUNDS_WITHOUT_WORK * WAIT_S:
                heapq.heappush(coming, (self._now_us + int(pause_s * SECOND_US), place))

    def intervals(self) -> list[tuple[SimulatedWorker, AccuracyInterval]]:
        """Give the measured accuracy of everybody in the crowd."""
        return [
            (person.who, accuracy_interval(*record_of(self.state, self.state.worker(person.identity))))
            for person in self._people
            if not person.who.senior
        ]

    def _picture(self, number: int) -> NewTask:
        item, digit = self._entropy(), self._draw.randrange(LABELS)
        self._digit_of[item] = digit
        gold = number % GOLD_EVERY == 0
        return NewTask(
            item,
            self._entropy(),
            digest=item,
            purpose=Purpose.GOLD if gold else Purpose.PRODUCTION,
            gold=(Choice(0, digit),) if gold else (),
        )

    def _answer(self, person: _Person, lease: Granted) -> None:
        label = person.who.answer(self._digit_of[lease.item], LABELS, person.draw)
        answer = (Choice(0, label),)
        self._run(self._project, SubmitAnswer(person.identity, lease.assignment, lease.fence, answer))

    def _entropy(self) -> Id:
        return self._draw.randbytes(16)

    def _run(self, stream: str, command: Command) -> Reply:
        return self._shard.handle(Request(stream, command, self._entropy()), self._now_us)[1]
