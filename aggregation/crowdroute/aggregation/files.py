"""Reading single-choice labels and gold from files: CSV, JSON lines or Parquet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.coding import Repeats
from crowdroute.aggregation.errors import RepeatedAnnotationError, UnreadableFileError
from crowdroute.aggregation.file_tables import Table, as_text, read_table

COLUMNS = ("task", "worker", "label")
GOLD_COLUMNS = ("task", "label")


def read_annotations(path: str | Path, *, repeats: Repeats = "refuse") -> AnnotationSet:
    """Read ``task,worker,label[,timestamp][,seconds]`` from a file that ``read_table`` knows.

    Columns in any order; further ones are ignored, and so are blank lines. Timestamps are ISO 8601, taken as
    UTC where they name no zone; an empty time or duration is missing. Raises ``UnreadableFileError`` with
    file and line.
    """
    return annotations_of(read_table(path), repeats=repeats)


def annotations_of(table: Table, *, repeats: Repeats = "refuse") -> AnnotationSet:
    """Return the single-choice labels that a table holds; see ``read_annotations``."""
    tasks, workers, labels = (table.texts(name, COLUMNS) for name in COLUMNS)
    if not tasks:
        raise UnreadableFileError(f"{table.path} holds no labels: there is nothing below its first line")
    try:
        return AnnotationSet.from_sequences(
            tasks,
            workers,
            labels,
            repeats=repeats,
            timestamps=timestamps_of(table),
            seconds=seconds_of(table),
        )
    except RepeatedAnnotationError as error:
        raise repeated_in(table, error) from error


def read_gold(path: str | Path) -> dict[str, str]:
    """Read ``task,label`` from a file that ``read_table`` knows.

    A task may stand twice only with the same label; blank lines are ignored. Raises ``UnreadableFileError``
    with file and line.
    """
    return gold_of(read_table(path))


def gold_of(table: Table) -> dict[str, str]:
    """Return the gold that a table holds; see ``read_gold``."""
    gold: dict[str, str] = {}
    tasks, labels = (table.texts(name, GOLD_COLUMNS) for name in GOLD_COLUMNS)
    for row, (task, label) in enumerate(zip(tasks, labels, strict=True)):
        if gold.setdefault(task, label) != label:
            raise UnreadableFileError(
                f"{table.where(row)}: task {task!r} has gold {label!r} here, {gold[task]!r} above; keep one"
            )
    return gold


def repeated_in(table: Table, error: RepeatedAnnotationError) -> RepeatedAnnotationError:
    """Return the error with the places in the file instead of the numbers of the rows."""
    return RepeatedAnnotationError(
        error.task,
        error.worker,
        table.places[error.earlier],
        table.places[error.later],
        f"{table.path}, {table.unit}s",
    )


def timestamps_of(table: Table) -> NDArray[np.datetime64] | None:
    """Return the column ``timestamp`` (rows,), datetime64[ms], or None where no row has one."""
    moments = [_moment(value, table, row) for row, value in enumerate(table.columns.get("timestamp", ()))]
    when = np.array(moments, dtype="datetime64[ms]")
    return None if np.isnat(when).all() else when


def seconds_of(table: Table) -> NDArray[np.float64] | None:
    """Return the column ``seconds`` (rows,), NaN where missing, or None where no row has one."""
    spent = [_duration(value, table, row) for row, value in enumerate(table.columns.get("seconds", ()))]
    how_long = np.array(spent, dtype=np.float64)
    return None if np.isnan(how_long).all() else how_long


def _moment(value: Any, table: Table, row: int) -> np.datetime64:
    if value is None:
        return np.datetime64("NaT", "ms")
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(as_text(value))
    except ValueError as error:
        raise UnreadableFileError(f"{table.where(row)}: {value!r} is not an ISO 8601 time") from error
    # numpy keeps no zone, so the moment is expressed in UTC before it loses its own.
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, "ms")


def _duration(value: Any, table: Table, row: int) -> float:
    if value is None:
        return float("nan")
    try:
        spent = float(value)
    except (TypeError, ValueError) as error:
        raise UnreadableFileError(f"{table.where(row)}: {value!r} is not a number of seconds") from error
    if not 0.0 <= spent < float("inf"):
        raise UnreadableFileError(f"{table.where(row)}: {value!r} seconds is negative or not finite")
    return spent
