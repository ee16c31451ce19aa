"""A document laid over the template that it extends, remembering what came from where.

Groups are merged key by key; lists, skills and plain values are taken whole. What the document says stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from crowdroute.router.rules.errors import Problem
from crowdroute.router.rules.outline import fields_of, group_of, section_at
from crowdroute.router.rules.paths import Path, write_path
from crowdroute.router.rules.source import Position
from crowdroute.router.rules.strict_yaml import Tree

DOCUMENT = ""
"""Names the document itself among the sources."""

_EITHER = frozenset({"labels", "fields"})
"""Two ways to write the same: who writes one does not want the template's other."""


@dataclass(frozen=True, slots=True)
class Merged:
    """One document out of one or two texts."""

    value: dict[str, object]
    trees: Mapping[str, Tree]
    """By the template's name; `DOCUMENT`: the document."""
    origins: Mapping[Path, str]
    """The source of a value and of all within it, unless a longer path says otherwise."""

    def origin(self, path: Path) -> str:
        """Give the source of what stands at a path."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return DOCUMENT

    def written(self, path: Path) -> str | None:
        """Give a plain value as it is written; None for groups and lists."""
        return self.trees[self.origin(path)].written.get(path)

    def problem(self, path: Path, what: str, advice: str, at_key: bool = False) -> Problem:
        """Make a problem at a path, or at the nearest thing around it that is written down."""
        source = self.origin(path)
        tree = self.trees[source]
        while path and path not in tree.values:
            path = path[:-1]
        position = tree.values.get(path, Position(1, 1))
        if at_key or path not in tree.written:
            position = tree.keys.get(path, position)
        return Problem(position.line, position.column, write_path(path), what, advice, source)


def alone(tree: Tree) -> Merged:
    """Take a document that extends nothing."""
    return Merged(cast(dict[str, object], tree.value), {DOCUMENT: tree}, {})


def lay_over(tree: Tree, template: Tree, name: str) -> Merged:
    """Lay a document over a template; both are groups of keys, and the document has a schema and extends."""
    origins: dict[Path, str] = {}
    own = cast(dict[str, object], tree.value)
    base = cast(dict[str, object], template.value)
    if _EITHER & own.keys():
        base = {key: value for key, value in base.items() if key not in _EITHER}
    value = _merge((), own, base, name, origins)
    return Merged(value, {DOCUMENT: tree, name: template}, origins)


def _merge(
    path: Path, own: dict[str, object], base: dict[str, object], name: str, origins: dict[Path, str]
) -> dict[str, object]:
    section = section_at(path)
    fields = {} if section is None else fields_of(section)
    merged = dict(own)
    for key, value in base.items():
        here = (*path, key)
        if key not in own:
            merged[key] = value
            origins[here] = name
            continue
        mine = own[key]
        field = fields.get(key)
        if field and group_of(field) and isinstance(mine, dict) and isinstance(value, dict):
            merged[key] = _merge(here, mine, value, name, origins)
    return merged
