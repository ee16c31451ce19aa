"""From the rows of a file to items: JSON lines and CSV, as an import's header says."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from crowdroute.api.v1 import tasks_pb2, types_pb2
from crowdroute.router.errors import InvalidCommand
from crowdroute.router.model.states import Purpose
from crowdroute.router.rpc.convert.states import optional_state_of
from crowdroute.router.rpc.operations.records import LARGEST_RECORD, Lines, QuotedLines, Records
from crowdroute.router.state.project import WITH_KNOWN_ANSWER

EXTERNAL_ID = "id"
"""Column of the external id when the header names none."""

MOST_COLUMNS = 256

_PART_KEYS = frozenset({"text", "url", "mime_type", "language"})
_json = msgspec.json.Decoder()

# A cell may be as long as a row; the module's own limit is an eighth of that.
csv.field_size_limit(LARGEST_RECORD)


class FileRow(NamedTuple):
    """One row as it stands in the file."""

    number: int
    """From 1, the heading not counted."""
    record: bytes

    @property
    def size(self) -> int:
        """Bytes of the row."""
        return len(self.record)


class Importing:
    """One import under way."""

    def __init__(self, header: tasks_pb2.ImportHeader) -> None:
        """Begin.

        Raises:
            InvalidCommand: the header contradicts itself.
        """
        self._header = header
        self._csv = header.format == tasks_pb2.ITEMS_FORMAT_CSV
        if header.format not in (tasks_pb2.ITEMS_FORMAT_CSV, tasks_pb2.ITEMS_FORMAT_JSONL):
            raise InvalidCommand("give the format: JSONL or CSV", {"field": "format"})
        purpose = optional_state_of(Purpose, header.purpose, "purpose") or Purpose.PRODUCTION
        known = purpose in WITH_KNOWN_ANSWER
        if known != bool(header.gold_columns):
            name = purpose.name.lower()
            raise InvalidCommand(
                f"for {name} tasks, gold_columns must "
                + ("say which column holds the known label of each field" if known else "be left out"),
                {"field": "gold_columns"},
            )
        self._external = header.external_id_column or EXTERNAL_ID
        self._used = {self._external, *header.gold_columns.values()}
        self._records: Records = QuotedLines() if self._csv else Lines()
        self._columns: list[str] | None = None
        self._number = 0

    def feed(self, chunk: bytes) -> Iterator[FileRow]:
        """Yield the rows that end in these bytes; empty ones are counted and left out.

        Raises:
            InvalidCommand: the heading lacks a column, or a row has no end.
        """
        for record in self._records.feed(chunk):
            yield from self._row(record)

    def end(self) -> Iterator[FileRow]:
        """Yield the last row, when no line end follows it."""
        for record in self._records.end():
            yield from self._row(record)

    def _row(self, record: bytes) -> Iterator[FileRow]:
        if self._csv and self._columns is None:
            self._columns = self._heading(record)
            return
        self._number += 1
        if record.strip():
            yield FileRow(self._number, record)

    def _heading(self, record: bytes) -> list[str]:
        columns = _cells(record)
        if len(set(columns)) < len(columns) or len(columns) > MOST_COLUMNS:
            raise InvalidCommand(
                f"the heading must name at most {MOST_COLUMNS} columns, each once", {"field": "chunk"}
            )
        wanted = [*sorted(self._used), *self._header.content_columns]
        missing = [column for column in wanted if column not in columns]
        if missing:
            raise InvalidCommand(
                f"the file has no column {missing[0]!r}; its columns are: {', '.join(columns)[:500]}",
                {"field": "chunk", "column": missing[0][:64]},
            )
        return columns

    def item(self, row: FileRow) -> tasks_pb2.NewItem:
        """Give the item that a row describes.

        Raises:
            InvalidCommand: it cannot be read, or lacks its external id or its content.
        """
        values = self._values(row)
        header = self._header
        external = _plain(values.get(self._external))
        if not external:
            raise InvalidCommand(
                f"column {self._external!r} is empty: every row needs an external id, so that a repeated"
                " import adds nothing twice",
                {"field": self._external[:64]},
            )
        columns = header.content_columns or [column for column in values if column not in self._used]
        parts = (_part(column, values.get(column)) for column in columns)
        return tasks_pb2.NewItem(
            external_id=external,
            content=[part for part in parts if part is not None],
            purpose=header.purpose,
            batch=header.batch,
            gold={
                field: types_pb2.Value(label=_plain(values.get(column)))
                for field, column in header.gold_columns.items()
            },
        )

    def _values(self, row: FileRow) -> Mapping[str, Any]:
        if self._columns is None:
            try:
                values = _json.decode(row.record)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise InvalidCommand(f"the line is not JSON: {error}", {"field": "line"}) from None
            if not isinstance(values, dict) or len(values) > MOST_COLUMNS:
                raise InvalidCommand(
                    f"the line must be a JSON object of at most {MOST_COLUMNS} keys", {"field": "line"}
                )
            return values
        cells = _cells(row.record)
        if len(cells) != len(self._columns):
            raise InvalidCommand(
                f"the row has {len(cells)} cells, the heading {len(self._columns)}", {"field": "line"}
            )
        return dict(zip(self._columns, cells, strict=True))


def _cells(record: bytes) -> list[str]:
    try:
        rows = list(csv.reader([record.decode()], strict=True))
    except UnicodeDecodeError:
        raise InvalidCommand("the line is not UTF-8", {"field": "line"}) from None
    except csv.Error as error:
        raise InvalidCommand(f"the line is not CSV: {error}", {"field": "line"}) from None
    return rows[0] if rows else []


def _plain(value: object) -> str:
    """Give a value as a text: labels and ids may be written as numbers."""
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def _part(column: str, value: object) -> types_pb2.ContentPart | None:
    """Give a column's value as a part: a text as it is, an object with `text` or `url` as what it says, and
    whatever else JSON can be as JSON."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return types_pb2.ContentPart(id=column, mime_type="text/plain", text=value)
    if isinstance(value, dict) and value.keys() <= _PART_KEYS and ("text" in value) != ("url" in value):
        if not all(isinstance(one, str) for one in value.values()):
            raise InvalidCommand(f"column {column!r}: a part is made of texts", {"field": column[:64]})
        return types_pb2.ContentPart(id=column, **value)
    return types_pb2.ContentPart(
        id=column, mime_type="application/json", text=msgspec.json.encode(value).decode()
    )
