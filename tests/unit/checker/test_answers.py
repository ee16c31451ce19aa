"""What the checker says of answers: receipts, revisions, discounts, reviews."""

from typing import Any

import pytest
from tests.checker import check
from tests.unit.checker.story import (
    GOLD_TASK,
    HOUR,
    ITEM,
    LEASE,
    TASK,
    Story,
    answered,
    begun,
    broken,
    finalised,
    last,
    lease,
    opened,
    piece,
    submitted,
    withdrawn,
    worker,
)

COUNTED, SURPLUS, REFUSED = 1, 2, 3


def expired() -> Story:
    """Tell of a lease that ran out, with its slot still free."""
    return begun().grant(1, 1).tell([12, lease(1)], after=LEASE)


# Receipts


def test_a_counted_answer_on_time_is_clean_and_counted() -> None:
    story = answered(0)
    assert broken(story) == []
    counters = check(story.batches).counters
    assert (counters["answers"], counters["counted"], counters["refused"]) == (1, 1, 0)


def test_a_late_answer_is_counted_when_its_slot_is_free() -> None:
    assert broken(expired().answer(1, 1, late=True)) == []


def test_a_late_answer_that_is_counted_beyond_the_planned_slots_is_reported() -> None:
    story = expired().grant(2, 2).grant(3, 3).grant(4, 4).answer(1, 1, late=True)
    assert broken(story) == [("slots", last(story), "AnswerSubmitted")]


def test_a_late_answer_without_a_free_slot_is_refused_and_kept() -> None:
    story = expired().grant(2, 2).grant(3, 3).grant(4, 4).answer(1, 1, receipt=REFUSED, late=True)
    assert broken(story) == []
    assert check(story.batches).counters["refused"] == 1


def test_an_answer_to_a_revoked_lease_is_refused_and_kept() -> None:
    story = begun().grant(1, 1).tell([15, lease(1), "operator"])
    assert broken(story.answer(1, 1, receipt=REFUSED, late=True)) == []


@pytest.mark.parametrize("receipt", [COUNTED, SURPLUS, 0])
def test_an_answer_to_a_revoked_lease_that_is_taken_is_reported(receipt: int) -> None:
    story = begun().grant(1, 1).tell([15, lease(1), "operator"]).answer(1, 1, receipt=receipt, late=True)
    assert ("receipt", last(story), "AnswerSubmitted") in broken(story)


@pytest.mark.parametrize("over", [[13, lease(1)], [14, lease(1), "unclear"]])
@pytest.mark.parametrize("receipt", [COUNTED, SURPLUS, REFUSED])
def test_an_answer_to_a_lease_that_was_given_back_is_reported(over: list[Any], receipt: int) -> None:
    story = begun().grant(1, 1).tell(over).answer(1, 1, receipt=receipt)
    assert ("receipt", last(story), "AnswerSubmitted") in broken(story)


def test_an_answer_on_time_that_is_refused_is_reported() -> None:
    story = begun().grant(1, 1).answer(1, 1, receipt=REFUSED)
    assert broken(story) == [("receipt", last(story), "AnswerSubmitted")]


def test_a_refusal_without_a_reason_is_reported() -> None:
    story = expired().answer(1, 1, receipt=REFUSED, late=True, reason="")
    assert broken(story) == [("receipt", last(story), "AnswerSubmitted")]


@pytest.mark.parametrize(
    "story", [begun().grant(1, 1).answer(1, 1, late=True), expired().answer(1, 1, late=False)]
)
def test_an_answer_that_says_wrongly_whether_it_is_late_is_reported(story: Story) -> None:
    assert broken(story) == [("receipt", last(story), "AnswerSubmitted")]


def test_a_second_answer_to_an_assignment_is_reported() -> None:
    story = answered(0).tell(submitted(1), piece(1, 1, entry=b"x" * 16))
    assert broken(story) == [("answered-twice", last(story), "AnswerSubmitted")]


def test_a_second_answer_to_a_refused_one_is_reported() -> None:
    story = expired().answer(1, 1, receipt=REFUSED, late=True).answer(1, 1, receipt=REFUSED, late=True)
    assert broken(story)[0] == ("answered-twice", last(story), "AnswerSubmitted")


def test_an_answer_to_an_assignment_that_was_never_granted_is_reported() -> None:
    assert broken(begun().tell(submitted(1))) == [("unknown-thing", 4, "AnswerSubmitted")]


def test_an_answer_after_the_task_was_finalised_is_surplus_and_paid() -> None:
    story = answered(0, 0)
    story.grant(3, 3).tell(finalised()).answer(3, 3, receipt=SURPLUS)
    assert broken(story) == []
    assert check(story.batches).counters["surplus"] == 1


def test_a_crowd_answer_counts_also_once_an_expert_was_asked() -> None:
    story = begun().grant(1, 1).tell([23, TASK, 2, "operator", 0.4, 0])
    assert broken(story.answer(1, 1)) == []


@pytest.mark.parametrize("stage", [0, 2])
def test_an_answer_is_no_surplus_because_an_expert_was_asked(stage: int) -> None:
    escalated = [23, TASK, 2, "operator", 0.4, 0]
    story = (
        begun().grant(1, 1).tell(escalated) if stage == 0 else begun().tell(escalated).grant(1, 8, stage=2)
    )
    story.answer(1, 1 if stage == 0 else 8, receipt=SURPLUS)
    assert broken(story) == [("surplus-when-open", last(story), "AnswerSubmitted")]


def test_a_late_answer_counts_while_its_task_is_set_aside() -> None:
    assert broken(expired().tell([27, TASK, "attempts", 1]).answer(1, 1, late=True)) == []


def test_a_crowd_answer_counts_again_once_the_task_was_reopened_for_more() -> None:
    story = answered(0, 0).grant(3, 3).tell([23, TASK, 2, "operator", 0.4, 2]).tell([27, TASK, "attempts", 8])
    story.tell([26, TASK, "doubt", 1]).answer(3, 3, receipt=SURPLUS)
    assert broken(story) == [("surplus-when-open", last(story), "AnswerSubmitted")]


def test_an_answer_that_is_surplus_while_the_task_is_open_is_reported() -> None:
    story = begun().grant(1, 1).answer(1, 1, receipt=SURPLUS)
    assert broken(story) == [("surplus-when-open", last(story), "AnswerSubmitted")]


@pytest.mark.parametrize("closing", [finalised(), [27, TASK, "attempts", 8], [28, TASK, "not needed"]])
def test_an_answer_that_is_counted_after_the_task_was_closed_is_reported(closing: list[Any]) -> None:
    story = answered(0, 0)
    story.grant(3, 3).tell(closing).answer(3, 3)
    assert broken(story) == [("counted-when-closed", last(story), "AnswerSubmitted")]


@pytest.mark.parametrize("answer", [[[1, 1, 0]], [[1, 0, 3]], [[1, 0, -1]], [[1, 0, 0], [1, 0, 0]]])
def test_an_answer_outside_the_schema_is_reported(answer: list[Any]) -> None:
    story = begun().grant(1, 1).answer(1, 1, answer=answer)
    assert broken(story) == [("answer", last(story), "AnswerSubmitted")]
    amended = answered(0).tell([17, lease(1), 2, answer])
    assert broken(amended) == [("answer", last(amended), "AnswerAmended")]


def test_a_known_answer_outside_the_schema_is_reported() -> None:
    story = begun().tell(opened(b"g" * 16, ITEM, purpose=4, gold=[[1, 0, 9]]))
    assert broken(story) == [("answer", 4, "TaskOpened")]


def test_a_gold_task_without_a_known_answer_is_reported() -> None:
    assert broken(begun().tell(opened(b"g" * 16, ITEM, purpose=4, gold=[]))) == [("answer", 4, "TaskOpened")]


# Revisions

REVISIONS: dict[str, list[list[Any]]] = {
    "AnswerAmended": [[17, lease(1), 2, [[1, 0, 1]], False]],
    "AnswerWithdrawn": withdrawn(1, 1),
}


@pytest.mark.parametrize("name", REVISIONS)
def test_a_counted_answer_may_be_amended_and_withdrawn(name: str) -> None:
    assert broken(answered(0).tell(*REVISIONS[name])) == []


@pytest.mark.parametrize("name", [*REVISIONS, "AnswerDiscounted"])
def test_an_answer_that_does_not_count_is_neither_amended_nor_withdrawn_nor_discounted(name: str) -> None:
    change = {
        "AnswerAmended": [17, lease(1), 2, [[1, 0, 1]]],
        "AnswerWithdrawn": [18, lease(1), "mistake"],
    }.get(name, [19, lease(1), "spam"])
    rule = "not-accepted" if name in REVISIONS else "not-counted"
    gone = answered(0).tell([29, worker(1), "spam"]).withdraw(1, 1).tell(change)
    assert broken(gone)[0] == (rule, last(gone), name)
    unanswered = begun().grant(1, 1).tell([29, worker(1), "spam"]).tell(change)
    assert broken(unanswered)[:1] == [(rule, last(unanswered), name)]
    refused = expired().answer(1, 1, receipt=REFUSED, late=True).tell([29, worker(1), "spam"]).tell(change)
    assert broken(refused)[:1] == [(rule, last(refused), name)]


@pytest.mark.parametrize("name", REVISIONS)
def test_a_surplus_answer_is_amended_and_withdrawn_as_if_it_counted(name: str) -> None:
    story = answered(0, 0).grant(3, 3).tell(finalised()).answer(3, 3, receipt=SURPLUS)
    changes = {"AnswerAmended": [[17, lease(3), 2, [[1, 0, 1]], False]], "AnswerWithdrawn": withdrawn(3, 3)}
    assert broken(story.tell(*changes[name])) == []


@pytest.mark.parametrize("checked", [False, True])
def test_an_answer_that_was_checked_must_be_amended_as_such(checked: bool) -> None:
    story = reviewed().tell([22, lease(1), 2, lease(2)])
    story.tell([17, lease(1), 2, [[1, 0, 1]], checked])
    assert broken(story) == ([] if checked else [("amended-when-checked", last(story), "AnswerAmended")])


def test_a_late_answer_whose_slot_was_taken_is_surplus() -> None:
    story = expired().grant(2, 2).grant(3, 3).grant(4, 4).answer(1, 1, receipt=SURPLUS, late=True)
    assert broken(story) == []


def test_a_late_answer_that_is_surplus_although_its_slot_is_free_is_reported() -> None:
    story = expired().answer(1, 1, receipt=SURPLUS, late=True)
    assert broken(story) == [("surplus-when-open", last(story), "AnswerSubmitted")]


def test_an_answer_to_gold_that_is_surplus_is_reported() -> None:
    story = begun().grant(1, 1, GOLD_TASK).answer(1, 1, receipt=SURPLUS)
    assert broken(story) == [("surplus-when-open", last(story), "AnswerSubmitted")]


# Discounts


def test_an_answer_that_is_discounted_without_its_worker_is_reported() -> None:
    story = answered(0).tell([19, lease(1), "spam"])
    assert broken(story) == [("discount", last(story), "AnswerDiscounted")]


def test_answers_of_a_discounted_worker_may_count_until_the_repair_is_through() -> None:
    story = answered(0, 0).grant(3, 1, GOLD_TASK).answer(3, 1).tell([29, worker(1), "spam"])
    assert broken(story) == []
    assert broken(story, quiescent=True) == [("discount-unfinished", last(story), "")] * 2
    story.tell([19, lease(1), "spam"])
    assert broken(story, quiescent=True) == [("discount-unfinished", last(story), "")]
    story.tell([19, lease(3), "spam"])
    assert broken(story, quiescent=True) == []
    assert check(story.batches).counters["AnswerDiscounted"] == 2


# Reviews


def review(mode: int = 1) -> list[Any]:
    return [21, lease(1), mode, "sample", 0.7, 7, 10, 0.8, 0.1, 0.05]


def reviewed(mode: int = 1, stage: int = 1, by: int = 7) -> Story:
    """Tell of an answer that is to be reviewed, and of the answer that could settle it."""
    story = answered(0).tell(review(mode), [8, TASK, stage, 1, "review"])
    return story.grant(2, by, stage=stage).answer(2, by)


@pytest.mark.parametrize(("stage", "by"), [(1, 7), (2, 8)])
@pytest.mark.parametrize("verdict", [2, 3, 4])
def test_a_review_is_concluded_by_a_senior_or_expert_answer(stage: int, by: int, verdict: int) -> None:
    story = reviewed(stage=stage, by=by).tell([22, lease(1), verdict, lease(2)])
    assert broken(story) == []
    counters = check(story.batches).counters
    assert (counters["ReviewRequested"], counters["ReviewConcluded"]) == (1, 1)


def test_a_review_that_was_only_recommended_is_not_concluded() -> None:
    story = reviewed(mode=0).tell([22, lease(1), 2, lease(2)])
    assert broken(story) == [("review", last(story), "ReviewConcluded")]


def test_a_review_that_nobody_asked_for_is_not_concluded() -> None:
    story = answered(0).tell([8, TASK, 1, 1, "review"]).grant(2, 7, stage=1).answer(2, 7)
    assert broken(story.tell([22, lease(1), 2, lease(2)])) == [("review", last(story), "ReviewConcluded")]


def test_a_review_is_concluded_once() -> None:
    story = reviewed().tell([22, lease(1), 2, lease(2)]).tell([22, lease(1), 2, lease(2)])
    assert broken(story) == [("review", last(story), "ReviewConcluded")]


@pytest.mark.parametrize("change", [withdrawn(1, 1), [[19, lease(1), "spam"]]])
def test_a_review_of_an_answer_that_is_gone_is_not_concluded(change: list[Any]) -> None:
    story = reviewed().tell([29, worker(1), "spam"]).tell(*change).tell([22, lease(1), 2, lease(2)])
    assert broken(story) == [("review", last(story), "ReviewConcluded")]


@pytest.mark.parametrize("verdict", [0, 1, 5])
def test_a_review_ends_with_a_verdict(verdict: int) -> None:
    story = reviewed().tell([22, lease(1), verdict, lease(2)])
    assert broken(story) == [("review", last(story), "ReviewConcluded")]


def test_a_review_is_not_concluded_by_another_crowd_answer() -> None:
    story = answered(0, 0).tell(review()).tell([22, lease(1), 2, lease(2)])
    assert broken(story) == [("review", last(story), "ReviewConcluded")]


def test_a_review_of_an_assignment_without_an_answer_is_reported() -> None:
    story = begun().grant(1, 1).tell(review())
    assert broken(story) == [("review", last(story), "ReviewRequested")]


def test_a_reviewed_gold_answer_needs_no_slot_but_time() -> None:
    story = begun().grant(1, 1, GOLD_TASK).answer(1, 1).tell([3, "lunch"], after=HOUR)
    assert broken(story, quiescent=True) == []
