"""How `crowdroute top` draws running engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from crowdroute.router.cli.top_look import Told

NOTHING = "–"

HEALTHY = "SERVING"

MOST_SHARDS = 8
"""Shards of a process that are named; a row must stay a row."""


def draw(seen: Told) -> RenderableType:
    """Draw one moment: a line of sums, the processes, the projects."""
    total = seen.total
    head = Text(
        f"{total['answers_per_second']:.1f} answers/s   {total['workers_busy']} workers busy   "
        f"{total['open']} open   {total['leased']} leased   {total['finalised']} finalised",
        style="bold",
    )
    if seen.trouble:
        return Group(Text(seen.trouble, style="bold red"), Text(), _processes(seen.processes))
    return Group(head, Text(), _processes(seen.processes), Text(), _projects(seen.projects))


def _table(columns: Sequence[str]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column(columns[0], overflow="fold")
    table.add_column(columns[1])
    for column in columns[2:]:
        table.add_column(column, justify="right")
    return table


def _processes(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    measured = any("state" in row for row in rows)
    columns = ["process", "health"]
    if measured:
        columns += ["shards", "calls/s", "commit p50", "p99", "streams", "feed lag", "outbox lag", "memory"]
    table = _table(columns)
    for row in rows:
        health = Text(row["health"].lower(), style="green" if row["health"] == HEALTHY else "bold red")
        cells: list[Any] = [row["address"], health]
        if "state" in row:
            commit = row["commit_seconds"]
            cells += [
                _shards(row["shards"]),
                _number(row["calls_per_second"]),
                _time(commit["p50"]),
                _time(commit["p99"]),
                _number(row["work_streams"]),
                _number(row["feed_lag_records"]),
                _number(row["outbox_lag_batches"]),
                _memory(row["memory_bytes"]),
            ]
        elif measured:
            cells += [NOTHING] * (len(columns) - 2)
        table.add_row(*cells)
    return table


def _projects(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    if not rows:
        return Text("no projects")
    counts = ("open", "leased", "finalised", "parked", "answers")
    table = _table(("project", "state", *counts, "answers/s", "busy", "waiting"))
    for row in sorted(rows, key=lambda row: (-row["answers_per_second"], -row["open"], row["project"])):
        table.add_row(
            row["project"],
            Text(row["state"], style="" if row["state"] == "active" else "yellow"),
            *(str(row[name]) for name in counts),
            f"{row['answers_per_second']:.1f}",
            str(row["workers_busy"]),
            str(row["requests_waiting"]),
        )
    return table


def _shards(shards: Mapping[str, int]) -> str:
    names = sorted(shards, key=int)
    more = f" +{len(names) - MOST_SHARDS}" if len(names) > MOST_SHARDS else ""
    return " ".join(names[:MOST_SHARDS]) + more or NOTHING


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:g}"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return NOTHING
    return "> 2.5 s" if seconds == float("inf") else f"≤ {seconds * 1e3:g} ms"


def _memory(size: float | None) -> str:
    return NOTHING if size is None else f"{size / 2**20:.0f} MiB"
