"""What pydantic finds wrong with a document, in the words of the people who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import Any

from pydantic_core import ErrorDetails

from crowdroute.router.rules.errors import Problem
from crowdroute.router.rules.outline import fields_of, homes, section_at
from crowdroute.router.rules.paths import Path
from crowdroute.router.rules.strict_yaml import UNREADABLE
from crowdroute.router.rules.template import Merged

_GROUP = ("a group of keys", "write its keys below it, indented by two spaces")
_WANTED = {
    "model_type": _GROUP,
    "dict_type": _GROUP,
    "tuple_type": ("a list", "write a dash before each element, or [one, another]"),
    "bool_type": ("true or false", "write true or false, without quotes"),
    "int_type": ("a whole number", "write plain digits, without quotes, separators or decimals"),
}
"""By pydantic's name of the error: the kind of value that is wanted, and how it is written."""

_COMPARED = 1_000
"""Choices that a wrong word is compared with: each costs up to tens of microseconds."""

_DECORATED = re.compile(r"[0-9]{1,3}([_', ][0-9]{3})+", re.ASCII)


def problem_of(error: ErrorDetails, merged: Merged) -> Problem | None:
    """Put one error into words; None when the value was refused before it came to validation."""
    path: Path = tuple(step for step in error["loc"] if step != "[key]")
    if _refused_before(path, merged.value):
        return None
    kind = error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    value = error["input"]
    written = merged.written(path)
    if kind == "missing":
        what = f"the key {str(path[-1])!r} is missing"
        return merged.problem(path, what, "add it", at_key=True)
    if kind == "extra_forbidden":
        return merged.problem(path, f"there is no key {str(path[-1])[:64]!r} here", _other_key(path), True)
    if kind == "rules_unfit":
        if context["place"] is not None:
            path = (*path, context["place"])
        return merged.problem(path, context["what"], context["advice"])
    if kind == "rules_expected":
        text = str(value) if written is None else written
        advice = context["advice"].replace("{written}", text[:64]) or "see docs/rules.md"
        return merged.problem(path, f"{_found(value, written)} is not {context['wanted']}", advice)
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        what = f"{_found(value, written)} is not one of {', '.join(choices)}"
        return merged.problem(path, what, did_you_mean(str(value), choices) or "write one of them")
    if kind in ("greater_than_equal", "less_than_equal"):
        low = kind == "greater_than_equal"
        bound = context["ge" if low else "le"]
        what = f"{value} is {'below' if low else 'above'} {bound}"
        return merged.problem(path, what, f"write at {'least' if low else 'most'} {bound}")
    if kind in _WANTED:
        wanted, advice = _WANTED[kind]
        if kind == "int_type" and isinstance(value, str) and _DECORATED.fullmatch(value):
            advice = f"write {re.sub('[^0-9]', '', value)}"
        return merged.problem(path, f"{_found(value, written)} is not {wanted}", advice)
    return merged.problem(path, error["msg"], "see docs/rules.md")


def did_you_mean(written: str, choices: Iterable[str]) -> str:
    """Give `did you mean 'x'?` for the choice nearest to what was written; empty when none is near."""
    near = get_close_matches(written[:64], islice(choices, _COMPARED), n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def _other_key(path: Path) -> str:
    key = str(path[-1])
    section = section_at(path[:-1])
    choices = [] if section is None else list(fields_of(section))
    near = did_you_mean(key, choices)
    if near:
        return near
    home = homes().get(key)
    if home:
        return f"it belongs under {home}"
    return f"the keys here are {', '.join(choices)}"


def _found(value: object, written: str | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {(written or str(value))[:64]}"
    if isinstance(value, str):
        return f"the text {value[:64]!r}"
    return "a list" if isinstance(value, tuple) else "a group of keys"


def _refused_before(path: Path, value: object) -> bool:
    """Say whether the value at a path, or one around it, could not be read."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, tuple) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return False
        if value is UNREADABLE:
            return True
    return False
