"""What the checker says of refits and their schedule."""

from __future__ import annotations

import pytest
from tests.unit.checker.story import HOUR, Story, begun, broken, last, rules

SCHEDULE = [6 * HOUR, 10]


def installed(version: int) -> list[object]:
    return [36, version, 1, 0, 20, b"digest", []]


def test_refits_that_fall_due_in_time_one_after_the_other_are_clean() -> None:
    story = begun(refit=SCHEDULE)
    for version in (1, 2):
        story.tell([37, version, 10], after=6 * HOUR).tell(installed(version), after=HOUR)

    assert broken(story) == []


def at_no_rules() -> Story:
    return begun().tell([37, 1, 10], after=24 * HOUR)


def too_early() -> Story:
    return begun(refit=SCHEDULE).tell([37, 1, 10], after=6 * HOUR - 1)


def too_early_after_another() -> Story:
    asked_for = begun(refit=SCHEDULE).tell(installed(1), after=5 * HOUR)
    return asked_for.tell([37, 2, 10], after=HOUR)


def too_early_after_a_pause() -> Story:
    story = (
        begun(refit=SCHEDULE).tell([2, rules(2)], after=HOUR).tell([2, rules(3, refit=SCHEDULE)], after=HOUR)
    )
    return story.tell([37, 1, 10], after=4 * HOUR)


def after_too_few_answers() -> Story:
    return begun(refit=SCHEDULE).tell([37, 1, 9], after=6 * HOUR)


def twice() -> Story:
    return begun(refit=SCHEDULE).tell([37, 1, 10], after=6 * HOUR).tell([37, 1, 10], after=6 * HOUR)


def out_of_turn() -> Story:
    return begun(refit=SCHEDULE).tell([37, 2, 10], after=6 * HOUR)


@pytest.mark.parametrize(
    "story",
    [
        at_no_rules,
        too_early,
        too_early_after_another,
        too_early_after_a_pause,
        after_too_few_answers,
        twice,
        out_of_turn,
    ],
)
def test_a_refit_that_is_due_against_the_rules_is_reported(story: object) -> None:
    assert callable(story)
    told = story()
    assert broken(told) == [("refit-due", last(told), "RefitFellDue")]


def test_a_refit_that_is_not_the_next_is_reported() -> None:
    story = begun().tell(installed(2))

    assert broken(story) == [("model", last(story), "ModelInstalled")]
