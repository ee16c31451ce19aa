"""Reading labels and gold from CSV files, plain or compressed with gzip."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np

from crowdroute.aggregation.annotations import AnnotationSet
from crowdroute.aggregation.coding import Repeats
from crowdroute.aggregation.errors import RepeatedAnnotationError, UnreadableFileError


def read_annotations(path: str | Path, *, repeats: Repeats = "refuse") -> AnnotationSet:
    """Read ``task,worker,label[,timestamp][,seconds]`` from a ``.csv`` or ``.csv.gz`` file.

    The first line names the columns, in any order; further columns are ignored, and so are blank lines.
    Timestamps are ISO 8601, taken as UTC where they name no zone; an empty time or duration is missing.
    Raises ``UnreadableFileError`` with file and line.
    """
    lines: list[int] = []
    tasks: list[str] = []
    workers: list[str] = []
    labels: list[str] = []
    timestamps: list[np.datetime64] = []
    seconds: list[float] = []
    for line, (task, worker, label, moment, spent) in _rows(
        path, ("task", "worker", "label"), ("timestamp", "seconds")
    ):
        lines.append(line)
        tasks.append(task)
        workers.append(worker)
        labels.append(label)
        timestamps.append(_moment(moment, path, line))
        seconds.append(_duration(spent, path, line))
    if not lines:
        raise UnreadableFileError(f"{path} holds no labels: there is nothing below its first line")
    when = np.array(timestamps, dtype="datetime64[ms]")
    how_long = np.array(seconds, dtype=np.float64)
    try:
        return AnnotationSet.from_sequences(
            tasks,
            workers,
            labels,
            repeats=repeats,
            timestamps=None if np.isnat(when).all() else when,
            seconds=None if np.isnan(how_long).all() else how_long,
        )
    except RepeatedAnnotationError as error:
        raise RepeatedAnnotationError(
            error.task, error.worker, lines[error.earlier], lines[error.later], f"{path}, lines"
        ) from error


def read_gold(path: str | Path) -> dict[str, str]:
    """Read ``task,label`` from a ``.csv`` or ``.csv.gz`` file.

    A task may stand twice only with the same label; blank lines are ignored. Raises ``UnreadableFileError``
    with file and line.
    """
    gold: dict[str, str] = {}
    for line, (task, label) in _rows(path, ("task", "label"), ()):
        if gold.setdefault(task, label) != label:
            raise UnreadableFileError(
                f"{path}, line {line}: task {task!r} has gold {label!r} here, {gold[task]!r} above; keep one"
            )
    return gold


def is_blank(row: Sequence[str]) -> bool:
    """Say whether a row, as the ``csv`` module gives it, is a line with nothing on it but white space.

    A line of separators is not: it has fields, which are empty.
    """
    return len(row) < 2 and not "".join(row).strip()


def _rows(
    path: str | Path, required: Sequence[str], optional: Sequence[str]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the values, in the order asked for, of each row; an absent optional value is
    empty."""
    line = 1
    try:
        with _opened(Path(path)) as file:
            reader = csv.reader(file, strict=True)
            header = next((row for row in reader if not is_blank(row)), None)
            if header is None:
                raise UnreadableFileError(f"{path} is empty; its first line must be {','.join(required)}")
            line = reader.line_num
            places = _places(path, line, header, required, optional)
            for row in reader:
                line = reader.line_num
                if is_blank(row):
                    continue
                if len(row) != len(header):
                    raise UnreadableFileError(
                        f"{path}, line {line}: {len(row)} fields where the first line names {len(header)}"
                    )
                values = ["" if place is None else row[place] for place in places]
                if not all(values[: len(required)]):
                    name = required[values.index("")]
                    raise UnreadableFileError(f"{path}, line {line}: {name} is empty; every row needs one")
                yield line, values
    except csv.Error as error:
        raise UnreadableFileError(f"{path}, after line {line}: not CSV: {error}") from error
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise UnreadableFileError(
            f"{path}, after line {line}: cannot be read: {error}; check the path and that the file is whole"
        ) from error


def _places(
    path: str | Path, line: int, header: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> list[int | None]:
    for name in required:
        if name not in header:
            raise UnreadableFileError(
                f"{path}, line {line}: no column {name!r} among {header}; expected {','.join(required)}"
            )
    if len(set(header)) != len(header):
        raise UnreadableFileError(f"{path}, line {line}: a column is named twice in {header}; keep one")
    return [header.index(name) if name in header else None for name in (*required, *optional)]


def _opened(path: Path) -> TextIO:
    # utf-8-sig: spreadsheets write a byte order mark, which would become part of the first column's name.
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _moment(text: str, path: str | Path, line: int) -> np.datetime64:
    if not text:
        return np.datetime64("NaT", "ms")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UnreadableFileError(f"{path}, line {line}: {text!r} is not an ISO 8601 time") from error
    # numpy keeps no zone, so the moment is expressed in UTC before it loses its own.
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, "ms")


def _duration(text: str, path: str | Path, line: int) -> float:
    if not text:
        return float("nan")
    try:
        spent = float(text)
    except ValueError as error:
        raise UnreadableFileError(f"{path}, line {line}: {text!r} is not a number of seconds") from error
    if not 0.0 <= spent < float("inf"):
        raise UnreadableFileError(f"{path}, line {line}: {text!r} seconds is negative or not finite")
    return spent
