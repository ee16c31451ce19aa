"""What a report is made of, whatever it is written as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure to see first."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; numbers stand at the end of their cell."""

    name: str
    align: Literal["start", "end"] = "start"


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry of a table: text, and a small picture (SVG) that says the same where pictures can be."""

    text: str
    picture: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, as many cells as columns; ``note`` says what was left out."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart with a sentence that says how to read it, and the same figures as a table for who cannot."""

    title: str
    svg: str
    caption: str
    table: Table
    wide: bool = True
    """Whether it takes the whole width of a page, or shares it with its neighbour."""


@dataclass(frozen=True, slots=True)
class Section:
    """One question and what answers it."""

    title: str
    text: str
    blocks: tuple[Picture | Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report."""

    title: str
    subtitle: str
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    footer: str = ""


def table(*names: str, rows: list[tuple[str | Cell, ...]], note: str = "", numbers: int = 0) -> Table:
    """Build a table from texts; the last ``numbers`` columns hold numbers."""
    first_number = len(names) - numbers
    columns = tuple(
        Column(name, "end" if place >= first_number else "start") for place, name in enumerate(names)
    )
    cells = tuple(tuple(one if isinstance(one, Cell) else Cell(one) for one in row) for row in rows)
    return Table(columns, cells, note)


def percent(share: float) -> str:
    """Write a share as people read it."""
    return f"{share:.1%}"


def span(lower: float, upper: float) -> str:
    """Write the bounds of an interval of shares."""
    return f"{lower:.1%} – {upper:.1%}"


def count(number: int) -> str:
    """Write a whole number with its thousands apart."""
    return f"{number:,}"
