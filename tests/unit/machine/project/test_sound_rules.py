"""Rules that no decision could follow are refused before they hold."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.support.desk import LABELS, YES, Desk, make_rules
from tests.support.engine import DAY

from crowdroute.router.commands.project import ApplyRules, CancelTask
from crowdroute.router.errors import InvalidCommand, WrongState
from crowdroute.router.machine.project.sound_rules import LONGEST_US, MOST, MOST_PRICE
from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.ids import NO_ID, Kind, to_text
from crowdroute.router.model.rules import (
    SHORTEST_REFIT_US,
    BonusBand,
    BonusPlan,
    Field,
    GoldPlan,
    Label,
    LeaseTerms,
    Overlap,
    Prices,
    RefitPlan,
    ReviewPlan,
    Routing,
    Stopping,
)
from crowdroute.router.model.states import Purpose

BAND = (BonusBand(0.5, 100),)
ONE = Field("label", LABELS)


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        ("fields", {"fields": ()}),
        ("fields", {"fields": (ONE, ONE)}),
        ("fields.label", {"fields": (Field("label", ()),)}),
        ("fields.label", {"fields": (Field("label", (*LABELS, LABELS[0])),)}),
        ("fields.label", {"fields": (Field("label", tuple(replace(one, removed=True) for one in LABELS)),)}),
        ("fields.label", {"fields": (Field("label", LABELS[:2]),)}),
        ("fields.label", {"fields": (Field("label", LABELS[::-1]),)}),
        ("fields.label", {"fields": (Field("other", LABELS),)}),
        ("overlap", {"overlap": Overlap(0, 3)}),
        ("overlap", {"overlap": Overlap(3, 2)}),
        ("overlap", {"overlap": Overlap(3, MOST + 1)}),
        ("stopping.target", {"stopping": Stopping(0.0)}),
        ("stopping.target", {"stopping": Stopping(1.1)}),
        ("stopping.target", {"stopping": Stopping(float("nan"))}),
        ("lease.duration_us", {"lease": LeaseTerms(duration_us=0)}),
        ("lease.duration_us", {"lease": LeaseTerms(duration_us=LONGEST_US + 1)}),
        ("lease.extensions", {"lease": LeaseTerms(extensions=-1)}),
        ("lease.attempts", {"lease": LeaseTerms(attempts=0)}),
        ("lease.per_worker", {"lease": LeaseTerms(per_worker=0)}),
        ("gold.share", {"gold": GoldPlan(share=2.0)}),
        ("gold.first", {"gold": GoldPlan(first=-1)}),
        ("review.threshold", {"review": ReviewPlan(threshold=-0.1)}),
        ("review.share", {"review": ReviewPlan(share=1.1)}),
        ("refit.every_us", {"refit": RefitPlan(every_us=-1)}),
        ("refit.every_us", {"refit": RefitPlan(every_us=SHORTEST_REFIT_US - 1)}),
        ("refit.every_us", {"refit": RefitPlan(every_us=LONGEST_US + 1)}),
        ("refit.answers", {"refit": RefitPlan(every_us=DAY, answers=0)}),
        ("routing.exploration", {"routing": Routing("fifo", exploration=-1.0)}),
        ("routing.priority", {"routing": Routing("fifo", priority=4)}),
        ("routing.window", {"routing": Routing("fifo", window=-1)}),
        ("routing.policy", {"routing": Routing("by the stars")}),
        ("prices", {"prices": Prices(crowd_micros=-1)}),
        ("prices", {"prices": Prices(expert_micros=MOST_PRICE + 1)}),
        ("prices.currency", {"prices": Prices(currency="EUR")}),
        ("requirement", {"requirement": Requirement(skills=(SkillNeed("law", 2.0),))}),
        ("requirement", {"requirement": Requirement(pools=(NO_ID,))}),
        ("bonuses", {"bonuses": (BonusPlan("a", BAND, 1), BonusPlan("a", BAND, 2))}),
        ("bonuses.a", {"bonuses": (BonusPlan("a", (), 1),)}),
        ("bonuses.a", {"bonuses": (BonusPlan("a", BAND, 0),)}),
        ("bonuses.a", {"bonuses": (BonusPlan("a", (BonusBand(0.9, 5), BonusBand(0.5, 9)), 1),)}),
        ("bonuses.a", {"bonuses": (BonusPlan("a", (BonusBand(0.9, MOST_PRICE + 1),), 1),)}),
        ("bonuses.a", {"bonuses": (BonusPlan("a", BAND, 1, period_us=0),)}),
    ],
)
def test_rules_that_cannot_be_are_refused_and_the_field_is_named(
    field: str, parts: dict[str, object]
) -> None:
    desk = Desk()
    refusal = desk.refuses(ApplyRules(make_rules(version=2, **parts)), InvalidCommand)
    assert refusal.details["field"] == field


def test_a_first_currency_must_be_one() -> None:
    with pytest.raises(InvalidCommand, match="currency"):
        Desk(prices=Prices(currency="dollars"))


def test_a_bonus_keeps_its_period_also_after_it_was_gone_for_a_while() -> None:
    daily = BonusPlan("a", BAND, 1, period_us=DAY)
    desk = Desk(bonuses=(daily,))
    weekly = replace(daily, period_us=7 * DAY)
    refusal = desk.refuses(ApplyRules(make_rules(version=2, bonuses=(weekly,))), InvalidCommand)
    assert refusal.details["field"] == "bonuses.a"
    desk.change_rules()
    desk.refuses(ApplyRules(make_rules(version=3, bonuses=(weekly,))), InvalidCommand)
    desk.change_rules(bonuses=(daily, replace(weekly, id="b")))
    assert [plan.period_us for plan in desk.state.rules.bonuses] == [DAY, 7 * DAY]


@pytest.mark.parametrize("purpose", [Purpose.GOLD, Purpose.TRAINING, Purpose.QUALIFICATION])
def test_a_label_that_workers_are_measured_by_is_not_removed(purpose: Purpose) -> None:
    desk = Desk()
    known = desk.task(purpose=purpose, gold=YES)
    without = (Field("label", (replace(LABELS[0], removed=True), *LABELS[1:])),)
    refusal = desk.refuses(ApplyRules(make_rules(version=2, fields=without)), WrongState)
    assert refusal.details == {"field": "fields.label", "label": "yes"}
    assert to_text(Kind.TASK, known) in refusal.message
    desk.send(CancelTask(known, "its label goes"))
    desk.change_rules(fields=without)
    assert desk.state.rules.version == 2


@pytest.mark.parametrize("version", [0, 1, 3])
def test_rules_follow_one_another_without_a_gap(version: int) -> None:
    Desk().refuses(ApplyRules(make_rules(version=version)), WrongState)


def test_fields_labels_and_removals_may_be_added() -> None:
    desk = Desk()
    labels = (*LABELS[:2], replace(LABELS[2], removed=True), Label("other"))
    desk.change_rules(fields=(Field("label", labels), Field("bird", (Label("robin"),))))
    assert desk.state.rules.version == 2
    assert [model.n_classes for model in desk.state.models.fields] == [4, 1]
