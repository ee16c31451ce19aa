"""What the checker says of grants: slots, never twice, eligibility, terms."""

from typing import Any

import pytest
from tests.checker import check
from tests.unit.checker.story import (
    GOLD_TASK,
    HOUR,
    ITEM,
    LEASE,
    MINUTE,
    OTHER_TASK,
    PRICE,
    START,
    TASK,
    Story,
    answered,
    begun,
    broken,
    facts,
    finalised,
    granted,
    last,
    lease,
    opened,
    person,
    rules,
    worker,
)


def test_grants_within_the_plan_are_clean() -> None:
    story = begun().grant(1, 1).grant(2, 2).grant(3, 3)
    assert broken(story) == []
    assert check(story.batches).counters["grants"] == 3


LISTED = b"l" * 16


# Slots


def test_a_grant_beyond_the_planned_slots_is_reported() -> None:
    story = begun().grant(1, 1).grant(2, 2).grant(3, 3).grant(4, 4)
    assert broken(story) == [("slots", last(story), "LeaseGranted")]


def test_counted_answers_hold_their_slots() -> None:
    story = answered(0, 1, 0).grant(4, 4)
    assert broken(story) == [("slots", last(story), "LeaseGranted")]


@pytest.mark.parametrize("over", [[13, lease(1)], [14, lease(1), "unclear"], [15, lease(1), "operator"]])
def test_a_lease_that_is_given_back_frees_its_slot(over: list[Any]) -> None:
    assert broken(begun().grant(1, 1).grant(2, 2).grant(3, 3).tell(over).grant(4, 4)) == []


def test_an_expired_lease_frees_its_slot() -> None:
    story = begun().grant(1, 1).grant(2, 2, after=1).grant(3, 3, after=1).tell([12, lease(1)], after=LEASE)
    assert broken(story.grant(4, 4)) == []


def test_a_withdrawn_answer_frees_its_slot() -> None:
    assert broken(answered(0, 1, 0).withdraw(1, 1).grant(4, 4)) == []


def test_a_discounted_answer_keeps_its_slot_and_one_more_is_planned() -> None:
    story = answered(0, 1, 0).tell([29, worker(1), "spam"]).tell([19, lease(1), "spam"]).grant(4, 4)
    assert broken(story) == []
    story.grant(5, 5)
    assert broken(story) == [("slots", last(story), "LeaseGranted")]


@pytest.mark.parametrize("plan", [[8, TASK, 0, 1, "disagreement"], [2, rules(2, overlap=[2, 4])]])
def test_slots_planned_later_may_be_used(plan: list[Any]) -> None:
    story = answered(0, 1, 0).tell(plan)
    story.tell(granted(4, 4, rules_version=2 if plan[0] == 2 else 1))
    assert broken(story) == []


@pytest.mark.parametrize("purpose", [0, 3, 6])
def test_rules_with_a_larger_overlap_plan_more_for_every_open_task_of_the_crowd(purpose: int) -> None:
    story = begun().tell(opened(LISTED, ITEM, round=2, purpose=purpose)).tell([2, rules(2, overlap=[2, 4])])
    for number in range(1, 5):
        story.tell(granted(number, number, LISTED, rules_version=2))
    assert broken(story) == []
    story.tell(granted(5, 5, LISTED, rules_version=2))
    assert broken(story) == [("slots", last(story), "LeaseGranted")]


def test_rules_with_a_larger_overlap_plan_nothing_for_audits() -> None:
    story = (
        begun().tell(opened(LISTED, ITEM, round=2, purpose=5, planned=1)).tell([2, rules(2, overlap=[2, 4])])
    )
    story.tell(granted(1, 1, LISTED, rules_version=2))
    assert broken(story) == [("slots", last(story), "LeaseGranted")]


def test_rules_with_a_larger_overlap_plan_nothing_for_closed_tasks() -> None:
    story = answered(0, 0, 0).tell(finalised(counted=3)).tell([2, rules(2, overlap=[2, 4])])
    story.tell([26, TASK, "doubt", 0]).tell(granted(4, 4, rules_version=2))
    assert broken(story) == [("slots", last(story), "LeaseGranted")]


def test_rules_with_a_smaller_overlap_take_no_slot_away() -> None:
    story = begun().tell([2, rules(2, overlap=[1, 1])])
    for number in (1, 2, 3):
        story.tell(granted(number, number, rules_version=2))
    assert broken(story) == []


@pytest.mark.parametrize("event", [[8, TASK, 0, -1, "saving"], opened(b"n" * 16, ITEM, round=2, planned=-1)])
def test_a_planned_number_that_falls_is_reported(event: list[Any]) -> None:
    assert [one[0] for one in broken(begun().tell(event))] == ["planned-falls"]


def test_gold_is_exempt_from_overlap() -> None:
    story = begun()
    for number in range(1, 7):
        story.grant(number, number, GOLD_TASK)
    assert broken(story) == []


@pytest.mark.parametrize(("stage", "by"), [(1, 7), (2, 8)])
def test_a_higher_stage_is_granted_only_where_slots_are_planned_there(stage: int, by: int) -> None:
    story = begun().grant(1, by, stage=stage)
    assert broken(story) == [("stage-not-planned", 4, "LeaseGranted"), ("slots", 4, "LeaseGranted")]
    assert broken(begun().tell([8, TASK, stage, 1, "review"]).grant(1, by, stage=stage)) == []


def test_an_escalation_plans_one_expert_slot() -> None:
    story = answered(0, 1, 2).tell([23, TASK, 2, "maximum", 0.4, 3]).grant(4, 8, stage=2)
    assert broken(story) == []


def test_an_audits_slots_are_an_experts() -> None:
    audit = b"a" * 16
    story = begun().tell(opened(audit, ITEM, purpose=5, planned=1, round=2)).grant(1, 8, audit, stage=2)
    assert broken(story) == []
    story.grant(2, 1, audit)
    assert broken(story) == [("slots", last(story), "LeaseGranted")]


# Never twice


def other_worker_of_person_1() -> Story:
    return begun().tell(facts(2, of=1, version=2))


@pytest.mark.parametrize("over", [[13, lease(1)], [14, lease(1), "unclear"], [15, lease(1), "operator"]])
def test_a_worker_who_gets_a_task_again_is_reported(over: list[Any]) -> None:
    story = begun().grant(1, 1).tell(over).grant(2, 1)
    assert broken(story) == [("never-twice", last(story), "LeaseGranted")]


def test_a_person_who_gets_a_task_again_through_another_worker_is_reported() -> None:
    story = other_worker_of_person_1().grant(1, 1).grant(2, 2)
    assert broken(story) == [("never-twice", last(story), "LeaseGranted")]
    assert person(1).hex()[:12] in str(check(story.batches))


def test_a_person_who_gets_a_task_again_at_another_stage_is_reported() -> None:
    story = begun().tell(facts(1, version=2, stages=[0, 1])).tell([8, TASK, 1, 1, "review"])
    story.grant(1, 1).grant(2, 1, stage=1)
    assert broken(story) == [("never-twice", last(story), "LeaseGranted")]


def test_a_person_who_gets_gold_again_is_reported() -> None:
    story = other_worker_of_person_1().grant(1, 1, GOLD_TASK).grant(2, 2, GOLD_TASK)
    assert broken(story) == [("never-twice", last(story), "LeaseGranted")]


def test_a_worker_who_turned_out_to_be_a_person_that_had_the_task_is_reported() -> None:
    story = begun().grant(1, 1).grant(2, 2).tell(facts(3, of=2, version=2)).grant(3, 3)
    assert broken(story) == [("never-twice", last(story), "LeaseGranted")]


def test_a_worker_without_a_person_is_somebody_of_their_own() -> None:
    nobody = [facts(number, version=2) for number in (1, 2)]
    for one in nobody:
        one[1][1] = bytes(16)
    assert broken(begun().tell(*nobody).grant(1, 1).grant(2, 2)) == []
    story = begun().tell(*nobody).grant(1, 1).tell([13, lease(1)]).grant(2, 1)
    assert broken(story) == [("never-twice", last(story), "LeaseGranted")]


def test_a_person_may_get_another_task() -> None:
    assert broken(other_worker_of_person_1().grant(1, 1).grant(2, 2, OTHER_TASK)) == []


def test_an_assignment_id_that_is_granted_twice_is_reported() -> None:
    story = begun().grant(1, 1).grant(1, 2, OTHER_TASK)
    assert broken(story) == [("granted-twice", last(story), "LeaseGranted")]


# Eligibility


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": 4}, "is paused"),
        ({"status": 5}, "is banned"),
        ({"stages": [1]}, "does not work at stage 0"),
        ({"stages": []}, "does not work at stage 0"),
    ],
)
def test_a_grant_to_a_worker_who_may_not_work_is_reported(changed: dict[str, Any], reason: str) -> None:
    story = begun().tell(facts(1, version=2, **changed)).grant(1, 1)
    (violation,) = check(story.batches).violations
    assert violation.rule == "eligibility"
    assert violation.sentence.endswith(reason)


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_a_worker_who_is_new_qualified_trusted_or_on_probation_may_work(status: int) -> None:
    assert broken(begun().tell(facts(1, version=2, status=status)).grant(1, 1)) == []


def test_a_grant_to_a_worker_whose_person_was_severed_is_reported() -> None:
    story = begun().tell([31, person(1)]).grant(1, 1)
    assert broken(story) == [("eligibility", 5, "LeaseGranted")]
    assert broken(begun().tell([31, person(1)]).grant(2, 2)) == []


def test_a_grant_to_a_worker_whom_the_project_does_not_know_is_reported() -> None:
    assert broken(begun().grant(1, 9)) == [("eligibility", 4, "LeaseGranted")]


@pytest.mark.parametrize(
    ("lists", "fine"),
    [
        ({"deny": [worker(1)]}, False),
        ({"deny": [worker(2)]}, True),
        ({"allow": [worker(2), worker(3)]}, False),
        ({"allow": [worker(1), worker(3)]}, True),
        ({"allow": [worker(1)], "deny": [worker(1)]}, False),
    ],
)
def test_allow_and_deny_lists_are_kept_to(lists: dict[str, Any], fine: bool) -> None:
    story = begun().tell(opened(LISTED, ITEM, round=2, **lists)).grant(1, 1, LISTED)
    assert broken(story) == ([] if fine else [("eligibility", last(story), "LeaseGranted")])


REQUIREMENTS = [
    ([[["anatomy", 0.8]]], True),
    ([[["anatomy", 0.9]]], False),
    ([[["law", 0.0]]], False),
    ([[], ["de", "en"]], True),
    ([[], ["de", "fr"]], False),
    ([[], [], [b"p" * 16, b"q" * 16]], True),
    ([[], [], [b"q" * 16]], False),
    ([[], [], [], [b"v" * 16]], True),
    ([[], [], [], [b"w" * 16]], False),
    ([[], [], [], [], True], False),
    ([[], [], [], [], False], True),
]


@pytest.mark.parametrize(("requirement", "fine"), REQUIREMENTS)
def test_a_tasks_requirement_is_kept_to(requirement: list[Any], fine: bool) -> None:
    story = begun().tell(facts(1, version=2, pool=b"p" * 16, vendor=b"v" * 16, kind=1))
    story.tell(opened(LISTED, ITEM, round=2, requirement=requirement)).grant(1, 1, LISTED)
    assert broken(story) == ([] if fine else [("eligibility", last(story), "LeaseGranted")])


@pytest.mark.parametrize(("requirement", "fine"), REQUIREMENTS)
def test_the_projects_requirement_is_kept_to(requirement: list[Any], fine: bool) -> None:
    story = begun(requirement=requirement).tell(facts(1, version=2, pool=b"p" * 16, vendor=b"v" * 16, kind=1))
    assert broken(story.grant(1, 1)) == ([] if fine else [("eligibility", last(story), "LeaseGranted")])


def test_a_worker_who_holds_too_many_leases_is_reported() -> None:
    story = begun(per_worker=1).grant(1, 1).grant(2, 1, OTHER_TASK)
    assert broken(story) == [("capacity", last(story), "LeaseGranted")]
    own = begun(per_worker=5).tell(facts(1, version=2, capacity=1)).grant(1, 1).grant(2, 1, OTHER_TASK)
    assert broken(own) == [("capacity", last(own), "LeaseGranted")]


def test_a_lease_that_is_over_makes_room_for_another() -> None:
    assert broken(begun(per_worker=1).grant(1, 1).answer(1, 1).grant(2, 1, OTHER_TASK)) == []


# When nothing may be granted


def test_a_grant_while_the_project_is_paused_is_reported() -> None:
    story = begun().tell([3, "lunch"]).grant(1, 1)
    assert broken(story) == [("paused", last(story), "LeaseGranted")]
    assert broken(begun().tell([3, "lunch"]).tell([4]).grant(1, 1)) == []


@pytest.mark.parametrize("closing", [[27, TASK, "attempts", 8], [28, TASK, "not needed"], finalised()])
def test_a_grant_of_a_task_that_is_not_open_is_reported(closing: list[Any]) -> None:
    story = answered(0, 0).tell(closing).grant(3, 3)
    assert broken(story) == [("task-not-open", last(story), "LeaseGranted")]


def test_a_reopened_task_may_be_granted() -> None:
    assert broken(answered(0, 0).tell(finalised()).tell([26, TASK, "doubt", 1]).grant(3, 3).grant(4, 4)) == []


def test_a_grant_of_a_task_that_was_never_opened_is_reported() -> None:
    assert broken(begun().grant(1, 1, b"?" * 16)) == [("unknown-thing", 4, "LeaseGranted")]


def test_a_grant_to_a_discounted_worker_is_reported() -> None:
    story = begun().tell([29, worker(1), "spam"]).grant(1, 1)
    assert broken(story) == [("discounted", last(story), "LeaseGranted")]


def test_a_grant_after_the_item_was_erased_is_reported() -> None:
    story = begun().tell([30, ITEM, "asked"]).grant(1, 1)
    assert broken(story) == [("erased", last(story), "LeaseGranted")]
    assert broken(begun().tell([30, ITEM, "asked"]).grant(1, 1, OTHER_TASK)) == []


# Terms


@pytest.mark.parametrize(
    "terms",
    [
        {"rules_version": 2},
        {"price": PRICE - 1},
        {"deadline_us": START},
        {"propensity": 0.0},
        {"propensity": 1.5},
        {"propensity": float("nan")},
    ],
)
def test_terms_that_the_rules_do_not_give_are_reported(terms: dict[str, Any]) -> None:
    assert broken(begun().tell(granted(1, 1, **terms))) == [("lease-terms", 4, "LeaseGranted")]


def test_a_grant_before_any_rules_is_reported() -> None:
    story = Story().tell([1, bytes(16), "faces"]).tell(facts(1), [6, ITEM, bytes(16), b"digest"], opened())
    story.grant(1, 1, after=MINUTE)
    assert ("lease-terms", last(story), "LeaseGranted") in broken(story)


def test_leases_keep_the_terms_they_were_granted_with_when_rules_change() -> None:
    story = begun().grant(1, 1).tell([2, rules(2)], after=HOUR // 60).answer(1, 1)
    assert broken(story) == []
