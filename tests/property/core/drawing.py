"""What Hypothesis draws: rules of a project, answers, tasks, right and wrong."""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.desk import LABELS

from crowdroute.router.model.answers import Answer, Choice
from crowdroute.router.model.facts import Requirement, SkillNeed
from crowdroute.router.model.rules import (
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
from crowdroute.router.model.states import Mode, Purpose

DAY = 86_400 * 1_000_000
PLACE = st.integers(0, 63)
"""Which of the things that are there; taken modulo their number."""

FIELD = Field("label", LABELS)
SECOND_FIELD = Field("bird", (Label("robin"), Label("wren")))

OVERLAPS = st.sampled_from([Overlap(1, 1), Overlap(1, 3), Overlap(2, 2), Overlap(2, 3), Overlap(3, 4)])
STOPPINGS = st.builds(Stopping, target=st.sampled_from([0.6, 0.8, 0.95]), escalate=st.booleans())
LEASES = st.builds(
    LeaseTerms,
    extensions=st.sampled_from([0, 1, 2, 9]),
    attempts=st.integers(1, 3),
    per_worker=st.sampled_from([2, 10]),
)
GOLD = st.builds(GoldPlan, share=st.sampled_from([0.0, 0.2, 1.0]), first=st.integers(0, 2))
PRICES = st.sampled_from([Prices(), Prices(20_000, 50_000, 90_000), Prices(1, 0, 7)])
REVIEWS = st.builds(
    ReviewPlan,
    mode=st.sampled_from([Mode.ENFORCE, Mode.ENFORCE, Mode.RECOMMEND]),
    threshold=st.sampled_from([0.0, 0.0, 0.3]),
    share=st.sampled_from([0.0, 0.5]),
)
PERIODS = {"accuracy": DAY, "speed": 7 * DAY}
"""A bonus keeps its period."""

BONUSES = st.lists(
    st.builds(
        BonusPlan,
        id=st.sampled_from(sorted(PERIODS)),
        bands=st.sampled_from([(BonusBand(0.05, 500),), (BonusBand(0.1, 500), BonusBand(0.3, 900))]),
        least_checked=st.integers(1, 2),
        mode=st.sampled_from([Mode.ENFORCE, Mode.RECOMMEND]),
    ),
    max_size=2,
    unique_by=lambda plan: plan.id,
).map(lambda plans: tuple(replace(plan, period_us=PERIODS[plan.id]) for plan in plans))
REFITS = st.sampled_from([RefitPlan(), RefitPlan(3_600_000_000, 1), RefitPlan(DAY, 4)])
ROUTINGS = st.builds(
    Routing,
    policy=st.sampled_from(["information_gain", "fifo", "random"]),
    exploration=st.sampled_from([0.0, 0.5]),
)

RULES = st.builds(
    ProjectRules,
    version=st.just(1),
    fields=st.just((FIELD,)),
    overlap=OVERLAPS,
    stopping=STOPPINGS,
    lease=LEASES,
    gold=GOLD,
    prices=PRICES,
    review=REVIEWS,
    bonuses=BONUSES,
    routing=ROUTINGS,
    refit=REFITS,
)

LABEL = st.sampled_from([0, 0, 0, 1, 2])
"""Mostly the same one, so that crowds agree often enough."""

WRONG_ANSWERS: list[Answer] = [
    (),
    (Choice(0, 17),),
    (Choice(0, -1),),
    (Choice(9, 0),),
    (Choice(0, 0), Choice(0, 1)),
]

PURPOSES = st.sampled_from(
    [
        Purpose.PRODUCTION,
        Purpose.PRODUCTION,
        Purpose.PRODUCTION,
        Purpose.GOLD,
        Purpose.TRAINING,
        Purpose.QUALIFICATION,
        Purpose.CALIBRATION,
        Purpose.AUDIT,
        Purpose.REVIEW,
    ]
)

REQUIREMENTS = st.sampled_from(
    [
        Requirement(),
        Requirement(),
        Requirement(languages=("de",)),
        Requirement(skills=(SkillNeed("law", 0.5),), humans_only=True),
    ]
)
