"""Which keys may stand where, read off the document's classes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import get_args

from pydantic.fields import FieldInfo

from crowdroute.router.rules.document import Document, Section
from crowdroute.router.rules.paths import Path


def fields_of(section: type[Section]) -> dict[str, FieldInfo]:
    """Give a group's fields by the key that people write."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def group_of(field: FieldInfo) -> type[Section] | None:
    """Give the class of the group that the value of a key is; None for lists and plain values."""
    annotation = field.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, Section) else None


def sections(section: type[Section] = Document) -> Iterator[type[Section]]:
    """Yield a group's class and all that stand in it, lists' elements too, in the order of the document."""
    yield section
    for field in section.model_fields.values():
        inner = _within(field.annotation)
        if inner is not None:
            yield from sections(inner)


def section_at(path: Path) -> type[Section] | None:
    """Give the class of the group at a path; None when it leads to a value, or nowhere."""
    section: type[Section] = Document
    for step in path:
        if isinstance(step, int):
            continue
        field = fields_of(section).get(step)
        inner = None if field is None else _within(field.annotation)
        if inner is None:
            return None
        section = inner
    return section


@cache
def homes() -> dict[str, str]:
    """Give, for every key that stands in one group only, that group as people write it."""
    found: dict[str, set[str]] = {}
    for path, section in _groups((), Document):
        for key in fields_of(section):
            found.setdefault(key, set()).add(".".join(path))
    return {key: places.pop() for key, places in found.items() if len(places) == 1}


def _groups(path: tuple[str, ...], section: type[Section]) -> Iterator[tuple[tuple[str, ...], type[Section]]]:
    yield path, section
    for key, field in fields_of(section).items():
        inner = group_of(field)
        if inner is not None:
            yield from _groups((*path, key), inner)


def _within(annotation: object) -> type[Section] | None:
    """Find the group's class in an annotation such as `tuple[Label, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in get_args(annotation):
        found = _within(argument)
        if found is not None:
            return found
    return None
