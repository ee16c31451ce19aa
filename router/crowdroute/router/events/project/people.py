"""Who works in a project, and who no longer counts or is no longer known."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.model.facts import WorkerFacts
from crowdroute.router.model.ids import Id


class WorkerFactApplied(Fact, tag=5):
    """A worker's facts arrived from the organisation stream, at a higher version than before."""

    facts: WorkerFacts


class WorkerDiscounted(Fact, tag=29):
    """None of a worker's answers counts any more; each is taken out in bounded steps that follow."""

    worker: Id
    reason: str


class PersonSevered(Fact, tag=31):
    """Nothing that a person wrote remains, and no worker of the project is theirs by name."""

    person: Id
