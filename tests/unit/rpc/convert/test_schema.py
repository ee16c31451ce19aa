"""Answers by label id outside and by code inside."""

from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crowdroute.api.v1 import types_pb2
from crowdroute.router.errors import InvalidCommand, UnknownLabel
from crowdroute.router.model.answers import Choice
from crowdroute.router.model.rules import Field, Label, ProjectRules
from crowdroute.router.rpc.convert.schema import Schema, field_message

FIELDS = (
    Field("animal", (Label("cat", "A cat"), Label("dog"), Label("unicorn", removed=True))),
    Field("mood", (Label("happy"), Label("sad"))),
)
SCHEMA = Schema(ProjectRules(3, FIELDS, guideline="Look."))

answers = st.permutations(range(2)).flatmap(
    lambda order: st.tuples(st.integers(0, 1), st.integers(0, 1)).map(
        lambda codes: tuple(Choice(field, codes[field]) for field in order)
    )
)


@given(answers)
def test_an_answer_survives_the_wire_in_the_order_of_the_fields(answer: tuple[Choice, ...]) -> None:
    assert SCHEMA.answer_of(SCHEMA.values_of(answer)) == tuple(sorted(answer, key=lambda value: value.field))


def test_codes_are_written_where_there_is_an_answer() -> None:
    assert SCHEMA.coded_values([-1, 1]) == {"mood": types_pb2.Value(label="sad")}


@pytest.mark.parametrize(
    ("values", "error", "field"),
    [
        ({"animal": types_pb2.Value(label="cow")}, UnknownLabel, "answers.animal"),
        ({"colour": types_pb2.Value(label="cat")}, UnknownLabel, "answers.colour"),
        ({"animal": types_pb2.Value()}, InvalidCommand, "answers.animal"),
        ({"animal": types_pb2.Value(label="")}, UnknownLabel, "answers.animal"),
    ],
)
def test_what_the_schema_does_not_have_is_refused(
    values: dict[str, types_pb2.Value], error: type[InvalidCommand], field: str
) -> None:
    with pytest.raises(error) as refused:
        SCHEMA.answer_of(values)
    assert refused.value.details == {"field": field}


def test_the_json_schema_takes_what_the_engine_takes() -> None:
    document = json.loads(SCHEMA.json)
    jsonschema.Draft202012Validator.check_schema(document)
    valid = jsonschema.Draft202012Validator(document).is_valid

    assert valid({"animal": "cat", "mood": "sad"})
    assert not valid({"animal": "cat"})
    assert not valid({"animal": "cow", "mood": "sad"})
    assert not valid({"animal": "unicorn", "mood": "sad"}), "a removed label takes no answers"
    assert not valid({"animal": "cat", "mood": "sad", "colour": "red"})


def test_a_guideline_is_known_by_its_digest() -> None:
    same, other = (
        Schema(ProjectRules(4, FIELDS, guideline="Look.")),
        Schema(ProjectRules(4, FIELDS, guideline="!")),
    )
    assert SCHEMA.guideline_digest == same.guideline_digest != other.guideline_digest


def test_a_field_is_written_with_all_its_labels() -> None:
    message = field_message(FIELDS[0])
    assert [(label.id, label.title, label.removed) for label in message.labels] == [
        ("cat", "A cat", False),
        ("dog", "", False),
        ("unicorn", "", True),
    ]
