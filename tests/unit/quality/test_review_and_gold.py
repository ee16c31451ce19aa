"""Who is reviewed, and who gets gold."""

from __future__ import annotations

from crowdroute.router.model.rules import GoldPlan, ReviewPlan
from crowdroute.router.model.states import Mode
from crowdroute.router.quality.gold import wants_gold
from crowdroute.router.quality.review import needs_review

PLAN = ReviewPlan(Mode.ENFORCE, 0.8, 0.1)


def test_a_new_worker_is_reviewed_whatever_the_draw() -> None:
    why = needs_review(PLAN, 0, 0, 0.99)
    assert why is not None
    assert why.reason == "threshold"


def test_a_proven_worker_is_reviewed_by_chance_only() -> None:
    assert needs_review(PLAN, 100, 100, 0.5) is None
    why = needs_review(PLAN, 100, 100, 0.05)
    assert why is not None
    assert why.reason == "sample"


def test_the_lower_bound_decides_and_not_the_mean() -> None:
    assert needs_review(ReviewPlan(Mode.ENFORCE, 0.8, 0.0), 9, 10, 0.5) is not None


def test_a_plan_without_threshold_and_share_reviews_nobody() -> None:
    assert needs_review(ReviewPlan(), 0, 0, 0.0) is None


def test_gold_comes_often_at_first_and_by_its_share_afterwards() -> None:
    plan = GoldPlan(0.05, 5)
    assert wants_gold(plan, 0, 0, 0.3)
    assert not wants_gold(plan, 20, 5, 0.3)
    assert wants_gold(plan, 20, 5, 0.04)


def test_the_chance_of_gold_depends_on_no_position() -> None:
    plan = GoldPlan(0.05, 5)
    answers = {granted: wants_gold(plan, granted, 7, 0.04) for granted in range(100)}
    assert set(answers.values()) == {True}
