"""Everybody who has to do with one project while the nemesis is at work, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.checker import Report
from tests.checker.project import KnownFacts
from tests.faults.annotators import Crowd
from tests.faults.journal import START, Journal, Line
from tests.faults.nemesis.erasures import Erasures
from tests.faults.nemesis.ground import Served
from tests.faults.nemesis.operator import Operator
from tests.faults.nemesis.stock import Stock
from tests.faults.scene import Scene
from tests.faults.store import History
from tests.faults.verdict import judge

PINGS = {"ping_interval_s": 5.0, "ping_timeout_s": 1.0}
"""Seconds after which clients notice that nobody is there."""


class Judged(NamedTuple):
    """What came of a project's work."""

    doubled: int
    """Items in the log beyond those that were brought in; below 0: those that are missing."""
    broken: Report
    told_otherwise: Report


class Work:
    """A project's operator, tasks and annotators, and the journal of what these are told."""

    def __init__(self, scene: Scene, served: Served, journal_at: Path) -> None:
        """Begin to work; inside the event loop, at what is served.

        Args:
            scene: where, and who they are.
            served: what they work at.
            journal_at: file for what they are told.
        """
        self.scene = scene
        self.operator = Operator(scene, served.operated_at)
        self.stock = Stock(self.operator, served.sources(scene.name))
        self.erasures = Erasures(self.operator)
        self.journal = Journal(journal_at)
        self.journal.note(Line(START))
        self.crowd = Crowd(scene, served.address, self.journal, **PINGS)

    @property
    def results(self) -> int:
        """How many tasks will have a result when everything is done."""
        return self.scene.results + self.stock.brought

    def judged(self, history: History, facts: KnownFacts) -> Judged:
        """Judge the log that the project is in.

        Args:
            history: of the shard.
            facts: of workers, as the logs tell that were read before; the organisation's is read first.
        """
        broken, told_otherwise = judge(history.batches, self.scene.stream, self.journal.close(), facts)
        brought = self.scene.tasks + self.stock.brought + self.erasures.brought
        return Judged(broken.counters["ItemAdded"] - brought, broken, told_otherwise)
