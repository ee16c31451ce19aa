"""The rules document: every key that may stand in it, with type, default, unit and meaning.

Defaults are those of `model.rules`, so that a document and the core cannot disagree about what is left out.
The JSON Schema and the reference page are made from these classes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crowdroute.router.model import rules as model
from crowdroute.router.rules.quantities import (
    Amount,
    Currency,
    Duration,
    Languages,
    Name,
    Names,
    Pause,
    Share,
    Template,
    Text,
    Window,
    expected,
    refuse_repetition,
    unfit,
)

SCHEMA = "crowdroute.rules/v1"
"""What the key `schema` must say; another meaning of the same keys will have another name."""

ONLY_FIELD = "label"
"""The id of the field that `labels` at the top stands for."""

MOST_LABELS = 512
"""Labels of one field, removed ones included: a worker's confusion matrix of 512 labels is 2 MiB."""
MOST_FIELDS = 32

_LEASE = model.LeaseTerms()
_OVERLAP = model.Overlap()
_STOPPING = model.Stopping()
_GOLD = model.GoldPlan()
_REVIEW = model.ReviewPlan()
_REFIT = model.RefitPlan()
_ROUTING = model.Routing()
_PRICES = model.Prices()

AtMaximum = Literal["finalise", "escalate"]
Mode = Literal["recommend", "enforce"]
Policy = Literal["information_gain", "fifo", "random"]

Whole = Annotated[int, Field(ge=1, le=10_000)]


def _unit(name: str) -> dict[str, Any]:
    """Note the unit of a value where the schema and the reference page find it."""
    return {"x-unit": name}


class Section(BaseModel):
    """A group of keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, populate_by_name=False, use_attribute_docstrings=True
    )


class Label(Section):
    """One label. A label that only has an id may be written as the id alone."""

    id: Name = Field(examples=["cat"])
    """What answers, results and exports call it, for ever; case matters."""
    title: Text = Field(default="", examples=["Cat, or most of one"])
    """What annotators read; empty: the id."""
    removed: bool = Field(default=False, examples=[True])
    """No new answer may use it; what was answered stays. Leaving a known label out does the same."""


def _label_from_id(value: object) -> object:
    if isinstance(value, str):
        return {"id": value}
    if isinstance(value, bool | int | float):
        raise expected("a label", 'put its id in quotes: "{written}"')
    if not isinstance(value, dict | Label):
        raise expected("a label", "write its id, or {id: ..., title: ...}")
    return value


def _sound_labels(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    refuse_repetition([label.id for label in labels])
    if len(labels) > MOST_LABELS:
        raise unfit(f"{len(labels)} labels", f"keep to {MOST_LABELS}, or ask in several fields")
    return labels


Labels = Annotated[
    tuple[Annotated[Label, BeforeValidator(_label_from_id)], ...], AfterValidator(_sound_labels)
]


class Question(Section):
    """One question of a task: a single choice among its labels. Questions are add-only, as labels are."""

    id: Name = Field(examples=["sentiment"])
    """What answers, results and exports call it, for ever."""
    labels: Labels = Field(examples=[["positive", "negative"]])
    """The labels to choose from, at least two that are not removed."""


def _sound_fields(fields: tuple[Question, ...]) -> tuple[Question, ...]:
    refuse_repetition([field.id for field in fields])
    if len(fields) > MOST_FIELDS:
        raise unfit(f"{len(fields)} fields", f"keep to {MOST_FIELDS}, or make several projects")
    return fields


class Lease(Section):
    """How long a worker may hold a task, and how often it may come back unanswered."""

    duration: Duration = Field(default=_LEASE.duration_us, examples=["45s"], json_schema_extra=_unit("time"))
    """Time to answer, from the grant or the last heartbeat; for as long, an answer may be changed."""
    extensions: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=_LEASE.extensions, examples=[3], json_schema_extra=_unit("heartbeats")
    )
    """How often one lease may be renewed."""
    attempts: Whole = Field(default=_LEASE.attempts, examples=[5], json_schema_extra=_unit("leases"))
    """Leases in a row that end without an answer before the task is parked for an operator."""
    per_worker: Whole = Field(default=_LEASE.per_worker, examples=[20], json_schema_extra=_unit("leases"))
    """Tasks that one worker may hold at once in this project, unless their own capacity says otherwise."""


class Routing(Section):
    """Which task a worker gets, and for how long."""

    policy: Policy = Field(default="information_gain", examples=["fifo"])
    """What chooses: the task about which this worker's answer tells most, the oldest task, or any."""
    exploration: Share = Field(
        default=_ROUTING.exploration, examples=["2%"], json_schema_extra=_unit("share of grants")
    )
    """Grants chosen by chance, so that the policy can be judged afterwards."""
    window: Window = Field(default=_ROUTING.window, examples=[500], json_schema_extra=_unit("tasks"))
    """Tasks under way at once of those that ask the same of a worker; automatic: by the workers present."""
    priority: Annotated[int, Field(ge=0, le=3)] = Field(
        default=_ROUTING.priority, examples=[1], json_schema_extra=_unit("class")
    )
    """Least priority of new tasks: 0 is normal, 3 goes first; rows may ask more, open tasks keep theirs."""
    lease: Lease = Lease()


class Overlap(Section):
    """How many counted answers of the crowd a task gets."""

    minimum: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=_OVERLAP.minimum, examples=[3], json_schema_extra=_unit("answers")
    )
    """Never fewer, however sure the first ones are."""
    maximum: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=_OVERLAP.maximum, examples=[7], json_schema_extra=_unit("answers")
    )
    """Never more, however unsure they leave it. A larger number holds for every open task at once, a smaller
    one for tasks that come in from then on."""

    @model_validator(mode="after")
    def _ordered(self) -> Overlap:
        if self.minimum > self.maximum:
            raise unfit(
                f"the minimum {self.minimum} is above the maximum {self.maximum}", "raise the maximum"
            )
        return self


def _positive_target(value: float) -> float:
    if not value:
        raise unfit("a target of 0 is reached by anything", "write one such as 0.95")
    return value


class Stopping(Section):
    """When the crowd's answers are enough."""

    target: Annotated[Share, AfterValidator(_positive_target)] = Field(
        default=_STOPPING.target, examples=[0.99], json_schema_extra=_unit("probability")
    )
    """A task is finished when the most probable label of every field is at least this probable."""
    at_maximum: AtMaximum = Field(default="finalise", examples=["escalate"])
    """Short of the target after the maximum of answers: take the most probable label, or ask an expert."""


class Gold(Section):
    """Hidden tasks whose answer is known, to measure workers by."""

    share: Share = Field(default=_GOLD.share, examples=["10%"], json_schema_extra=_unit("share of grants"))
    """How much of a worker's work is gold, once they are known."""
    first: Annotated[int, Field(ge=0, le=10_000)] = Field(
        default=_GOLD.first, examples=[10], json_schema_extra=_unit("tasks")
    )
    """Gold tasks that a new worker is given early, before the share applies."""


class Review(Section):
    """Whose answers a senior checks. With threshold and share both 0 nobody's are."""

    mode: Mode = Field(default="recommend", examples=["enforce"])
    """Only note that an answer should be reviewed, or make the task wait for the review."""
    threshold: Share = Field(default=_REVIEW.threshold, examples=[0.8], json_schema_extra=_unit("accuracy"))
    """Every answer of a worker is reviewed while the lower bound of their accuracy is below this."""
    share: Share = Field(default=_REVIEW.share, examples=["5%"], json_schema_extra=_unit("share of answers"))
    """Of everybody's answers, reviewed besides, chosen by chance."""


def _not_too_often(every: int) -> int:
    if 0 < every < model.SHORTEST_REFIT_US:
        raise unfit("less than a minute between refits tells nothing new", "write 1m or more, or never")
    return every


class Refit(Section):
    """When the models are fitted anew to all answers that count, besides when somebody asks for it."""

    every: Annotated[Pause, AfterValidator(_not_too_often)] = Field(
        default=_REFIT.every_us, examples=["6h"], json_schema_extra=_unit("time")
    )
    """Time from one refit to the next; counted from when these rules hold, or from the last refit."""
    answers: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=_REFIT.answers, examples=[500], json_schema_extra=_unit("answers")
    )
    """Counted answers that must have come since the last refit; while they have not, none is due."""


class Quality(Section):
    """How sure a result must be, and how workers are checked."""

    overlap: Overlap = Overlap()
    stopping: Stopping = Stopping()
    gold: Gold = Gold()
    review: Review = Review()
    refit: Refit = Refit()


class People(Section):
    """Who may work: all that is said here is needed; of a list of languages, pools or vendors, any one."""

    skills: dict[Name, Share] = Field(
        default={}, examples=[{"radiology": 0.7}], json_schema_extra=_unit("least level")
    )
    """The least level of each skill."""
    languages: Languages = Field(default=(), examples=[["de", "pt-br"]])
    """Language tags in lower case; `de` is also met by a worker with `de-at`."""
    pools: Names = Field(default=(), examples=[["munich"]])
    """Only workers of these pools, by name or id."""
    vendors: Names = Field(default=(), examples=[["acme"]])
    """Only workers of these vendors, by name or id."""
    humans_only: bool = Field(default=False, examples=[True])
    """No models among the workers."""


def _positive_bound(bound: float) -> float:
    if not bound:
        raise unfit("a band from 0 would reward anybody", "write the least accuracy that earns it")
    return bound


class Band(Section):
    """One step of a bonus."""

    from_: Annotated[Share, AfterValidator(_positive_bound)] = Field(
        alias="from", examples=[0.9], json_schema_extra=_unit("accuracy")
    )
    """The step is reached when the lower bound of the worker's accuracy is at least this."""
    amount: Amount = Field(examples=["5.00"], json_schema_extra=_unit("currency"))
    """What it earns, in place of the steps below it."""


def _sound_bands(bands: tuple[Band, ...]) -> tuple[Band, ...]:
    if not bands:
        raise unfit("a bonus without bands pays nothing", "add a band, or leave the bonus out")
    for place, band in enumerate(bands):
        if not band.amount:
            raise unfit("this band pays nothing", "leave it out", place)
    for place, (below, above) in enumerate(pairwise(bands), 1):
        if below.from_ >= above.from_:
            raise unfit("this band does not begin above the one before", "put bands in rising order", place)
        if below.amount > above.amount:
            raise unfit("this band pays less than the one below it", "let better work earn more", place)
    return bands


class Bonus(Section):
    """A bonus by measured accuracy, at most once per worker and period."""

    id: Name = Field(examples=["weekly-accuracy"])
    """What the ledger calls it, for ever: a bonus of the same id and period is never paid twice."""
    mode: Mode = Field(default="recommend", examples=["enforce"])
    """Only note what would be paid, or pay it."""
    least_checked: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        examples=[50], json_schema_extra=_unit("answers")
    )
    """Answers checked against gold or by a reviewer before any bonus is thought of."""
    period: Duration = Field(
        default=604_800 * model.MICROSECONDS, examples=["1d"], json_schema_extra=_unit("time")
    )
    """How often it is decided; periods are counted from 1970-01-01 00:00 UTC. A bonus keeps its period."""
    bands: Annotated[tuple[Band, ...], AfterValidator(_sound_bands)]
    """The steps, in rising order; the highest one reached counts."""


def _sound_bonuses(bonuses: tuple[Bonus, ...]) -> tuple[Bonus, ...]:
    refuse_repetition([bonus.id for bonus in bonuses])
    return bonuses


class Money(Section):
    """What accepted answers earn. Amounts are decimal digits in quotes, with at most 6 decimals."""

    currency: Currency = Field(default=_PRICES.currency, examples=["EUR"])
    """Three capital letters (ISO 4217); a project keeps its currency."""
    crowd: Amount = Field(
        default=_PRICES.crowd_micros, examples=["0.05"], json_schema_extra=_unit("currency per answer")
    )
    """For an answer of the crowd."""
    senior: Amount = Field(
        default=_PRICES.senior_micros, examples=["0.12"], json_schema_extra=_unit("currency per answer")
    )
    """For a review."""
    expert: Amount = Field(
        default=_PRICES.expert_micros, examples=["0.80"], json_schema_extra=_unit("currency per answer")
    )
    """For a decision of an expert."""
    bonuses: Annotated[tuple[Bonus, ...], AfterValidator(_sound_bonuses)] = ()
    """Bonuses by accuracy."""


class Document(Section):
    """Rules of a project: what is asked, who gets which task, when it is finished, and what it earns."""

    schema_: Literal["crowdroute.rules/v1"] = Field(alias="schema")
    """Which meaning the keys have; always the same text."""
    extends: Template | None = Field(default=None, examples=["standard@3"])
    """A template whose keys hold where this document is silent."""
    labels: Labels | None = Field(default=None, examples=[["cat", "dog"]])
    """The labels of a project with one question, whose field is then called `label`."""
    fields: Annotated[tuple[Question, ...], AfterValidator(_sound_fields)] | None = None
    """The questions of a project with several, in place of `labels`."""
    guideline: Text = Field(default="", examples=["https://wiki.example.org/cats?version=4"])
    """Version or address of the guideline that annotators work by; offers carry it."""
    routing: Routing = Routing()
    quality: Quality = Quality()
    people: People = People()
    money: Money = Money()
