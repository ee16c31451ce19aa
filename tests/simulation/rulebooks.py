"""Random rules of a project, and random changes of them, always within what an operator may apply."""

from __future__ import annotations

from random import Random

import msgspec
from tests.simulation.knowledge import LANGUAGES, SKILLS

from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.rules import (
    MICROSECONDS,
    BonusBand,
    BonusPlan,
    Field,
    GoldPlan,
    Label,
    LeaseTerms,
    Overlap,
    Prices,
    ProjectRules,
    RefitPlan,
    ReviewPlan,
    Routing,
    Stopping,
)
from crowdroute.router.model.states import Mode


def first_rules(random: Random, policies: tuple[str, ...]) -> ProjectRules:
    """Give a new project's rules."""
    fields = tuple(
        Field(f"field-{number}", tuple(Label(f"label-{code}") for code in range(random.randint(2, 4))))
        for number in range(random.choice((1, 1, 2)))
    )
    return _varied(random, ProjectRules(version=1, fields=fields), policies)


def next_rules(random: Random, rules: ProjectRules, policies: tuple[str, ...]) -> ProjectRules:
    """Give rules that may follow: the schema only grows, the currency stays."""
    fields = list(rules.fields)
    change = random.random()
    place = random.randrange(len(fields))
    labels = fields[place].labels
    if change < 0.1 and len(labels) < 6:
        fields[place] = Field(fields[place].id, (*labels, Label(f"label-{len(labels)}")))
    elif change < 0.15 and sum(not label.removed for label in labels) > 2:
        gone = random.choice([label for label in labels if not label.removed])
        fields[place] = Field(
            fields[place].id,
            tuple(Label(label.id, label.title, label.removed or label is gone) for label in labels),
        )
    elif change < 0.18 and len(fields) < 3:
        fields.append(Field(f"field-{len(fields)}", (Label("label-0"), Label("label-1"))))
    following = msgspec.structs.replace(rules, version=rules.version + 1, fields=tuple(fields))
    return _varied(random, following, policies)


def unsound_rules(random: Random, rules: ProjectRules) -> ProjectRules:
    """Give rules that must be refused: each would leave the engine with something that it cannot follow."""
    following = msgspec.structs.replace(rules, version=rules.version + 1)
    flaws: tuple[dict[str, object], ...] = (
        {"version": rules.version + random.choice((0, 2))},
        {"fields": rules.fields[:-1]},
        {"fields": tuple(Field(field.id, field.labels[1:]) for field in rules.fields)},
        {"routing": Routing(policy="crystal_ball")},
        {"overlap": Overlap(3, 2)},
        {"overlap": Overlap(0, 0)},
        {"lease": LeaseTerms(duration_us=0)},
        {"prices": Prices(crowd_micros=-1)},
        {"prices": Prices(currency="EUR")},
        {"stopping": Stopping(target=float("nan"))},
    )
    return msgspec.structs.replace(following, **random.choice(flaws))


def requirement(random: Random) -> Requirement:
    """Give what a task or project may ask of a worker; mostly nothing."""
    if random.random() < 0.7:
        return Requirement()
    return Requirement(
        skills=(SkillNeed(random.choice(SKILLS), random.choice((0.3, 0.6))),)
        if random.random() < 0.4
        else (),
        languages=(random.choice(LANGUAGES),) if random.random() < 0.4 else (),
        humans_only=random.random() < 0.2,
    )


def _varied(random: Random, rules: ProjectRules, policies: tuple[str, ...]) -> ProjectRules:
    minimum = random.randint(1, 3)
    amounts = (0, 40_000, 55_000)
    return msgspec.structs.replace(
        rules,
        requirement=requirement(random) if random.random() < 0.2 else Requirement(),
        overlap=Overlap(minimum, minimum + random.randint(0, 2)),
        stopping=Stopping(random.choice((0.8, 0.9, 0.97)), escalate=random.random() < 0.5),
        lease=LeaseTerms(
            duration_us=random.choice((60, 300, 900)) * MICROSECONDS,
            extensions=random.randint(0, 3),
            attempts=random.randint(2, 8),
            per_worker=random.randint(1, 5),
        ),
        gold=GoldPlan(random.choice((0.0, 0.1, 0.3)), random.randint(0, 3)),
        prices=Prices(
            random.choice(amounts), random.choice(amounts), random.choice(amounts), rules.prices.currency
        ),
        review=ReviewPlan(
            random.choice((Mode.RECOMMEND, Mode.ENFORCE)),
            threshold=random.choice((0.0, 0.3)),
            share=random.choice((0.0, 0.1)),
        ),
        bonuses=_bonuses(random),
        routing=Routing(
            policy=random.choice(policies),
            exploration=random.choice((0.0, 0.1)),
            window=random.choice((0, 0, 4)),
        ),
        refit=RefitPlan((0, 600 * MICROSECONDS, 0)[rules.version % 3], rules.version),
    )


def _bonuses(random: Random) -> tuple[BonusPlan, ...]:
    if random.random() < 0.5:
        return ()
    bands = (BonusBand(0.3, 1_000), BonusBand(0.6, 3_000))
    mode = random.choice((Mode.RECOMMEND, Mode.ENFORCE))
    return (BonusPlan("accuracy", bands, least_checked=2, period_us=3600 * MICROSECONDS, mode=mode),)
