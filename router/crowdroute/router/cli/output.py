"""What commands print: one JSON object for programs, tables and progress for people."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

WIDE = 10_000
"""Columns of what is no terminal: a program that reads a table must find whole ids in whole lines."""


def console() -> Console:
    """Give the console for people: colours on a terminal only."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def to_dict(message: Message) -> dict[str, Any]:
    """Give a message as JSON has it, with its own field names and every field present."""
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON object."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print a table, without a header when no columns are named, or one line when it has no rows."""
    table = Table(header_style="bold", box=None, pad_edge=False, show_header=bool(columns))
    for column in columns:
        table.add_column(column, overflow="fold")  # an id cut short is of no use
    count = 0
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
        count += 1
    if count:
        console().print(table)
    else:
        console().print(empty)


def progress() -> Progress:
    """Give a progress bar on standard error, so that standard output stays clean."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


@contextlib.contextmanager
def live_line() -> Iterator[Callable[[str], None]]:
    """Show what is being done, on standard error: one line that changes on a terminal, else a line for each
    change."""
    if not sys.stderr.isatty():
        yield lambda text: typer.echo(text, err=True)
        return
    with Console(stderr=True, highlight=False).status("") as status:
        yield lambda text: status.update(Text(text))


def percent(share: float | None) -> str:
    """Give a share as people read it, or a dash."""
    return "–" if share is None else f"{share:.1%}"
