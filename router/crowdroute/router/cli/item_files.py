"""Items to import, read from CSV or JSON lines; every problem is told with file and line.

Known columns (or keys): `external_id`, `purpose`, `gold`, `priority`, `deadline`, `batch`, `capability`,
`allow`, `deny`. Every other one is a part of the content, named by its column: an http(s) address is linked,
`@path` is a file beside the table, or below, that is taken in, anything else is text. JSON lines may hold the
parts ready made under `content`.
"""

from __future__ import annotations

import csv
import json
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crowdroute.aggregation.file_tables import is_blank
from crowdroute.router.errors import ConfigurationError

KNOWN = frozenset(
    {
        "external_id",
        "purpose",
        "gold",
        "priority",
        "deadline",
        "batch",
        "capability",
        "allow",
        "deny",
        "content",
    }
)
BOM = b"\xef\xbb\xbf"
"""Byte order mark, which spreadsheets write."""

PRIORITIES = range(4)
PURPOSES = ("production", "gold", "training", "qualification", "calibration")


class BadRow(ConfigurationError):
    """A row cannot be imported; the message names file and line."""

    code = "BAD_ROW"


@dataclass(frozen=True)
class ContentFile:
    """One part of an item's content."""

    id: str
    mime_type: str
    text: str = ""
    data: bytes = b""
    url: str = ""


@dataclass(frozen=True)
class ItemRow:
    """One item as the file describes it; worker names are external ids or ids."""

    where: str
    """File and line."""
    external_id: str
    parts: tuple[ContentFile, ...]
    purpose: str = "production"
    gold: Mapping[str, str] = field(default_factory=dict)
    """Field id -> label; the key is empty where the file names no field."""
    priority: int = 0
    deadline: datetime | None = None
    batch: str = ""
    capability: str = ""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """About how many bytes it is on the wire."""
        texts = sum(len(part.text.encode()) + len(part.data) + len(part.url) for part in self.parts)
        return texts + 40 * (len(self.allow) + len(self.deny))


def read_items(path: Path) -> Iterator[ItemRow]:
    """Yield the items of a `.csv` or `.jsonl` file in their order.

    Raises:
        BadRow: with file and line, at the first row that cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        yield from _read_csv(path)
    elif suffix in (".jsonl", ".ndjson"):
        yield from _read_json(path)
    else:
        raise BadRow(f"{path}: only .csv and .jsonl files can be imported")


def count_items(path: Path) -> int:
    """Read a whole file and give the number of its items.

    Raises:
        BadRow: a row cannot be read, or its external_id is that of another: only one of them would be kept.
    """
    seen: set[str] = set()
    for row in read_items(path):
        if row.external_id in seen:
            raise BadRow(
                f"{row.where}: external_id {row.external_id!r} is that of a row above too; each item "
                "needs one of its own"
            )
        seen.add(row.external_id)
    return len(seen)


def _read_csv(path: Path) -> Iterator[ItemRow]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip() for name in next((row for row in reader if not is_blank(row)), [])]
            if not header:
                raise BadRow(f"{path} is empty; its first line must name the columns, external_id among them")
            _check_header(header, f"{path}, line {reader.line_num}")
            for cells in reader:
                where = f"{path}, line {reader.line_num}"
                if is_blank(cells):
                    continue
                if len(cells) != len(header):
                    raise BadRow(
                        f"{where}: {len(cells)} cells, but the header has {len(header)}; a cell with a comma "
                        "in it needs quotes"
                    )
                values: dict[str, Any] = {
                    name: cell for name, cell in zip(header, cells, strict=True) if cell
                }
                for name in ("allow", "deny"):
                    if name in values:
                        values[name] = values[name].split()
                yield _row(values, where, path.parent)
        except csv.Error as error:
            raise BadRow(
                f"{path}, line {reader.line_num}: not CSV ({error}); is a quote opened and not closed?"
            ) from error
        except UnicodeDecodeError as error:
            raise BadRow(
                f"{path}, line {_first_unreadable(path)}: not UTF-8 text; save the file as that"
            ) from error


def _first_unreadable(path: Path) -> int:
    """Give the number of the first line that is not UTF-8; a reader is ahead of the row it gives."""
    number = 1
    with path.open("rb") as file:
        for line in file:
            try:
                line.decode()
            except UnicodeDecodeError:
                break
            number += 1
    return number


def _check_header(header: list[str], where: str) -> None:
    if "external_id" not in header:
        raise BadRow(f"{where}: the column external_id is missing; the columns are {header}")
    if len(set(header)) < len(header):
        raise BadRow(f"{where}: a column is named twice in {header}; keep one")
    if "" in header:
        raise BadRow(f"{where}: column {header.index('') + 1} has no name; give it one or leave it out")


def _read_json(path: Path) -> Iterator[ItemRow]:
    found = False
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"{path}, line {number}"
            if not line.removeprefix(BOM).strip():
                continue
            found = True
            try:
                values = json.loads(line.removeprefix(BOM).decode())
            except UnicodeDecodeError as error:
                raise BadRow(f"{where}: not UTF-8 text; save the file as that") from error
            except (json.JSONDecodeError, RecursionError) as error:
                why = error.msg if isinstance(error, json.JSONDecodeError) else "too many brackets"
                raise BadRow(f"{where}: not JSON ({why}); each line is one whole object") from error
            if not isinstance(values, dict):
                raise BadRow(f"{where}: an object is needed, with external_id and content")
            yield _row(values, where, path.parent)
    if not found:
        raise BadRow(f"{path} is empty; each of its lines must be one item")


def _row(values: dict[str, Any], where: str, folder: Path) -> ItemRow:
    external_id = str(values.get("external_id") or "").strip()
    if not external_id:
        raise BadRow(f"{where}: external_id is empty; it is what makes importing again safe")
    gold = _gold(values.get("gold"))
    purpose = str(values.get("purpose") or ("gold" if gold else "production"))
    if purpose not in PURPOSES:
        raise BadRow(f"{where}: purpose {purpose!r} is not one of {', '.join(PURPOSES)}")
    parts = _parts(values, where, folder)
    if not parts:
        raise BadRow(
            f"{where}: there is no content; give a text, an address or an @file in a column of its own"
        )
    return ItemRow(
        where=where,
        external_id=external_id,
        parts=tuple(parts),
        purpose=purpose,
        gold=gold,
        priority=_number(values.get("priority") or 0, where),
        deadline=_moment(values.get("deadline"), where),
        batch=str(values.get("batch") or ""),
        capability=str(values.get("capability") or ""),
        allow=tuple(map(str, _list(values, "allow", where))),
        deny=tuple(map(str, _list(values, "deny", where))),
    )


def _gold(given: Any) -> dict[str, str]:
    if given in (None, ""):
        return {}
    if isinstance(given, dict):
        return {str(field): str(label) for field, label in given.items()}
    return {"": str(given)}


def _parts(values: dict[str, Any], where: str, folder: Path) -> list[ContentFile]:
    content = values.get("content")
    if isinstance(content, str):  # a column of that name
        parts = [_part("content", content, where, folder)]
    else:
        parts = [_ready_part(part, where, folder) for part in _list(values, "content", where)]
    for name, value in values.items():
        if name not in KNOWN and value not in (None, ""):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            parts.append(_part(name, text, where, folder))
    return parts


def _list(values: dict[str, Any], name: str, where: str) -> list[Any]:
    found = values.get(name) or []
    if not isinstance(found, list):
        raise BadRow(f"{where}: {name} must be a list")
    return found


def _part(name: str, value: str, where: str, folder: Path) -> ContentFile:
    if value.startswith(("http://", "https://")) and not any(map(str.isspace, value)):
        return _linked(name, value)
    if value.startswith("@"):
        return _taken_in(name, value[1:], where, folder)
    return ContentFile(name, "text/plain", text=value)


def _linked(name: str, url: str) -> ContentFile:
    kind = mimetypes.guess_type(url.partition("?")[0])[0] or "application/octet-stream"
    return ContentFile(name, kind, url=url)


def _taken_in(name: str, path: str, where: str, folder: Path) -> ContentFile:
    file = folder / path
    if not file.resolve().is_relative_to(folder.resolve()):
        raise BadRow(f"{where}: {name}: {file} is not beside the table or below; move it there")
    if not file.is_file():
        raise BadRow(
            f"{where}: {name}: there is no file {file}; a text that begins with @ comes in as JSON lines, "
            'with content: [{"id": …, "text": …}]'
        )
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return ContentFile(name, kind, data=file.read_bytes())


def _ready_part(part: Any, where: str, folder: Path) -> ContentFile:
    if not isinstance(part, dict) or not part.get("id"):
        raise BadRow(f"{where}: a part of content needs an id and one of text, url and file")
    name = str(part["id"])
    if part.get("url"):
        read = _linked(name, str(part["url"]))
    elif part.get("file"):
        read = _taken_in(name, str(part["file"]), where, folder)
    elif part.get("text"):
        read = ContentFile(name, "text/plain", text=str(part["text"]))
    else:
        raise BadRow(f"{where}: part {name!r} has neither text nor url nor file")
    return replace(read, mime_type=str(part.get("mime_type") or read.mime_type))


def _number(value: Any, where: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if number not in PRIORITIES:
        raise BadRow(f"{where}: priority {value!r} is no whole number from 0 to 3")
    return number


def _moment(value: Any, where: str) -> datetime | None:
    if value in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadRow(
            f"{where}: deadline {value!r} is no ISO 8601 moment such as 2026-03-01T12:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
