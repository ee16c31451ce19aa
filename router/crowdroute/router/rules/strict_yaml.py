"""YAML as a plain notation: text, numbers, true and false, lists and groups of keys, each with its place.

What makes YAML dangerous or surprising is refused: anchors, aliases, tags, merge keys, directives, duplicate
keys, several documents, empty values, tabs in the indentation, depth and size beyond what rules need. Nothing
is coerced: only `true` and `false` are truth values, only plain decimal digits are numbers, and all else is
text as written (`yes`, `12:30:45`, `1_000`, `017`, `2024-05-01`), so that a wrong kind of value is found when
the document is validated.

libyaml's events are read one by one and reading stops at the first level too deep: its composer recurses, and
its scanner takes minutes for 200,000 opening brackets.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from crowdroute.router.rules.errors import MOST_PROBLEMS, Problem
from crowdroute.router.rules.paths import Path, write_path
from crowdroute.router.rules.source import Position, decode
from crowdroute.router.rules.syntax import explain

MOST_DEPTH = 20
"""Lists and groups within one another; rules need 6."""

MOST_VALUES = 20_000
"""Enough for 12 fields of 512 labels with titles. Each costs tens of microseconds until it is validated."""

LONGEST_INTEGER = 15
"""Digits: what every reader of JSON and YAML holds exactly (2**53 has 16)."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_FRACTION = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,4})?", re.ASCII)
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


class Unreadable:
    """Stands where a value was refused already; fits no type, so that nothing is built on it."""


UNREADABLE = Unreadable()


@dataclass(frozen=True, slots=True)
class Tree:
    """A document as values, and where each of them stands.

    Groups are dicts, lists are tuples; the rest is str, int, float, bool, or `UNREADABLE`.
    """

    value: object
    values: Mapping[Path, Position]
    keys: Mapping[Path, Position]
    written: Mapping[Path, str]
    """The text of each scalar as it stands in the document, quotes apart."""
    problems: tuple[Problem, ...]


def read(source: str | bytes) -> Tree:
    """Read one document; whatever is wrong stands in `problems`, with as much read as can be relied on."""
    text, problems = decode(source)
    builder = _Builder(problems=problems)
    if not problems:
        builder.read(text)
    return Tree(builder.root, builder.values, builder.keys, builder.written, tuple(builder.problems))


class _Stopped(Exception):
    """Nothing after this point can be read."""


@dataclass(slots=True)
class _Open:
    """A list or group whose end was not read yet."""

    path: Path
    items: list[object] | None
    group: dict[str, object] | None
    key: str | None = None
    """The key whose value comes next."""
    dropped: bool = False
    """The key was refused, so that its value is read for its own problems alone."""


@dataclass(slots=True)
class _Builder:
    root: object = UNREADABLE
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    written: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    documents: int = 0

    def report(self, at: Position, path: Path, what: str, advice: str) -> None:
        self.problems.append(Problem(at.line, at.column, write_path(path), what, advice))
        if len(self.problems) >= MOST_PROBLEMS:
            raise _Stopped

    def stop(self, at: Position, path: Path, what: str, advice: str) -> None:
        self.report(at, path, what, advice)
        raise _Stopped

    def read(self, text: str) -> None:
        try:
            for event in yaml.parse(text, Loader=yaml.CSafeLoader):
                self.take(event)
            if not self.documents:
                self.report(
                    Position(1, 1), (), "the document is empty", "begin it with: schema: crowdroute.rules/v1"
                )
        except yaml.MarkedYAMLError as error:
            place, what, advice = explain(error, text)
            self.problems.append(Problem(place.line + 1, place.column + 1, self.where(), what, advice))
        except _Stopped:
            pass

    def where(self) -> str:
        return write_path(self.next_path()) if self.stack else ""

    def next_path(self) -> Path:
        if not self.stack:
            return ()
        parent = self.stack[-1]
        if parent.items is not None:
            return (*parent.path, len(parent.items))
        return parent.path if parent.key is None else (*parent.path, parent.key)

    def take(self, event: yaml.Event) -> None:
        mark = event.start_mark
        at = Position(1, 1) if mark is None else Position(mark.line + 1, mark.column + 1)
        match event:
            case yaml.DocumentStartEvent():
                self.begin(event, at)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self.close()
            case yaml.AliasEvent():
                self.require_no_key(at)
                self.refuse_anchor(at, f"the alias *{event.anchor}")
                self.attach(UNREADABLE, at)
            case yaml.ScalarEvent():
                self.scalar(event, at)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self.require_no_key(at)
                self.check_plain(event, at)
                self.open(event, at)

    def begin(self, event: yaml.DocumentStartEvent, at: Position) -> None:
        self.documents += 1
        if self.documents > 1:
            self.root = UNREADABLE  # nobody knows which of them is meant
            self.stop(at, (), "a second document begins here", "keep one document per file")
        if event.version or event.tags:
            self.report(at, (), "a % directive is not read", "delete the line that begins with %")

    def check_plain(self, event: yaml.NodeEvent, at: Position) -> None:
        if event.anchor:
            self.refuse_anchor(at, f"the anchor &{event.anchor}")
        tag = getattr(event, "tag", None)
        if tag:
            self.report(
                at,
                self.next_path(),
                f"the tag {str(tag)[:64]} is not read",
                'write the value itself, in "quotes" if it is text that looks like a number',
            )

    def refuse_anchor(self, at: Position, what: str) -> None:
        self.report(
            at, self.next_path(), f"{what[:64]} is not read", "write the value out where it is needed"
        )

    def require_no_key(self, at: Position) -> None:
        """Refuse anything but text where a key belongs."""
        if self.expects_key():
            path = self.stack[-1].path
            self.stop(at, path, "a key must be text", "write `key: value` with a plain word as the key")

    def expects_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].group is not None and self.stack[-1].key is None

    def open(self, event: yaml.CollectionStartEvent, at: Position) -> None:
        path = self.next_path()
        if len(self.stack) >= MOST_DEPTH:
            self.stop(
                at,
                (),
                f"more than {MOST_DEPTH} levels within one another",
                "rules need 6: look for brackets or dashes too many",
            )
        self.place(path, at)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        self.stack.append(_Open(path, [] if is_list else None, None if is_list else {}))

    def place(self, path: Path, at: Position) -> None:
        self.values.setdefault(path, at)
        if len(self.values) > MOST_VALUES:
            self.stop(
                at, (), f"more than {MOST_VALUES} values", "rules are shorter: items do not belong here"
            )

    def close(self) -> None:
        ended = self.stack.pop()
        value = ended.group if ended.items is None else tuple(ended.items)
        self.attach(value, self.values[ended.path])

    def attach(self, value: object, at: Position) -> None:
        self.place(self.next_path(), at)
        if not self.stack:
            self.root = value
            return
        parent = self.stack[-1]
        if parent.items is not None:
            parent.items.append(value)
        elif parent.group is not None and parent.key is not None:
            if not parent.dropped:
                parent.group[parent.key] = value
            parent.key = None

    def scalar(self, event: yaml.ScalarEvent, at: Position) -> None:
        if self.expects_key():
            self.key(event, at)
            return
        path = self.next_path()
        before = len(self.problems)
        self.check_plain(event, at)
        self.written.setdefault(path, event.value)
        value: object = event.value
        if len(self.problems) > before:
            value = UNREADABLE
        elif not event.style:
            value = self.plain(event.value, path, at)
        self.attach(value, at)

    def key(self, event: yaml.ScalarEvent, at: Position) -> None:
        group = self.stack[-1]
        self.check_plain(event, at)
        if not event.value:
            self.stop(at, group.path, "a key is missing before the colon", "write `key: value`")
        merging = event.value == "<<" and not event.style
        given = group.group is not None and event.value in group.group
        group.key = event.value
        group.dropped = merging or given
        path = self.next_path()
        if merging:
            advice = "write the keys out, or use `extends: template@version`"
            self.report(at, group.path, "merge keys (<<) are not read", advice)
        elif given:
            first = self.keys[path]
            what = f"this key is given twice, first in line {first.line}, column {first.column}"
            self.report(at, path, what, "keep one of the two")
        self.keys.setdefault(path, at)

    def plain(self, text: str, path: Path, at: Position) -> object:
        """Give the value of text without quotes."""
        if text in _NOTHING:
            where = self.keys.get(path, at)
            self.report(
                where,
                path,
                f"there is no value ({text})" if text else "there is no value",
                "write one, or leave the key out; a word such as null needs quotes to be text",
            )
            return UNREADABLE
        if text in ("true", "false"):
            return text == "true"
        if _INTEGER.fullmatch(text):
            if len(text.lstrip("-")) > LONGEST_INTEGER:
                self.report(
                    at,
                    path,
                    f"a whole number of {len(text.lstrip('-'))} digits would not stay exact",
                    f"write at most {LONGEST_INTEGER} digits, or put it in quotes if it is text",
                )
                return UNREADABLE
            return int(text)
        if _FRACTION.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                self.report(at, path, f"{text[:64]} is too large for a number", "write a smaller one")
                return UNREADABLE
            return number
        return text
