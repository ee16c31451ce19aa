"""What the checker says of tasks and their results."""

from typing import Any

import pytest
from tests.checker import check
from tests.unit.checker.story import (
    ITEM,
    TASK,
    answered,
    begun,
    broken,
    corrected,
    finalised,
    last,
    lease,
    opened,
    rules,
    worker,
)


def test_a_result_after_enough_answers_is_clean_and_counted() -> None:
    story = answered(0, 0).tell(finalised())
    assert broken(story) == []
    assert check(story.batches).counters["finalised"] == 1


# Revisions


def test_a_result_of_a_task_that_was_not_reopened_is_reported() -> None:
    story = answered(0, 0).tell(finalised()).tell(finalised(revision=2))
    assert broken(story) == [("finalised-twice", last(story), "TaskFinalised")]


@pytest.mark.parametrize("closing", [[27, TASK, "attempts", 8], [28, TASK, "not needed"]])
def test_a_result_of_a_parked_or_cancelled_task_is_reported(closing: list[Any]) -> None:
    story = answered(0, 0).tell(closing).tell(finalised())
    assert broken(story) == [("finalised-twice", last(story), "TaskFinalised")]


def test_a_reopened_task_gets_the_next_revision() -> None:
    story = answered(0, 0).tell(finalised()).tell([26, TASK, "doubt", 1]).tell(finalised(revision=2))
    assert broken(story) == []


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_a_revision_that_is_not_the_next_is_reported(revision: int) -> None:
    story = answered(0, 0).tell(finalised()).tell([26, TASK, "doubt", 1]).tell(finalised(revision=revision))
    assert broken(story) == [("revision", last(story), "TaskFinalised")]
    story = answered(0, 0).tell(finalised()).tell(corrected(revision))
    assert broken(story) == [("revision", last(story), "ResultCorrected")]


def test_a_correction_is_the_next_revision_of_a_finalised_task() -> None:
    story = answered(0, 0).tell(finalised()).tell(corrected(2)).tell(corrected(3))
    assert broken(story) == []
    assert check(story.batches).counters["ResultCorrected"] == 2


def test_a_correction_of_a_task_without_a_result_is_reported() -> None:
    story = answered(0, 0).tell(corrected(1))
    assert broken(story) == [("task-state", last(story), "ResultCorrected")]


# Enough answers


def test_a_result_with_fewer_answers_than_the_least_is_reported() -> None:
    story = answered(0).tell(finalised(counted=1))
    assert broken(story) == [("too-few", last(story), "TaskFinalised")]


def test_withdrawn_and_discounted_answers_do_not_suffice() -> None:
    story = answered(0, 0).withdraw(1, 1).tell(finalised(counted=1))
    assert broken(story) == [("too-few", last(story), "TaskFinalised")]
    story = (
        answered(0, 0).tell([29, worker(1), "spam"]).tell([19, lease(1), "spam"]).tell(finalised(counted=1))
    )
    assert broken(story) == [("too-few", last(story), "TaskFinalised")]


def test_the_least_is_that_of_the_rules_that_hold() -> None:
    story = answered(0, 0).tell([2, rules(2, overlap=[3, 3])]).tell(finalised(rules_version=2))
    assert broken(story) == [("too-few", last(story), "TaskFinalised")]


def test_an_experts_answer_suffices_alone() -> None:
    story = answered(0).tell([23, TASK, 2, "disagreement", 0.5, 1]).grant(2, 8, stage=2).answer(2, 8, 1)
    story.tell(finalised(counted=2, reason=1, results=[[0, 1, [0.9, 0.1, 0.0]]]))
    assert broken(story) == []


def test_a_result_by_an_expert_who_never_answered_is_reported() -> None:
    story = answered(0, 0).tell(finalised(reason=1))
    assert broken(story) == [("no-expert", last(story), "TaskFinalised")]


def test_a_result_that_says_another_number_of_answers_is_reported() -> None:
    story = answered(0, 0).tell(finalised(counted=3))
    assert broken(story) == [("count-wrong", last(story), "TaskFinalised")]


def test_a_result_that_names_other_rules_than_hold_is_reported() -> None:
    story = answered(0, 0).tell(finalised(rules_version=2))
    assert broken(story) == [("rules-version", last(story), "TaskFinalised")]


# Probabilities

UNSOUND = [
    [[0, 0, [0.98, 0.01, 0.02]]],
    [[0, 0, [1.2, -0.1, -0.1]]],
    [[0, 0, [0.9, 0.1]]],
    [[0, 0, [0.9, 0.1, 0.0, 0.0]]],
    [[0, 0, [float("nan"), 0.1, 0.9]]],
    [[1, 0, [0.98, 0.01, 0.01]]],
    [],
]


@pytest.mark.parametrize("results", UNSOUND)
def test_probabilities_that_are_none_are_reported(results: list[Any]) -> None:
    story = answered(0, 0).tell(finalised(results=results))
    assert broken(story)[0] == ("probabilities", last(story), "TaskFinalised")
    story = answered(0, 0).tell(finalised()).tell(corrected(2, results=results))
    assert broken(story)[0] == ("probabilities", last(story), "ResultCorrected")


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_a_confidence_that_is_no_probability_is_reported(confidence: float) -> None:
    story = answered(0, 0).tell(finalised(confidence=confidence))
    assert broken(story) == [("probabilities", last(story), "TaskFinalised")]


def test_a_label_that_is_not_the_most_probable_is_reported() -> None:
    story = answered(0, 0).tell(finalised(results=[[0, 1, [0.98, 0.01, 0.01]]]))
    assert broken(story) == [("not-most-probable", last(story), "TaskFinalised")]


def test_either_of_two_equally_probable_labels_may_be_the_result() -> None:
    assert broken(answered(0, 1).tell(finalised(reason=2, results=[[0, 1, [0.5, 0.5, 0.0]]]))) == []


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_outside_the_schema_is_reported(label: int) -> None:
    story = answered(0, 0).tell(finalised(results=[[0, label, [0.98, 0.01, 0.01]]]))
    assert broken(story) == [("answer", last(story), "TaskFinalised")]


# States of tasks

CHANGES = {
    "TaskEscalated": [23, TASK, 2, "maximum", 0.4, 2],
    "TaskParked": [27, TASK, "attempts", 8],
    "TaskCancelled": [28, TASK, "not needed"],
    "TaskReopened": [26, TASK, "doubt", 1],
    "SlotsPlanned": [8, TASK, 0, 1, "disagreement"],
}
STATES: dict[str, list[list[Any]]] = {
    "open": [],
    "parked": [CHANGES["TaskParked"]],
    "finalised": [finalised()],
    "cancelled": [CHANGES["TaskCancelled"]],
}
ALLOWED = {
    "open": {"TaskEscalated", "TaskParked", "TaskCancelled", "SlotsPlanned"},
    "parked": {"TaskCancelled", "TaskReopened", "SlotsPlanned"},
    "finalised": {"TaskCancelled", "TaskReopened", "SlotsPlanned"},
    "cancelled": {"SlotsPlanned"},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_task_changes_as_its_state_allows(state: str, change: str) -> None:
    story = answered(0, 0)
    for event in STATES[state]:
        story.tell(event)
    story.tell(CHANGES[change])
    assert broken(story) == ([] if change in ALLOWED[state] else [("task-state", last(story), change)])


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_task_that_was_never_opened_is_reported(name: str) -> None:
    event = [CHANGES[name][0], b"?" * 16, *CHANGES[name][2:]]
    assert broken(begun().tell(event)) == [("unknown-thing", 4, name)]


@pytest.mark.parametrize("event", [finalised(b"?" * 16), [25, b"?" * 16, 1, [], 1.0, ""]])
def test_a_result_of_a_task_that_was_never_opened_is_reported(event: list[Any]) -> None:
    assert [one[0] for one in broken(begun().tell(event))] == ["unknown-thing"]


# Items and tasks exist once


@pytest.mark.parametrize(
    ("events", "rule"),
    [
        ([[6, ITEM, bytes(16), b"digest"]], "exists-twice"),
        ([opened(TASK, ITEM, round=2)], "exists-twice"),
        ([opened(b"n" * 16, ITEM, round=1)], "exists-twice"),
        ([opened(b"n" * 16, b"?" * 16)], "unknown-thing"),
        ([[30, b"?" * 16, "asked"]], "unknown-thing"),
        ([[30, ITEM, "asked"], opened(b"n" * 16, ITEM, round=2)], "erased"),
    ],
)
def test_items_and_tasks_exist_once_and_rest_on_each_other(events: list[Any], rule: str) -> None:
    assert [one[0] for one in broken(begun().tell(*events))] == [rule]


def test_an_item_may_have_another_round_and_tasks_of_other_purposes() -> None:
    story = begun().tell(opened(b"n" * 16, ITEM, round=2), opened(b"g" * 16, ITEM, round=1, purpose=4))
    assert broken(story) == []
