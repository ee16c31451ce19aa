"""What differs between two versions of a project's rules, in the words of the document."""

from __future__ import annotations

from typing import NamedTuple

from crowdroute.router.model.rules import Field, ProjectRules
from crowdroute.router.rules.describe import document_of
from crowdroute.router.rules.document import ONLY_FIELD
from crowdroute.router.rules.paths import Path, write_path
from crowdroute.router.rules.references import References

Plain = str | int | float | bool | tuple[str, ...]

IN_USE = "in use"
REMOVED = "removed"

_ORDER = ("labels", "fields", "guideline", "routing", "quality", "people", "money")


class Change(NamedTuple):
    """One value that differs."""

    path: str
    """The key in the document; labels, fields, bonuses and bands by their ids: `labels['cat']`."""
    before: Plain | None
    """None: there was nothing."""
    after: Plain | None
    """None: there is nothing."""


def differences(
    before: ProjectRules, after: ProjectRules, references: References | None = None
) -> tuple[Change, ...]:
    """Give every value that differs, in the order of the document; version and code are not compared."""
    known = references or References()
    old, new = _values(before, known), _values(after, known)
    paths = sorted(dict.fromkeys((*old, *new)), key=lambda path: _ORDER.index(str(path[0])))
    return tuple(
        Change(write_path(path), old.get(path), new.get(path))
        for path in paths
        if old.get(path) != new.get(path)
    )


def _values(rules: ProjectRules, references: References) -> dict[Path, Plain]:
    values: dict[Path, Plain] = {}
    document = document_of(rules, references)
    for field in rules.fields:
        _add_labels(field, values)
    for key in _ORDER[2:]:
        _flatten((key,), document[key], values)
    return values


def _add_labels(field: Field, values: dict[Path, Plain]) -> None:
    here: Path = ("labels",) if field.id == ONLY_FIELD else ("fields", field.id, "labels")
    for label in field.labels:
        path = (*here, label.id)
        values[path] = REMOVED if label.removed else IN_USE
        if label.title:
            values[(*path, "title")] = label.title


def _flatten(path: Path, value: object, values: dict[Path, Plain]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten((*path, key), inner, values)
    elif isinstance(value, list):
        groups = [inner for inner in value if isinstance(inner, dict)]
        for group in groups:
            # What names an element: the id of a bonus, where a band begins.
            key = "id" if "id" in group else "from"
            rest = {name: inner for name, inner in group.items() if name != key}
            _flatten((*path, str(group[key])), rest, values)
        if value and not groups:
            values[path] = tuple(value)
    elif isinstance(value, str | int | float):
        values[path] = value
