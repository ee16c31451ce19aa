"""What is wrong with a document, all of it at once, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import SupportsIndex

from crowdroute.router.errors import Category, Refusal

MOST_PROBLEMS = 100
"""Problems collected before reading stops: more are never read, and a hostile document could hold 100,000."""

SHOWN = 20
"""Problems written out in the message, which must fit into the 8 KiB of gRPC trailers; `problems` has all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document."""

    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    path: str
    """The key, for example `quality.overlap.minimum` or `fields[0].labels[2]`; empty: the whole document."""
    what: str
    advice: str
    """What to do about it."""
    template: str = ""
    """The template that the line is in; empty: the document itself."""

    def __str__(self) -> str:
        """Write the problem as one line for people."""
        where = f"line {self.line}, column {self.column}"
        if self.template:
            where = f"template {self.template}, {where}"
        subject = f"{self.path}: " if self.path else ""
        return f"{where}: {subject}{self.what}; {self.advice}"


class RulesError(Refusal):
    """A rules document is not valid; `problems` has all that is wrong with it, in the order of its lines."""

    code = "RULES_INVALID"
    category = Category.INVALID

    def __init__(self, problems: Iterable[Problem], details: Mapping[str, str] | None = None) -> None:
        """Write the message from the problems; there is at least one."""
        ordered = sorted(problems, key=lambda one: (bool(one.template), one.template, one.line, one.column))
        self.problems = tuple(ordered)
        count = len(self.problems)
        heading = "1 problem" if count == 1 else f"{count} problems"
        lines = [f"the rules have {heading}:", *(f"  {problem}" for problem in self.problems[:SHOWN])]
        if count > SHOWN:
            lines.append(f"  and {count - SHOWN} more")
        super().__init__("\n".join(lines), details)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[object, ...]:
        """Keep the problems when the error crosses a process boundary."""
        return type(self), (self.problems, self.details)
