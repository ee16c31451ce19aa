"""A rules document as the core uses it: exact micro-units, microseconds, ids and label codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crowdroute.router.model import rules as model
from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.ids import Id, Kind
from crowdroute.router.model.states import Mode
from crowdroute.router.rules.document import ONLY_FIELD, Bonus, Document, Money, People, Quality, Question
from crowdroute.router.rules.document import Routing as RoutingSection
from crowdroute.router.rules.errors import MOST_PROBLEMS, Problem, RulesError
from crowdroute.router.rules.findings import did_you_mean
from crowdroute.router.rules.labels import follow
from crowdroute.router.rules.paths import Path
from crowdroute.router.rules.quantities import write_duration
from crowdroute.router.rules.reading import Reading, read_document
from crowdroute.router.rules.references import References

_MODES = {"recommend": Mode.RECOMMEND, "enforce": Mode.ENFORCE}


def compile_rules(
    text: str | bytes,
    version: int,
    previous: model.ProjectRules | None = None,
    references: References | None = None,
    *,
    templates: Mapping[str, str | bytes] | None = None,
    code: str = "",
) -> model.ProjectRules:
    """Compile a document to the rules of a project, as their `version`.

    `previous` are the rules in force, whose labels keep their codes (None: a new project); `references` are
    the pools and vendors that exist; `templates` the texts that may be extended, by `name@version`; `code`
    names the release that compiles.

    Raises:
        RulesError: with everything that is wrong with the document.
    """
    return compile_reading(read_document(text, templates), version, previous, references, code=code)


def compile_reading(
    reading: Reading,
    version: int,
    previous: model.ProjectRules | None = None,
    references: References | None = None,
    *,
    code: str = "",
) -> model.ProjectRules:
    """Compile what was read, as `compile_rules` does.

    Raises:
        RulesError: with everything that is wrong, found while reading or now.
    """
    document = reading.document
    compiling = _Compiling(reading, list(reading.problems), previous, references or References())
    quality, routing = document.quality, document.routing
    rules = model.ProjectRules(
        version=version,
        fields=compiling.fields(document),
        guideline=document.guideline,
        requirement=compiling.requirement(document.people),
        overlap=model.Overlap(quality.overlap.minimum, quality.overlap.maximum),
        stopping=model.Stopping(quality.stopping.target, quality.stopping.at_maximum == "escalate"),
        lease=_lease(routing),
        gold=model.GoldPlan(quality.gold.share, quality.gold.first),
        prices=compiling.prices(document.money),
        review=_review(quality),
        bonuses=compiling.bonuses(document.money),
        routing=model.Routing(routing.policy, routing.exploration, routing.window, routing.priority),
        code=code,
        refit=model.RefitPlan(quality.refit.every, quality.refit.answers),
    )
    if compiling.problems:
        raise RulesError(compiling.problems)
    return rules


@dataclass(slots=True)
class _Compiling:
    """What can only be judged with the previous version and the organisation at hand."""

    reading: Reading
    problems: list[Problem]
    previous: model.ProjectRules | None
    references: References

    def complain(self, path: Path, what: str, advice: str) -> None:
        self.problems.append(self.reading.merged.problem(path, what, advice))

    def fields(self, document: Document) -> tuple[model.Field, ...]:
        unsound = self.reading.unsound
        if unsound & {("labels",), ("fields",)}:
            return ()
        if document.labels is not None and document.fields is not None:
            self.complain(("fields",), "labels and fields are both given", "keep one of the two")
            return ()
        questions = document.fields
        if document.labels is not None:
            questions = (Question(id=ONLY_FIELD, labels=document.labels),)
        if not questions:
            if ("extends",) not in unsound:
                self.complain((), "there are no labels", "write labels: with at least two of them")
            return ()
        before = () if self.previous is None else self.previous.fields
        fields, complaints = follow(before, questions)
        for complaint in complaints:
            self.complain(_absolute(complaint.path, document), complaint.what, complaint.advice)
        return fields

    def requirement(self, people: People) -> Requirement:
        return Requirement(
            skills=tuple(SkillNeed(name, level) for name, level in people.skills.items()),
            languages=people.languages,
            pools=self.found(Kind.POOL, "pools", people.pools),
            vendors=self.found(Kind.VENDOR, "vendors", people.vendors),
            humans_only=people.humans_only,
        )

    def found(self, kind: Kind, key: str, names: tuple[str, ...]) -> tuple[Id, ...]:
        identities: list[Id] = []
        for place, name in enumerate(names):
            path: Path = ("people", key, place)
            identity = self.references.find(kind, name)
            if len(self.problems) >= MOST_PROBLEMS:
                break
            if identity is None:
                known = self.references.names(kind)
                advice = did_you_mean(name, known) or f"add the {kind.name.lower()} first, or check the name"
                self.complain(path, f"there is no {kind.name.lower()} {name!r}", advice)
            elif identity in identities:
                self.complain(path, f"{name!r} is named twice, by name and by id", "keep one of the two")
            else:
                identities.append(identity)
        return tuple(identities)

    def prices(self, money: Money) -> model.Prices:
        before = money.currency if self.previous is None else self.previous.prices.currency
        if money.currency != before and not self.reading.unsound & {("money",), ("money", "currency")}:
            self.complain(
                ("money", "currency"),
                f"the project pays in {before}, not in {money.currency}",
                f"write currency: {before}; another currency needs another project",
            )
        return model.Prices(money.crowd, money.senior, money.expert, money.currency)

    def bonuses(self, money: Money) -> tuple[model.BonusPlan, ...]:
        before = {} if self.previous is None else {plan.id: plan.period_us for plan in self.previous.bonuses}
        for place, bonus in enumerate(money.bonuses):
            period_us = before.get(bonus.id, bonus.period)
            if bonus.period != period_us:
                self.complain(
                    ("money", "bonuses", place, "period"),
                    f"bonus {bonus.id!r} is decided every {write_duration(period_us)}",
                    "keep its period, or give a bonus of another period another id",
                )
        return tuple(_bonus(bonus) for bonus in money.bonuses)


def _absolute(path: Path, document: Document) -> Path:
    """Give where a complaint about the questions stands in the document."""
    if document.labels is None:
        return ("fields", *path)
    return ("labels", *path[2:])


def _lease(routing: RoutingSection) -> model.LeaseTerms:
    lease = routing.lease
    return model.LeaseTerms(lease.duration, lease.extensions, lease.attempts, lease.per_worker)


def _review(quality: Quality) -> model.ReviewPlan:
    review = quality.review
    return model.ReviewPlan(_MODES[review.mode], review.threshold, review.share)


def _bonus(bonus: Bonus) -> model.BonusPlan:
    return model.BonusPlan(
        id=bonus.id,
        bands=tuple(model.BonusBand(band.from_, band.amount) for band in bonus.bands),
        least_checked=bonus.least_checked,
        period_us=bonus.period,
        mode=_MODES[bonus.mode],
    )
