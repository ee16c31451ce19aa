"""What the world outside the engine knows: only what it was told, or decided itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from crowdroute.router.machine.stream import organisation_stream, project_stream
from crowdroute.router.model.answers import Answer, Choice
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import ProjectRules
from crowdroute.router.model.states import Purpose, Stage

TENANT = "default"
ORGANISATION = organisation_stream(TENANT)

SKILLS = ("anatomy", "law", "colour")
LANGUAGES = ("en", "de", "uk")


@dataclass(eq=False)
class Held:
    """A lease as its worker's front-end holds it."""

    stream: str
    assignment: Id
    fence: int
    item: Id
    stage: Stage
    answer: Answer = ()
    """What was sent; empty before."""


@dataclass(eq=False)
class Worker:
    """A working identity and the person behind it."""

    id: Id
    person: Id
    external: Id
    accuracy: float
    stages: tuple[Stage, ...]
    held: list[Held] = field(default_factory=list)
    answered: list[Held] = field(default_factory=list)


@dataclass(eq=False)
class KnownTask:
    """A task as its importer knows it."""

    task: Id
    item: Id
    purpose: Purpose


@dataclass(eq=False)
class KnownProject:
    """A project as its operators know it."""

    id: Id
    rules: ProjectRules
    tasks: list[KnownTask] = field(default_factory=list)
    assignments: list[Id] = field(default_factory=list)

    @property
    def stream(self) -> str:
        """Name of its stream."""
        return project_stream(TENANT, self.id)


class Knowledge:
    """Everybody outside, and the randomness they act by."""

    def __init__(self, random: Random) -> None:
        """Know nothing yet."""
        self.random = random
        self.projects: list[KnownProject] = []
        self.workers: list[Worker] = []
        self.vendors: list[Id] = []
        self.pools: list[tuple[Id, Id]] = []
        """(pool, vendor)."""
        self.tokens: list[Id] = []
        self.elsewhere: list[Id] = []
        """Projects that were asked for in another shard."""
        self.facts: list[WorkerFacts] = []
        """Facts that the organisation's log holds, newest last."""
        self.truth: dict[Id, int] = {}
        """A number per item, from which the right label of every field follows."""

    def identity(self) -> Id:
        """Give a fresh id."""
        return self.random.randbytes(16)

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self.random.random() < probability

    def project(self) -> KnownProject:
        """Pick a project."""
        return self.random.choice(self.projects)

    def right_answer(self, rules: ProjectRules, item: Id) -> Answer:
        """Give the true labels of an item."""
        truth = self.truth.setdefault(item, int.from_bytes(item[:4], "big"))
        return tuple(
            Choice(number, _usable(rules, number, truth >> number)) for number in range(len(rules.fields))
        )

    def given_answer(self, rules: ProjectRules, item: Id, accuracy: float) -> Answer:
        """Give what a worker of this accuracy says of an item."""
        return tuple(
            choice
            if self.chance(accuracy)
            else Choice(choice.field, _usable(rules, choice.field, self.random.randrange(64)))
            for choice in self.right_answer(rules, item)
        )


def _usable(rules: ProjectRules, field: int, number: int) -> int:
    labels = [code for code, label in enumerate(rules.fields[field].labels) if not label.removed]
    return labels[number % len(labels)]
