"""A project's rules as the core uses them: resolved, validated, versioned, without any YAML.

`rules.compile` builds these from the documents that people write; the whole of it is logged in
`RulesApplied`, so a replay needs no file. Times are microseconds, money is micro-units of the currency,
shares are in 0..1.
"""

from __future__ import annotations

from typing import dataclass_transform

import msgspec

from crowdroute.router.model.facts import Requirement
from crowdroute.router.model.states import Mode

MICROSECONDS = 1_000_000


@dataclass_transform(frozen_default=True)
class _Rule(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Common settings: immutable, stored as arrays, a field too many is an error."""


class Label(_Rule):
    """One label; a removed one keeps its code for ever and takes no new answers."""

    id: str
    title: str = ""
    removed: bool = False


class Field(_Rule):
    """One question of a task: a single choice among its labels."""

    id: str
    labels: tuple[Label, ...]


class Overlap(_Rule):
    """How many counted crowd annotations a task gets, at least and at most."""

    minimum: int = 2
    maximum: int = 5


class Stopping(_Rule):
    """When the crowd's answers suffice."""

    target: float = 0.95
    """Finalise when every field's most probable label reaches this probability."""
    escalate: bool = False
    """At the maximum without reaching the target: ask an expert (true) or take the most probable label
    (false)."""


class LeaseTerms(_Rule):
    """How long a worker may hold a task, and how often it may come back unanswered."""

    duration_us: int = 600 * MICROSECONDS
    extensions: int = 12
    """How often one lease may be renewed by heartbeat."""
    attempts: int = 8
    """Leases in a row that ended without an answer before the task is parked."""
    per_worker: int = 10
    """Live leases one worker may hold in this project."""


class GoldPlan(_Rule):
    """How much hidden work with a known answer a worker is given."""

    share: float = 0.05
    first: int = 5
    """Gold answers wanted from a new worker before the share applies."""


class Prices(_Rule):
    """What one accepted answer earns, per stage, in micro-units."""

    crowd_micros: int = 0
    senior_micros: int = 0
    expert_micros: int = 0
    currency: str = "USD"


class ReviewPlan(_Rule):
    """Whose answers are checked at the senior stage."""

    mode: Mode = Mode.RECOMMEND
    threshold: float = 0.0
    """Every answer of a worker whose accuracy's lower bound is under this is reviewed; 0 switches it off."""
    share: float = 0.0
    """Share of everybody's answers that is reviewed besides, chosen by chance."""


class BonusBand(_Rule):
    """From this lower bound of accuracy on, this amount."""

    lower_bound: float
    amount_micros: int


class BonusPlan(_Rule):
    """A bonus by measured accuracy, at most once per worker and period."""

    id: str
    bands: tuple[BonusBand, ...]
    least_checked: int
    """Answers checked against gold or a reviewer in the period before any bonus is thought of."""
    period_us: int = 7 * 86_400 * MICROSECONDS
    mode: Mode = Mode.RECOMMEND


class Routing(_Rule):
    """Which task a worker gets first."""

    policy: str = "information_gain"
    exploration: float = 0.02
    """Share of grants chosen by chance, so that the policy can be judged later."""
    window: int = 0
    """Tasks under way at once per signature; 0: in proportion to the workers who hold leases."""
    priority: int = 0
    """Least priority (0 to 3) of tasks that are opened under these rules; a row may ask for more."""


SHORTEST_REFIT_US = 60 * MICROSECONDS
"""A refit costs a pass over all answers, and as much again when it is taken over: it must not be all that a
project does."""


class RefitPlan(_Rule):
    """When the models are fitted anew without anybody asking."""

    every_us: int = 0
    """Time from one refit to the next at least; 0 switches it off."""
    answers: int = 1
    """Counted answers since the last refit that make another worth its cost."""


class ProjectRules(_Rule):
    """Everything a project's decisions depend on, at one version."""

    version: int
    fields: tuple[Field, ...]
    guideline: str = ""
    requirement: Requirement = Requirement()
    overlap: Overlap = Overlap()
    stopping: Stopping = Stopping()
    lease: LeaseTerms = LeaseTerms()
    gold: GoldPlan = GoldPlan()
    prices: Prices = Prices()
    review: ReviewPlan = ReviewPlan()
    bonuses: tuple[BonusPlan, ...] = ()
    routing: Routing = Routing()
    code: str = ""
    """Version of the code that resolved the document."""
    refit: RefitPlan = RefitPlan()
