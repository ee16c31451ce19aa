"""What holds for a project as a whole."""

from __future__ import annotations

from crowdroute.router.events.base import Fact
from crowdroute.router.model.fitted import FittedField
from crowdroute.router.model.ids import Id
from crowdroute.router.model.rules import ProjectRules


class ProjectCreated(Fact, tag=1):
    """The stream begins; nothing comes before this."""

    project: Id
    name: str


class RulesApplied(Fact, tag=2):
    """From here on these rules hold; live leases keep the price and terms they were granted with."""

    rules: ProjectRules


class ProjectPaused(Fact, tag=3):
    """No task is handed out until the project is resumed; live leases go on."""

    reason: str


class ProjectResumed(Fact, tag=4):
    """Tasks are handed out again."""


class OutageNoted(Fact, tag=34):
    """The engine was away for so long; every live lease is extended by it."""

    length_us: int


class RefitFellDue(Fact, tag=37):
    """The rules' schedule wants the models fitted anew; whoever serves the project has it done."""

    version: int
    """Which refit: one more than the last; it is due until that one, or new rules, are in force."""
    answers: int
    """Counted answers since the last one."""


class ModelInstalled(Fact, tag=36):
    """What a refit found takes the place of what the models had learnt; every annotation that counts at this
    moment is applied to it again."""

    version: int
    """1 for the first, then always one more."""
    fitted_through: int
    """Sequence of the batch through which the annotations were those that it was fitted to."""
    discounted: int
    """Workers whose answers did not count, then and now."""
    annotations: int
    """How many labels it was fitted to, of all fields."""
    digest: bytes
    """Names the numbers."""
    fields: tuple[FittedField, ...]
