"""Tables of annotations or gold from CSV, JSON lines or Parquet, whatever their columns mean.

CSV and JSON lines may be compressed with gzip (``.csv.gz``, ``.jsonl.gz``). Parquet needs pyarrow, which the
extra ``models`` brings.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from crowdroute.aggregation.errors import MissingExtraError, UnreadableFileError

FORMATS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".parquet")

Advance = Callable[[int], None]
"""Called with the number of rows read so far."""

_ROWS_PER_ADVANCE = 20_000


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as columns of equal length; a value that is absent or empty is None, a CSV value is text."""

    path: Path
    columns: dict[str, list[Any]]
    places: Sequence[int] = field(repr=False)
    """Where each row stands in the file."""
    unit: str
    """What ``places`` count: "line", or "row" in a file without lines."""
    header: str
    """Where the columns are named, for errors about them."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.places)

    def where(self, row: int) -> str:
        """Return the file and the place of a row, as errors begin."""
        return f"{self.path}, {self.unit} {self.places[row]}"

    def column(self, name: str, expected: Sequence[str]) -> list[Any]:
        """Return a column; ``expected`` says in the error which ones a file of this kind has."""
        if name not in self.columns:
            raise UnreadableFileError(
                f"{self.header}: no column {name!r} among {list(self.columns)}; expected {','.join(expected)}"
            )
        return self.columns[name]

    def texts(self, name: str, expected: Sequence[str]) -> list[str]:
        """Return a column as text. Raises ``UnreadableFileError`` where a row has none."""
        values = [as_text(value) for value in self.column(name, expected)]
        if "" in values:
            raise UnreadableFileError(f"{self.where(values.index(''))}: {name} is empty; every row needs one")
        return values


def read_table(path: str | Path, advance: Advance | None = None) -> Table:
    """Read a whole file; the ending of its name says how.

    Blank lines are passed over. Raises ``UnreadableFileError`` with file and line for what breaks its format,
    and where there is no row; ``MissingExtraError`` for Parquet without pyarrow.
    """
    file = Path(path)
    name = file.name.lower()
    told = advance or (lambda rows: None)
    if name.endswith(".parquet"):
        table = _parquet(file)
    elif name.removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        table = _json_lines(file, told)
    elif name.removesuffix(".gz").endswith((".csv", ".tsv", ".txt")) or "." not in name:
        table = _csv(file, told)
    else:
        raise UnreadableFileError(
            f"{path}: the ending of its name is none of {', '.join(FORMATS)}; convert it to one of them"
        )
    return table


def as_text(value: Any) -> str:
    """Return an id or a label as text: a whole number without a point, and nothing as the empty text."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


def is_blank(row: Sequence[str]) -> bool:
    """Say whether a row, as the ``csv`` module gives it, is a line with nothing on it but white space.

    A line of separators is not: it has fields, which are empty.
    """
    return len(row) < 2 and not "".join(row).strip()


def _csv(path: Path, advance: Advance) -> Table:
    line = 1
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        with _opened(path) as file:
            reader = csv.reader(file, strict=True, delimiter="\t" if ".tsv" in path.name.lower() else ",")
            header = next((row for row in reader if not is_blank(row)), None)
            if header is None:
                raise UnreadableFileError(f"{path} is empty; its first line must name the columns")
            line = reader.line_num
            named_at = f"{path}, line {line}"
            if len(set(header)) != len(header):
                raise UnreadableFileError(f"{named_at}: a column is named twice in {header}; keep one")
            for row in reader:
                line = reader.line_num
                if is_blank(row):
                    continue
                if len(row) != len(header):
                    raise UnreadableFileError(
                        f"{path}, line {line}: {len(row)} fields where the first line names {len(header)};"
                        " a value with a comma in it needs quotes"
                    )
                rows.append(row)
                lines.append(line)
                if len(rows) % _ROWS_PER_ADVANCE == 0:
                    advance(len(rows))
    except csv.Error as error:
        raise UnreadableFileError(f"{path}, after line {line}: not CSV: {error}") from error
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise _unreadable(path, line, error) from error
    columns = {name: [row[place] or None for row in rows] for place, name in enumerate(header)}
    return Table(path, columns, lines, "line", named_at)


def _json_lines(path: Path, advance: Advance) -> Table:
    line = 0
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    try:
        with _opened(path) as file:
            for line, text in enumerate(file, 1):
                if not text.strip():
                    continue
                rows.append(_object(text, f"{path}, line {line}"))
                lines.append(line)
                if len(rows) % _ROWS_PER_ADVANCE == 0:
                    advance(len(rows))
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise _unreadable(path, line, error) from error
    if not rows:
        raise UnreadableFileError(f"{path} is empty; each of its lines must be a JSON object")
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [_some(row.get(name)) for row in rows] for name in names}
    return Table(path, columns, lines, "line", f"{path}")


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        raise UnreadableFileError(f"{where}: not JSON ({why}); each line is one whole object") from error
    if not isinstance(value, dict):
        raise UnreadableFileError(f'{where}: an object is needed, such as {{"task": "t1", …}}')
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _some(value: Any) -> Any:
    return None if value == "" else value


def _parquet(path: Path) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError(
            f"{path} is Parquet, which needs pyarrow ({error}); install it with: pip install"
            " 'crowdroute[models]'"
        ) from error
    try:
        table = parquet.read_table(path)
        columns = {
            name: [None if value == "" or value != value else value for value in column.to_pylist()]  # noqa: PLR0124
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    except (OSError, pyarrow.ArrowException) as error:
        raise UnreadableFileError(
            f"{path}: cannot be read as Parquet: {error}; check the path and that the file is whole"
        ) from error
    if len(columns) != len(table.column_names):
        raise UnreadableFileError(f"{path}: a column is named twice in {table.column_names}; keep one")
    return Table(path, columns, range(1, len(table) + 1), "row", f"{path}")


def _opened(path: Path) -> TextIO:
    # utf-8-sig: spreadsheets write a byte order mark, which would become part of the first column's name.
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _unreadable(path: Path, line: int, error: Exception) -> UnreadableFileError:
    remedy = (
        "save it as UTF-8"
        if isinstance(error, UnicodeDecodeError)
        else "check the path and that the file is whole"
    )
    return UnreadableFileError(f"{path}, after line {line}: cannot be read: {error}; {remedy}")
