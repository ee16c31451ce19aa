"""The text of a document before its notation is looked at: size, encoding, and characters nobody can see."""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from crowdroute.router.rules.errors import MOST_PROBLEMS, Problem

MOST_BYTES = 256 * 1024
"""Bytes, or characters of text that is decoded already: bounds the time that a hostile document costs."""

# What YAML calls non-printable, and the line breaks that editors and libyaml count differently.
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAB_INDENT = re.compile(r"(?:^|[\r\n]) *(\t)")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Position(NamedTuple):
    """A place in a text; both numbers from 1."""

    line: int
    column: int


def decode(source: str | bytes) -> tuple[str, list[Problem]]:
    """Give the text of a document, and what makes it unreadable; with any problem, do not use the text."""
    if len(source) > MOST_BYTES:
        limit = f"rules have at most {MOST_BYTES // 1024} KiB; items and workers do not belong here"
        return "", [_problem("", "the document is too long", limit)]
    try:
        raw = source.encode() if isinstance(source, str) else source
        text = raw.decode().removeprefix("\ufeff")
    except UnicodeEncodeError as error:
        return "", [
            _problem(error.object[: error.start], "half of a surrogate pair stands here", "delete it")
        ]
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        before = error.object[: error.start].decode()
        return "", [_problem(before, f"byte 0x{byte:02x} is not UTF-8", "save the file as UTF-8")]
    return text, _hidden(text)


def _hidden(text: str) -> list[Problem]:
    """Find what libyaml would report less clearly, or not at all."""
    problems: list[Problem] = []
    character = _UNREADABLE.search(text)
    if character:
        what = f"the invisible character U+{ord(character.group()):04X} stands here"
        problems.append(_problem(text[: character.start()], what, "delete it"))
    advice = "use spaces; set the editor to insert spaces for tabs"
    for tab in islice(_TAB_INDENT.finditer(text), MOST_PROBLEMS - len(problems)):
        problems.append(_problem(text[: tab.start(1)], "a tab is used for indentation", advice))
    return problems


def _problem(before: str, what: str, advice: str) -> Problem:
    """Make a problem at the place that follows a text."""
    breaks = list(_LINE_BREAK.finditer(before))
    start = breaks[-1].end() if breaks else 0
    return Problem(len(breaks) + 1, len(before) - start + 1, "", what, advice)
