"""Answers by field and label id outside, by code inside, as one version of a project's rules says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec

from crowdroute.api.v1 import projects_pb2, types_pb2
from crowdroute.router.errors import InvalidCommand, UnknownLabel
from crowdroute.router.model.answers import Answer, Choice
from crowdroute.router.model.rules import Field, Label, ProjectRules

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Schema:
    """The fields and labels of one version of the rules, and its guideline."""

    def __init__(self, rules: ProjectRules) -> None:
        self.fields = rules.fields
        self.version = rules.version
        self.guideline = rules.guideline
        self.guideline_digest = sha256(rules.guideline.encode()).hexdigest()
        self._codes = {
            field.id: (place, {label.id: code for code, label in enumerate(field.labels)})
            for place, field in enumerate(rules.fields)
        }
        self.json = json_schema(rules.fields)
        """JSON Schema of an answer."""

    def answer_of(self, values: Mapping[str, types_pb2.Value]) -> Answer:
        """Read an answer, in the order of the schema's fields.

        Raises:
            UnknownLabel: a field or label is not in the schema.
            InvalidCommand: a field has no value.
        """
        choices = []
        for name, value in values.items():
            known = self._codes.get(name)
            where = {"field": f"answers.{name[:64]}"}
            if known is None:
                names = ", ".join(self._codes)
                raise UnknownLabel(f"the schema has no field {name[:64]!r}; its fields are: {names}", where)
            if value.WhichOneof("kind") is None:
                raise InvalidCommand(f"field {name!r} has no value: give a label", where)
            place, codes = known
            code = codes.get(value.label)
            if code is None:
                labels = ", ".join(label.id for label in self.fields[place].labels if not label.removed)
                raise UnknownLabel(
                    f"field {name!r} has no label {value.label[:64]!r}; its labels are: {labels[:500]}", where
                )
            choices.append(Choice(place, code))
        if len(choices) > 1:
            choices.sort(key=_place)
        return tuple(choices)

    def values_of(self, answer: Answer) -> dict[str, types_pb2.Value]:
        """Write an answer."""
        return {
            self.fields[choice.field].id: types_pb2.Value(
                label=self.fields[choice.field].labels[choice.label].id
            )
            for choice in answer
        }

    def coded_values(self, codes: Sequence[int]) -> dict[str, types_pb2.Value]:
        """Write an answer that is given as the label code per field, -1 for none."""
        return self.values_of(tuple(Choice(place, code) for place, code in enumerate(codes) if code >= 0))


def json_schema(fields: Sequence[Field]) -> str:
    """Give the JSON Schema of an answer: one required property per field, its labels as constants."""
    properties = {
        field.id: {
            "type": "string",
            "oneOf": [_constant(label) for label in field.labels if not label.removed],
        }
        for field in fields
    }
    schema = {
        "$schema": DIALECT,
        "type": "object",
        "properties": properties,
        "required": [field.id for field in fields],
        "additionalProperties": False,
    }
    return msgspec.json.encode(schema).decode()


def _constant(label: Label) -> dict[str, str]:
    return {"const": label.id, "title": label.title} if label.title else {"const": label.id}


def _place(choice: Choice) -> int:
    return choice.field


def field_message(field: Field) -> projects_pb2.Field:
    """Write a field with its labels."""
    return projects_pb2.Field(
        id=field.id,
        labels=[
            projects_pb2.Label(id=label.id, title=label.title, removed=label.removed)
            for label in field.labels
        ],
    )
