"""Words that explanations share."""

from __future__ import annotations

import pytest

from crowdroute.router.model.rules import Field, Label
from crowdroute.router.rpc.operations import wording
from crowdroute.workers.reliability import accuracy_interval

ONE = (Field("label", (Label("cat"), Label("dog"))),)
TWO = (*ONE, Field("colour", (Label("black"), Label("white"))))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0 %"), (0.5, "50.0 %"), (0.9994, "over 99.9 %"), (0.99999, "over 99.9 %"), (1.0, "100.0 %")],
)
def test_a_probability_is_never_rounded_to_certainty(value: float, text: str) -> None:
    assert wording.share(value) == text


def test_numbers_of_answers_read_as_people_write_them() -> None:
    assert [wording.answers(count) for count in (0, 1, 2)] == ["0 answers", "1 answer", "2 answers"]


def test_fields_are_named_where_there_are_several() -> None:
    assert wording.labels_text(ONE, [1]) == "dog"
    assert wording.labels_text(TWO, [0, 1]) == "label = cat, colour = white"
    assert wording.labels_text(TWO, [-1, 1]) == "colour = white"
    assert wording.labels_text(TWO, [-1, -1]) == "nothing"


def test_accuracy_is_told_with_its_interval_and_what_it_rests_on() -> None:
    assert wording.accuracy_text(accuracy_interval(0, 0)) == "no checked answers yet"
    text = wording.accuracy_text(accuracy_interval(9, 10))
    assert text.startswith("accuracy 84.6 % (")
    assert text.endswith("9 of 10 checked answers right")
