"""libyaml's complaints in the words of people who write rules."""

from __future__ import annotations

from typing import NamedTuple

import yaml

INDENT = "line it up with the keys or dashes that belong beside it"

_ADVICE = {
    "mapping values are not allowed in this context": (
        "a second `key:` stands where only a value can",
        "check the indentation, or put text that holds a colon in quotes",
    ),
    "did not find expected key": ("a key should stand here", INDENT),
    "did not find expected '-' indicator": ("a dash should stand here", INDENT),
    "did not find expected <document start>": ("this line is not part of anything above it", INDENT),
    "did not find expected ',' or ']'": ("the list in brackets is not closed", "add the missing , or ]"),
    "did not find expected ',' or '}'": ("the group in braces is not closed", "add the missing , or }"),
    "did not find expected node content": ("a value should stand here", "write it, or close the bracket"),
    "could not find expected ':'": (
        "a key without a colon",
        "write `key: value`, with a space after the colon",
    ),
    "found unexpected end of stream": ("the quotes opened here are never closed", "add the closing quote"),
    "found unknown escape character": (
        "a backslash and a letter that means nothing",
        "write \\\\ for a backslash, or use 'single quotes'",
    ),
}
"""By libyaml's words: what is wrong, and what to do."""

_OPENED = frozenset({"found unexpected end of stream", "did not find expected ',' or ']'"})
"""Complaints that are understood where the thing began, not where the reader gave up."""


class Place(NamedTuple):
    """Line and column from 0."""

    line: int
    column: int


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[Place, str, str]:
    """Give where a document cannot be read, why, and what to do."""
    problem = error.problem or "it cannot be read"
    mark = error.problem_mark or error.context_mark
    if problem in _OPENED and error.context_mark is not None:
        mark = error.context_mark
    place = Place(0, 0) if mark is None else Place(mark.line, mark.column)
    if problem == "found character that cannot start any token" and mark is not None:
        character = text[mark.index : mark.index + 1]
        return place, f"a value cannot begin with {character!r}", "put the value in quotes"
    what, advice = _ADVICE.get(problem, (problem, "check the indentation, quotes and brackets around it"))
    return place, what, advice
