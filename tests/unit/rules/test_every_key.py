"""Each key of the structured part by itself: a wrong value, an unknown name and a repetition are told where
they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from crowdroute.router.model.ids import Kind
from crowdroute.router.rules.compile import compile_rules
from crowdroute.router.rules.errors import RulesError
from crowdroute.router.rules.references import References

TEXT = """\
schema: crowdroute.rules/v1
fields:
  - id: animal
    labels:
      - id: cat
        title: Cat
        removed: false
      - dog
      - cow
guideline: https://example.org/guide
routing:
  policy: information_gain
  exploration: 2%
  window: 300
  priority: 1
  lease:
    duration: 20m
    extensions: 2
    attempts: 4
    per_worker: 3
quality:
  overlap:
    minimum: 2
    maximum: 7
  stopping:
    target: 0.97
    at_maximum: escalate
  gold:
    share: 5%
    first: 6
  review:
    mode: enforce
    threshold: 0.8
    share: 3%
  refit:
    every: 6h
    answers: 500
people:
  skills:
    law: 0.5
  languages:
    - de
  pools:
    - munich
  vendors:
    - acme
  humans_only: true
money:
  currency: EUR
  crowd: "0.02"
  senior: "0.05"
  expert: "0.90"
  bonuses:
    - id: weekly
      mode: enforce
      least_checked: 20
      period: 7d
      bands:
        - from: 0.8
          amount: "1.50"
"""
REFERENCES = References({"munich": bytes([1] * 16)}, {"acme": bytes([2] * 16)})


class Place(NamedTuple):
    """One key, or one member of a list, of the document."""

    name: str
    key: yaml.Node | None
    value: yaml.Node


def walk(node: yaml.Node, name: str = "") -> Iterator[Place]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{name}.{key.value}" if name else str(key.value)
            yield Place(inner, key, value)
            yield from walk(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield Place(f"{name}[{number}]", None, value)
            yield from walk(value, f"{name}[{number}]")


PLACES = tuple(walk(yaml.compose(TEXT)))
LEAVES = [place for place in PLACES if isinstance(place.value, yaml.ScalarNode)]
KEYS = [place for place in PLACES if place.key is not None]


def with_text(node: yaml.Node, text: str) -> str:
    """Give the document with other text in the place of a node."""
    return TEXT[: node.start_mark.index] + text + TEXT[node.end_mark.index :]


def found(text: str) -> list[tuple[int, int]]:
    with pytest.raises(RulesError) as caught:
        compile_rules(text, 1, None, REFERENCES)
    return [(problem.line, problem.column) for problem in caught.value.problems]


def where(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def test_the_document_holds_every_key_there_is() -> None:
    assert compile_rules(TEXT, 1, None, REFERENCES).version == 1
    assert REFERENCES.find(Kind.POOL, "munich") is not None
    schema = json.loads((Path(__file__).parents[3] / "docs" / "rules.schema.json").read_text())
    there = {place.name.rpartition(".")[2] for place in KEYS}
    assert set(_properties(schema)) - there == {"extends"}


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for inner in schema.values():
            yield from _properties(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _properties(inner)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda place: place.name)
def test_a_value_of_the_wrong_kind_is_told_where_it_stands(leaf: Place) -> None:
    # A list where none may be stands at its key, as what is missing after a key does.
    stands = leaf.value if leaf.key is None else leaf.key
    assert found(with_text(leaf.value, "[[]]")) == [where(stands)]


@pytest.mark.parametrize("place", KEYS, ids=lambda place: place.name)
def test_a_misspelt_key_is_told_where_it_stands(place: Place) -> None:
    if place.name == "people.skills.law":
        return  # any name is a skill
    assert place.key is not None
    assert where(place.key) in found(with_text(place.key, f"{place.key.value}x"))


@pytest.mark.parametrize("place", KEYS, ids=lambda place: place.name)
def test_a_repeated_key_is_told_where_it_stands_again(place: Place) -> None:
    assert place.key is not None
    begin = place.key.start_mark
    line = f"{place.key.value}: again\n{' ' * begin.column}"
    told = found(TEXT[: begin.index] + line + TEXT[begin.index :])
    assert (begin.line + 2, begin.column + 1) in told
