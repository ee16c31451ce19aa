"""What clients were told must be in the history, as they were told, and once."""

from collections.abc import Callable

import pytest
from tests.checker import (
    Acknowledgement,
    GrantAcknowledged,
    KeyAcknowledged,
    SubmitAcknowledged,
    check_acknowledged,
)
from tests.unit.checker.story import STREAM, Story, answered, begun, granted, lease, piece, submitted, worker

GRANT = GrantAcknowledged(STREAM, lease(1), worker(1), 7)
SUBMIT = SubmitAcknowledged(STREAM, lease(1), 1, ((0, 2),))
KEY = KeyAcknowledged(STREAM, "tok_1", "PauseProject", "k")


def told() -> Story:
    return answered(2).tell([3, "lunch"], command="PauseProject", principal="tok_1", key="k")


def test_what_was_acknowledged_and_is_there_is_clean_and_counted() -> None:
    report = check_acknowledged(told().batches, [GRANT, SUBMIT, SUBMIT, KEY])
    assert report.ok
    assert dict(report.counters) == {
        "acknowledged grants": 1,
        "acknowledged answers": 2,
        "acknowledged keys": 1,
    }


def test_what_is_there_and_was_not_acknowledged_is_no_fault() -> None:
    assert check_acknowledged(told().batches, []).ok


@pytest.mark.parametrize(
    ("acknowledged", "rule"), [(GRANT, "grant-lost"), (SUBMIT, "answer-lost"), (KEY, "command-lost")]
)
def test_what_was_acknowledged_and_is_not_there_is_reported(acknowledged: Acknowledgement, rule: str) -> None:
    report = check_acknowledged(begun().batches, [acknowledged])
    assert report.rules() == {rule}
    assert report.violations[0].stream == STREAM


@pytest.mark.parametrize(
    ("acknowledged", "rule"),
    [
        (GrantAcknowledged(STREAM, lease(1), worker(2), 7), "grant-lost"),
        (GrantAcknowledged(STREAM, lease(1), worker(1), 8), "grant-lost"),
        (GrantAcknowledged("default/project/b", lease(1), worker(1), 7), "grant-lost"),
        (SubmitAcknowledged(STREAM, lease(1), 2, ((0, 2),)), "answer-lost"),
        (SubmitAcknowledged(STREAM, lease(1), 1, ((0, 1),)), "answer-lost"),
        (SubmitAcknowledged("default/project/b", lease(1), 1, ((0, 2),)), "answer-lost"),
        (KeyAcknowledged(STREAM, "tok_2", "PauseProject", "k"), "command-lost"),
    ],
)
def test_what_is_there_otherwise_than_it_was_acknowledged_is_reported(
    acknowledged: Acknowledgement, rule: str
) -> None:
    assert check_acknowledged(told().batches, [acknowledged]).rules() == {rule}


@pytest.mark.parametrize(
    ("again", "acknowledged", "rule"),
    [
        (lambda story: story.tell(granted(1, 1)), GRANT, "grant-lost"),
        (lambda story: story.tell(submitted(1, 2), piece(1, 1)), SUBMIT, "answer-lost"),
    ],
)
def test_what_was_acknowledged_and_is_there_twice_is_reported(
    again: Callable[[Story], Story], acknowledged: Acknowledgement, rule: str
) -> None:
    assert check_acknowledged(again(told()).batches, [acknowledged]).rules() == {rule}


def test_an_amended_answer_was_still_submitted_as_it_was_acknowledged() -> None:
    assert check_acknowledged(told().tell([17, lease(1), 2, [[1, 0, 0]]]).batches, [SUBMIT]).ok
